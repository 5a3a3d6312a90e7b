"""Detect segmentation masks, that is images of two or three grey values that mark regions of another image."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath

from workflow_scripts.intake.facts import Facts

MOST_LEVELS = 3
FOLDERS = re.compile(
    r"(?<![a-z])(gt|masks?|ground[ _-]?truths?|annotations?|lab(el)?s?|seg(mentation)?s?([ _-]?(class|object))?)"
    r"(?![a-z])",
    re.IGNORECASE,
)
"""Words in the names of folders of masks, such as `masks`, `Mask_images` and `train_lab`."""
ENDING = re.compile(r"[ ._-]?(gt|masks?|ground[ _-]?truth|annotations?|labels?|seg(mentation)?s?)$", re.IGNORECASE)
"""Endings that the name of a mask has after the name of its image."""


def find_masks(facts: Mapping[str, Facts]) -> dict[str, str]:
    """Return the path of the image that each mask belongs to, by the path of the mask.

    A mask has at most `MOST_LEVELS` grey values and is not a JPEG. Its name is that of its image, with or without an
    `ENDING`. A mask in the same folder as its image has the same width and height. Any other mask is in a folder for
    masks, whose name has a word of `FOLDERS`.
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
        if any(FOLDERS.search(part) for part in folder.split("/")):
            candidates += [
                image for name in stems for image in sorted(anywhere[name], key=lambda image: _remoteness(image, path))
            ]
        if candidates:
            masks[path] = candidates[0]
    return masks


def _split(path: str) -> tuple[str, str]:
    return str(PurePosixPath(path).parent), PurePosixPath(path).stem.lower()


def _remoteness(one: str, other: str) -> tuple[int, str]:
    """Return a sort key of the path `one`: how many folders are in only one of both paths, then the path itself."""
    return len(set(one.split("/")[:-1]) ^ set(other.split("/")[:-1])), one
