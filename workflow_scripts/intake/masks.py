"""Detect segmentation masks, that is images of two or three grey values that mark regions of another image."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
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
    images_called = cache(lambda stem: _Namesakes(anywhere[stem]))
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
        if not candidates and any(FOLDERS.search(part) for part in folder.split("/")):
            candidates = [_nearest(images_called(name), path) for name in stems if name in anywhere]
        if candidates:
            masks[path] = candidates[0]
    return masks


def _split(path: str) -> tuple[str, str]:
    return str(PurePosixPath(path).parent), PurePosixPath(path).stem.lower()


class _Namesakes:
    """Images with the same name, by the names of the folders in their paths."""

    def __init__(self, images: Collection[str]) -> None:
        self.of_folder: defaultdict[str, list[str]] = defaultdict(list)
        for image in images:
            for name in _folders(image):
                self.of_folder[name].append(image)
        self.first = min(images, key=lambda image: (len(_folders(image)), image))


def _nearest(images: _Namesakes, path: str) -> str:
    """Return the image that is nearest to `path`: the one with the smallest `_remoteness`.

    Images in a folder with a rare name are compared first. The others are left out if they cannot be nearer, because
    all masks of a data set may have the same name.
    """
    folders = _folders(path)
    shared = sorted(folders & images.of_folder.keys(), key=lambda name: len(images.of_folder[name]))
    nearest = _remoteness(images.first, path)
    for place, name in enumerate(shared):
        least = len(_folders(images.first)) + len(folders) - 2 * (len(shared) - place)
        if nearest[0] < least:
            break
        nearest = min(nearest, *(_remoteness(image, path) for image in images.of_folder[name]))
    return nearest[1]


def _folders(path: str) -> set[str]:
    return set(path.split("/")[:-1])


def _remoteness(one: str, other: str) -> tuple[int, str]:
    """Return a sort key of the path `one`: how many folders are in only one of both paths, then the path itself."""
    return len(_folders(one) ^ _folders(other)), one
