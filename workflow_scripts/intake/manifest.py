"""Intake: every file of the folder becomes a row of the manifest or a row of the rejected."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.intake.images import ImageRejected, Reason, decode, open_file
from workflow_scripts.intake.labels import label_images
from workflow_scripts.intake.listing import Entry
from workflow_scripts.intake.parallel import ordered_map

COLUMNS = ("image_id", "path", "label", "width", "height", "mode", "bytes", "pages")
REJECTED_COLUMNS = ("path", "reason", "detail")
# Companions of pictures that are not worth opening; whatever else is no picture shows by how it begins.
OTHER_FILES = {
    *(".csv", ".db", ".h5", ".hdf5", ".ini", ".json", ".log", ".mat", ".npy", ".npz", ".pkl", ".toml", ".tsv", ".xml"),
    *(".yaml", ".yml", ".doc", ".docx", ".htm", ".html", ".md", ".pdf", ".rst", ".txt", ".xls", ".xlsx"),
    *(".ipynb", ".m", ".py", ".avi", ".mp4", ".gz", ".tar", ".zip"),
}


@dataclass(frozen=True)
class Intake:
    """What came in, sorted by path: `manifest` (`COLUMNS`) and `rejected` (`REJECTED_COLUMNS`).

    `width` and `height` are of the upright picture. `notes` are sentences for the log: where the labels come from and why,
    which files have several pages, what was rejected.
    """

    manifest: pd.DataFrame
    rejected: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Facts:
    sha256: str
    width: int
    height: int
    mode: str
    bytes: int
    pages: int


def take_in(
    root: str | Path,
    entries: Sequence[Entry],
    labels: Mapping[str, Any],
    duplicates: Literal["drop", "keep"] = "drop",
    min_size: int = 1,
    max_pixels: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Intake:
    """Hash and decode every file once, label the pictures, and set duplicates aside.

    Parameters
    ----------
    root, entries : the data folder and its files (`listing.scan`)
    labels : the rule and its parameters, the keywords of `labels.label_images`
    duplicates :
        Of files with the same bytes the first by path stays with `drop`, whatever the labels, and the others are
        rejected; with `keep` all stay, and the second and later ones' ids end in -2, -3, ...
    min_size, max_pixels : shortest side allowed and largest width x height, in pixels
    workers : processes; the result does not depend on them
    progress : called with (done, total) after every file

    Raises `UserError` if no picture is left.
    """
    results = _inspect_all(root, entries, min_size, max_pixels, workers, progress)
    facts = {path: result for path, result in results.items() if isinstance(result, _Facts)}
    rejected = [(path, *result) for path, result in results.items() if not isinstance(result, _Facts)]
    if not facts:
        raise UserError(_nothing_left(root, rejected))
    labelling = label_images({path: fact.sha256[:16] for path, fact in facts.items()}, root, **labels)
    copies = _copies(facts)
    if duplicates == "drop":
        rejected += [_duplicate(path, first, labelling.labels) for path, (first, number) in copies.items() if number > 1]
        copies = {path: copy for path, copy in copies.items() if copy[1] == 1}
    rows = [_row(path, facts[path], labelling.labels[path], number) for path, (_, number) in copies.items()]
    return Intake(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        pd.DataFrame(sorted(rejected), columns=list(REJECTED_COLUMNS), dtype=str),
        (f"labels: {labelling.rule} ({labelling.why})", *_notes(facts, copies, rejected)),
    )


def _inspect_all(
    root: str | Path,
    entries: Sequence[Entry],
    min_size: int,
    max_pixels: int | None,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> dict[str, "_Facts | tuple[str, str]"]:
    inspect = partial(_inspect, str(root), min_size=min_size, max_pixels=max_pixels)
    paths = sorted(entry.path for entry in entries)
    results = {}
    for path, result in zip(paths, ordered_map(inspect, paths, workers, batch=16), strict=True):
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


def _row(path: str, fact: _Facts, label: str, number: int) -> tuple[Any, ...]:
    image_id = fact.sha256[:16] + (f"-{number}" if number > 1 else "")
    return image_id, path, label, fact.width, fact.height, fact.mode, fact.bytes, fact.pages


def _duplicate(path: str, first: str, labels: Mapping[str, str]) -> tuple[str, str, str]:
    if labels[path] == labels[first]:
        return path, str(Reason.DUPLICATE), f"same bytes as {first}"
    detail = f"same bytes as {first}, which stays; labels {labels[first]!r} there, {labels[path]!r} here"
    return path, str(Reason.CONFLICT), detail


def _notes(
    facts: Mapping[str, _Facts], kept: Mapping[str, tuple[str, int]], rejected: Sequence[tuple[str, str, str]]
) -> Iterator[str]:
    if several := [path for path in kept if facts[path].pages > 1]:
        yield f"{len(several)} files with several pages or frames, of which the first is used: {_some(several)}"
    if copies := [path for path, (_, number) in kept.items() if number > 1]:
        yield f"{len(copies)} duplicates kept: {_some(copies)}"
    if rejected:
        yield f"{len(rejected)} files rejected: {_counts(rejected)}"


def _some(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (", ..." if len(paths) > 3 else "")


def _counts(rejected: Sequence[tuple[str, str, str]]) -> str:
    counts = Counter(reason for _, reason, _ in rejected)
    return ", ".join(f"{counts[reason]} {reason}" for reason in sorted(counts))


def _nothing_left(root: str | Path, rejected: Sequence[tuple[str, str, str]]) -> str:
    if not rejected:
        return f"data: found no file in {root}, allowed: a folder of pictures"
    path, reason, detail = rejected[0]
    return (
        f"data: no picture in {root}: {_counts(rejected)}; the first is {path!r}, {reason}: {detail}; "
        "allowed: PNG, JPEG, BMP, TIFF, GIF, WebP, PBM/PGM/PPM"
    )
