"""Masks: images of two or three values that say where in another image something is. They are not data."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath

from workflow_scripts.intake.facts import Facts

MOST_LEVELS = 3
FOLDERS = re.compile(
    r"(gt|masks?|ground[ _-]?truths?|annotations?|labels?|seg(mentation)?s?([ _-]?class)?)", re.IGNORECASE
)
"""What folders of masks are called."""
ENDING = re.compile(r"[ ._-]?(gt|masks?|ground[ _-]?truth|annotations?|labels?|seg(mentation)?s?)$", re.IGNORECASE)
"""What the name of a mask has behind the name of its image."""


def find_masks(facts: Mapping[str, Facts]) -> dict[str, str]:
    """Return for each mask the image that it belongs to, by path.

    A mask has `MOST_LEVELS` grey values at most and no lossy compression. It has its image's name, or that with an
    `ENDING`, and lies beside it with the same width and height, or in one of `FOLDERS`.
    """
    beside, anywhere = defaultdict(list), defaultdict(list)
    for path, fact in facts.items():
        if fact.levels > MOST_LEVELS:
            folder, stem = _split(path)
            beside[folder, stem].append(path)
            anywhere[stem].append(path)
    masks = {}
    for path, fact in facts.items():
        if fact.levels > MOST_LEVELS or fact.format == "JPEG":
            continue
        folder, stem = _split(path)
        stems = [stem] if (short := ENDING.sub("", stem)) in ("", stem) else [short, stem]
        candidates = [
            image
            for name in stems
            for image in beside[folder, name]
            if (facts[image].width, facts[image].height) == (fact.width, fact.height)
        ]
        if any(FOLDERS.fullmatch(part) for part in folder.split("/")):
            candidates += [
                image for name in stems for image in sorted(anywhere[name], key=lambda it: _parted(it, path))
            ]
        if candidates:
            masks[path] = candidates[0]
    return masks


def _split(path: str) -> tuple[str, str]:
    return str(PurePosixPath(path).parent), PurePosixPath(path).stem.lower()


def _parted(one: str, other: str) -> tuple[int, str]:
    """Return how many folders two paths do not share, and the first path: the nearest namesake comes first."""
    return len(set(one.split("/")[:-1]) ^ set(other.split("/")[:-1])), one
