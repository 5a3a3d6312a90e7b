"""Detect duplicate images: files with the same bytes, with the same pixels, or that look nearly the same."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from workflow_scripts.intake.facts import Facts
from workflow_scripts.intake.fingerprints import near_pairs
from workflow_scripts.io.rejections import Reason
from workflow_scripts.wording import count

Visual = Literal["report", "drop_same_pixels", "drop"]
PAIR_COLUMNS = ("path", "other", "kind", "distance")
SAME_PIXELS, NEAR, ALIKE = "same pixels", "near", "roughly alike"
FINE_DISTANCE = 24
"""The largest number of bits, of the 256 of the finer hash, in which two images may differ that look nearly the same.
Copies of real images (JPEG of quality 50, half the size, brighter) differ in at most 12, pollen of two species in at
least 46."""
MOST_PAIRS = 200_000
"""The largest number of pairs with different pixels that are listed."""


@dataclass(frozen=True)
class Copy:
    """The reason why a file is a duplicate, and the path `first` of the file that stays."""

    first: str
    reason: Reason


@dataclass(frozen=True)
class Alike:
    """Images that look alike.

    Attributes
    ----------
    pairs : table with `PAIR_COLUMNS`, a row for each pair.
    dropped : by the path of each image to leave out: the image that stays in its place, and the reason.
    notes : sentences for the log.
    """

    pairs: pd.DataFrame
    dropped: dict[str, Copy]
    notes: tuple[str, ...]


def same_bytes(root: str | Path, facts: Mapping[str, Facts]) -> dict[str, tuple[str, int]]:
    """Return for each path in `facts` the first path with the same bytes, and the place of the path among them.

    Places are numbered from 1. Of files with the same bytes, real files come before links; otherwise the order is that
    of `facts`. Paths are relative to `root`.
    """
    groups: dict[str, list[str]] = {}
    for path, fact in facts.items():
        groups.setdefault(fact.sha256, []).append(path)
    real_root = os.path.realpath(root)
    copies = {}
    for group in groups.values():
        if len(group) > 1:
            group.sort(key=lambda path: os.path.realpath(Path(root, path)) != os.path.join(real_root, path))
        copies.update({path: (group[0], number) for number, path in enumerate(group, 1)})
    return {path: copies[path] for path in facts}


def look_alikes(facts: Mapping[str, Facts], distance: int, visual: Visual) -> Alike:
    """Find pairs of images with the same pixels, or with perceptual hashes that differ in at most `distance` bits.

    Pairs are formed in three steps:

    1. An image with the same pixels as earlier images is paired with the first of them.
    2. An image that is left and has the same perceptual hashes as earlier images is paired with the first of them.
    3. All images that are still left are compared with each other.

    Images of a single object on a plain ground have similar coarse hashes, whatever the object is. Therefore a pair is
    `NEAR` only if the finer hashes differ in at most `FINE_DISTANCE` bits too; otherwise it is `ALIKE`.

    `visual` decides which images are dropped:

    - `report`: none.
    - `drop_same_pixels`: images with the same pixels as an earlier one.
    - `drop`: these, and images that are `NEAR` to an earlier image that stays.
    """
    same = _repeated({path: fact.pixels for path, fact in facts.items()})
    alike = _repeated({path: fact.look + fact.fine_look for path, fact in facts.items() if path not in same})
    firsts = [path for path in facts if path not in same and path not in alike]
    fine = _words(facts[path].fine_look for path in firsts)
    pairs = [(path, first, SAME_PIXELS, 0) for path, first in same.items()]
    pairs += [(path, first, NEAR, 0) for path, first in alike.items()]
    n_pairs, most = len(pairs), len(pairs) + MOST_PAIRS
    rough = 0
    near: dict[str, str] = {}
    for found in near_pairs([facts[path].look for path in firsts], distance):
        is_near = np.bitwise_count(fine[found[:, 0]] ^ fine[found[:, 1]]).sum(axis=1) <= FINE_DISTANCE
        for number, earlier, _ in found[is_near].tolist():
            if firsts[earlier] not in near:
                near.setdefault(firsts[number], firsts[earlier])
        listed = np.column_stack([found, is_near])[: max(0, most - n_pairs)].tolist()
        pairs += [(firsts[row], firsts[earlier], NEAR if sure else ALIKE, bits) for row, earlier, bits, sure in listed]
        n_pairs += len(found)
        rough += int(len(found) - is_near.sum())
    dropped = {}
    if visual == "drop":
        near |= {path: near.get(first, first) for path, first in alike.items()}
        dropped = {path: Copy(first, Reason.NEAR) for path, first in near.items()}
    if visual != "report":
        dropped |= {path: dropped.get(first, Copy(first, Reason.SAME_PIXELS)) for path, first in same.items()}
    notes = _notes(len(same), n_pairs, rough, len(pairs))
    return Alike(pd.DataFrame(sorted(pairs), columns=list(PAIR_COLUMNS)), dropped, notes)


def _words(hashes: Iterable[str]) -> np.ndarray:
    """Return n hashes of 256 bits, each as four numbers, (n, 4) uint64."""
    numbers = (int(each, 16) for each in hashes)
    words = [[number >> shift & (1 << 64) - 1 for shift in (0, 64, 128, 192)] for number in numbers]
    return np.array(words, dtype=np.uint64).reshape(-1, 4)


def _repeated(keys: Mapping[str, str]) -> dict[str, str]:
    """Map each path to the first path that has the same key. The first path of each key is left out."""
    firsts: dict[str, str] = {}
    return {path: first for path, key in keys.items() if (first := firsts.setdefault(key, path)) != path}


def _notes(same: int, n_pairs: int, rough: int, n_listed: int) -> tuple[str, ...]:
    if not n_pairs:
        return ()
    cut = f"; only {n_listed} are listed: lower intake.near_distance" if n_listed < n_pairs else ""
    alike = f", {count(rough, 'pair')} only roughly alike" if rough else ""
    near = count(n_pairs - same - rough, "near pair")
    return (f"look-alikes: {count(same, 'image')} with the pixels of an earlier one, {near}{alike}{cut}",)
