"""Files that hold the same picture: the same bytes, the same pixels in another file, nearly the same to the eye."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from workflow_scripts.intake.facts import Facts
from workflow_scripts.intake.fingerprints import near_pairs
from workflow_scripts.io.images import Reason

Visual = Literal["report", "drop_same_pixels", "drop"]
PAIR_COLUMNS = ("path", "other", "kind", "distance")
SAME_PIXELS, NEAR = "same pixels", "near"
MOST_PAIRS = 200_000
"""Pairs of different pixels that are listed."""


@dataclass(frozen=True)
class Copy:
    """What a file repeats: the first file by path, which stays."""

    first: str
    reason: Reason


@dataclass(frozen=True)
class Alike:
    """`pairs` (`PAIR_COLUMNS`) of pictures that look alike, which of them do not stay, and sentences for the log."""

    pairs: pd.DataFrame
    dropped: dict[str, Copy]
    notes: tuple[str, ...]


def same_bytes(facts: Mapping[str, Facts]) -> dict[str, tuple[str, int]]:
    """For each path the first one with the same bytes, and which copy it is, from 1."""
    groups: dict[str, list[str]] = {}
    copies = {}
    for path, fact in facts.items():
        group = groups.setdefault(fact.sha256, [])
        group.append(path)
        copies[path] = (group[0], len(group))
    return copies


def look_alikes(facts: Mapping[str, Facts], distance: int, visual: Visual) -> Alike:
    """Find pairs of images with the same pixels, or with perceptual hashes that differ in `distance` bits at most.

    A picture with the pixels or with the perceptual hash of earlier ones is paired with the first of them; those that
    are the first of their hash, with all such before them. With `drop_same_pixels` the first of the same pixels stays;
    with `drop`, of the rest, no picture that is near to an earlier one that stays.
    """
    same = _repeated({path: fact.pixels for path, fact in facts.items()})
    looks = {path: fact.look for path, fact in facts.items() if path not in same}
    alike = _repeated(looks)
    firsts = [path for path in looks if path not in alike]
    pairs = [(path, first, SAME_PIXELS, 0) for path, first in same.items()]
    pairs += [(path, first, NEAR, 0) for path, first in alike.items()]
    found, listed = len(pairs), len(pairs) + MOST_PAIRS
    near: dict[str, str] = {}
    for number, earlier, bits in near_pairs([looks[path] for path in firsts], distance):
        path, other = firsts[number], firsts[earlier]
        if other not in near:
            near.setdefault(path, other)
        if found < listed:
            pairs.append((path, other, NEAR, bits))
        found += 1
    dropped = {}
    if visual == "drop":
        near |= {path: near.get(first, first) for path, first in alike.items()}
        dropped = {path: Copy(first, Reason.NEAR) for path, first in near.items()}
    if visual != "report":
        dropped |= {path: dropped.get(first, Copy(first, Reason.SAME_PIXELS)) for path, first in same.items()}
    return Alike(pd.DataFrame(sorted(pairs), columns=list(PAIR_COLUMNS)), dropped, _notes(len(same), found, len(pairs)))


def _repeated(keys: Mapping[str, str]) -> dict[str, str]:
    """For each path whose key an earlier path has: the first such path."""
    firsts: dict[str, str] = {}
    return {path: first for path, key in keys.items() if (first := firsts.setdefault(key, path)) != path}


def _notes(same: int, found: int, listed: int) -> tuple[str, ...]:
    if not found:
        return ()
    cut = f"; listed are {listed}: lower intake.near_distance" if listed < found else ""
    return (f"look-alikes: {same} pictures with the pixels of an earlier one, {found - same} near pairs{cut}",)
