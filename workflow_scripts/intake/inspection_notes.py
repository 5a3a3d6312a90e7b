"""Sentences for the log about files that were taken in: pages, duplicates that stay, unusual sizes, and thumbnails."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import PurePosixPath
from typing import Literal

import pandas as pd

from workflow_scripts.intake.duplicates import Copy
from workflow_scripts.intake.facts import Facts
from workflow_scripts.wording import count

FEW = 5
"""Largest number of images in a folder for which the log says that they have unusual sizes."""


def file_notes(
    facts: Mapping[str, Facts],
    copies: Mapping[str, tuple[str, int]],
    dropped: Mapping[str, Copy],
    pages: Literal["first", "all"],
) -> Iterator[str]:
    """Yield sentences about files with several pages of which only the first is used, and about duplicates that stay.

    Parameters
    ----------
    facts : the facts about each file by path.
    copies : what `duplicates.same_bytes` returns: by path, the first file with the same bytes, and the number of this
        copy.
    dropped : the duplicates that are set aside, by path.
    pages : whether all pages of a file become images.
    """
    kept = [path for path in facts if path not in dropped]
    if pages == "first" and (several := [path for path in kept if facts[path].pages > 1]):
        used = "of which the first is used (intake.pages: all takes every one)"
        yield f"{count(len(several), 'file')} with several pages or frames, {used}: {_some(several)}"
    if repeated := [path for path in kept if copies[path][1] > 1]:
        yield f"{count(len(repeated), 'duplicate')} kept: {_some(repeated)}"


def size_notes(facts: Mapping[str, Facts]) -> Iterator[str]:
    """Yield a sentence about images of unusual sizes that have a small folder for themselves.

    A size is usual if more than `FEW` images have it. A folder counts if it has at most `FEW` images and none of them
    has a usual size. There is no sentence if more than a tenth of all images have unusual sizes.
    """
    folders: dict[str, list[str]] = {}
    for path in facts:
        folders.setdefault(str(PurePosixPath(path).parent), []).append(path)
    sizes = Counter((fact.width, fact.height) for fact in facts.values())
    usual = {size for size, number in sizes.items() if number > FEW}
    if sum(sizes[size] for size in usual) < 0.9 * len(facts):
        return
    strays = [
        paths
        for paths in folders.values()
        if len(paths) <= FEW and not any((facts[path].width, facts[path].height) in usual for path in paths)
    ]
    if strays:
        paths = list(chain(*strays))
        where = f"in {count(len(strays), 'folder')}"
        images = count(len(paths), f"image {where} has an unusual size", f"images {where} have unusual sizes")
        yield f"{images} (exclude?): {_some(paths)}"


def thumbnail_notes(facts: Mapping[str, Facts], pairs: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence about images that look like a larger image with the same name."""
    small = {
        min(pair, key=lambda path: facts[path].width)
        for pair in zip(pairs["path"], pairs["other"], strict=True)
        if len({facts[path].width for path in pair}) == 2 and len({PurePosixPath(path).stem for path in pair}) == 1
    }
    if small:
        images = count(len(small), "image is a smaller copy of another", "images are smaller copies of others")
        yield f"{images} with the same name (thumbnails; exclude?): {_some(sorted(small))}"


def _some(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (", ..." if len(paths) > 3 else "")
