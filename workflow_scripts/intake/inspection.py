"""Inspection: every file of the folder becomes a row of the images or a row of those set aside. No labels here."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Literal

import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.intake.images import ImageRejected, Reason, decode, open_file
from workflow_scripts.intake.listing import Entry
from workflow_scripts.intake.parallel import ordered_map

COLUMNS = ("image_id", "path", "width", "height", "mode", "bytes", "pages")
SET_ASIDE_COLUMNS = ("path", "reason", "detail", "image_id", "same_as")
# Companions of pictures that are not worth opening; whatever else is no picture shows by how it begins.
OTHER_FILES = {
    *(".csv", ".db", ".h5", ".hdf5", ".ini", ".json", ".log", ".mat", ".npy", ".npz", ".pkl", ".toml", ".tsv", ".xml"),
    *(".yaml", ".yml", ".doc", ".docx", ".htm", ".html", ".md", ".pdf", ".rst", ".txt", ".xls", ".xlsx"),
    *(".ipynb", ".m", ".py", ".avi", ".mp4", ".gz", ".tar", ".zip"),
}


@dataclass(frozen=True)
class Inspection:
    """What the files are, sorted by path: `images` (`COLUMNS`) stay, `set_aside` (`SET_ASIDE_COLUMNS`) do not.

    `width` and `height` are of the upright picture. A duplicate is set aside with the id of its content and, as
    `same_as`, the path of the first file with it; both are `""` for all other files. `notes` are sentences for the log:
    which files have several pages, which duplicates are kept, what was set aside.
    """

    images: pd.DataFrame
    set_aside: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Facts:
    sha256: str
    width: int
    height: int
    mode: str
    bytes: int
    pages: int

    @property
    def image_id(self) -> str:
        return self.sha256[:16]


def inspect(
    root: str | Path,
    entries: Sequence[Entry],
    duplicates: Literal["drop", "keep"] = "drop",
    min_size: int = 1,
    max_pixels: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Inspection:
    """Hash and decode every file once, and set aside what is no picture, and duplicates.

    Parameters
    ----------
    root, entries : the data folder and its files (`listing.scan`)
    duplicates :
        Of files with the same bytes the first by path stays with `drop`, and the others are set aside; with `keep` all
        stay, and the second and later ones' ids end in -2, -3, ...
    min_size, max_pixels : shortest side allowed and largest width x height, in pixels
    workers : processes; the result does not depend on them
    progress : called with (done, total) after every file

    Raises `UserError` if no picture is left.
    """
    results = _inspect_all(root, entries, min_size, max_pixels, workers, progress)
    facts = {path: result for path, result in results.items() if isinstance(result, _Facts)}
    set_aside: list[tuple[str, ...]]
    set_aside = [(path, *result, "", "") for path, result in results.items() if not isinstance(result, _Facts)]
    if not facts:
        raise UserError(_nothing_left(root, set_aside))
    copies = _copies(facts)
    if duplicates == "drop":
        set_aside += [_duplicate(path, facts[path], first) for path, (first, number) in copies.items() if number > 1]
        copies = {path: copy for path, copy in copies.items() if copy[1] == 1}
    rows = [_row(path, facts[path], number) for path, (_, number) in copies.items()]
    return Inspection(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        pd.DataFrame(sorted(set_aside), columns=list(SET_ASIDE_COLUMNS), dtype=str),
        tuple(_notes(facts, copies, set_aside)),
    )


def _inspect_all(
    root: str | Path,
    entries: Sequence[Entry],
    min_size: int,
    max_pixels: int | None,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> dict[str, "_Facts | tuple[str, str]"]:
    inspect_one = partial(_inspect, str(root), min_size=min_size, max_pixels=max_pixels)
    paths = sorted(entry.path for entry in entries)
    results = {}
    for path, result in zip(paths, ordered_map(inspect_one, paths, workers, batch=16), strict=True):
        results[_printable(path)] = result
        if progress:
            progress(len(results), len(paths))
    return results


def _inspect(root: str, path: str, min_size: int, max_pixels: int | None) -> "_Facts | tuple[str, str]":
    """The facts of a picture, or the reason and the detail of its rejection."""
    try:
        if (suffix := PurePosixPath(path).suffix.lower()) in OTHER_FILES:
            raise ImageRejected(Reason.NOT_AN_IMAGE, f"a {suffix} file")
        if path != _printable(path):
            raise ImageRejected(Reason.UNREADABLE, "its name is not UTF-8")
        with open_file(Path(root, path)) as stream:
            return _decoded(stream, min_size, max_pixels)
    except ImageRejected as rejection:
        return str(rejection.reason), rejection.detail
    except OSError as error:
        return str(Reason.UNREADABLE), error.strerror or str(error)


def _decoded(stream: BufferedReader, min_size: int, max_pixels: int | None) -> _Facts:
    picture = decode(stream, max_pixels, min_size)
    stream.seek(0)
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    height, width = picture.pixels.shape[:2]
    return _Facts(sha256, width, height, picture.mode, stream.tell(), picture.pages)


def _printable(path: str) -> str:
    """The path itself; bytes that are not UTF-8 come as `\\udcff`, so that every table can hold them."""
    return path.encode("utf-8", "backslashreplace").decode()


def _copies(facts: Mapping[str, _Facts]) -> dict[str, tuple[str, int]]:
    """For each path the first one with the same bytes, and which copy it is, from 1."""
    groups: dict[str, list[str]] = {}
    copies = {}
    for path, fact in facts.items():
        group = groups.setdefault(fact.sha256, [])
        group.append(path)
        copies[path] = (group[0], len(group))
    return copies


def _row(path: str, fact: _Facts, number: int) -> tuple[str | int, ...]:
    image_id = fact.image_id + (f"-{number}" if number > 1 else "")
    return image_id, path, fact.width, fact.height, fact.mode, fact.bytes, fact.pages


def _duplicate(path: str, fact: _Facts, first: str) -> tuple[str, ...]:
    return path, str(Reason.DUPLICATE), f"same bytes as {first}", fact.image_id, first


def _notes(
    facts: Mapping[str, _Facts], kept: Mapping[str, tuple[str, int]], set_aside: Sequence[tuple[str, ...]]
) -> Iterator[str]:
    if several := [path for path in kept if facts[path].pages > 1]:
        yield f"{len(several)} files with several pages or frames, of which the first is used: {_some(several)}"
    if copies := [path for path, (_, number) in kept.items() if number > 1]:
        yield f"{len(copies)} duplicates kept: {_some(copies)}"
    if set_aside:
        yield f"{len(set_aside)} files set aside: {count_reasons(reason for _, reason, *_ in set_aside)}"


def _some(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (", ..." if len(paths) > 3 else "")


def _nothing_left(root: str | Path, set_aside: Sequence[tuple[str, ...]]) -> str:
    if not set_aside:
        return f"data: found no file in {root}, allowed: a folder of pictures"
    path, reason, detail, *_ = set_aside[0]
    return (
        f"data: no picture in {root}: {count_reasons(reason for _, reason, *_ in set_aside)}; "
        f"the first is {path!r}, {reason}: {detail}; allowed: PNG, JPEG, BMP, TIFF, GIF, WebP, PBM/PGM/PPM"
    )


def count_reasons(reasons: Iterable[str]) -> str:
    """`1 not an image, 2 truncated`."""
    counts = Counter(reasons)
    return ", ".join(f"{counts[reason]} {reason}" for reason in sorted(counts))
