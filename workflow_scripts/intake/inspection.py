"""Inspect files: each file of the data folder becomes an image of the data set, or is set aside with a reason."""

import hashlib
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.intake.duplicates import NEAR, Copy, Visual, look_alikes, same_bytes
from workflow_scripts.intake.facts import Facts, Memory
from workflow_scripts.intake.fingerprints import perceptual_hashes, pixel_digest
from workflow_scripts.intake.inspection_notes import file_notes, size_notes, thumbnail_notes
from workflow_scripts.intake.label_table import read_set_aside
from workflow_scripts.intake.listing import Entry
from workflow_scripts.intake.masks import find_masks
from workflow_scripts.intake.origin import origin
from workflow_scripts.intake.quality import Quality, measure, quality_notes, quality_table
from workflow_scripts.io.images import FORMATS, open_file
from workflow_scripts.io.memory import processes
from workflow_scripts.io.parallel import ordered_map
from workflow_scripts.io.pixels import is_uniform
from workflow_scripts.io.rejections import ImageRejected, Reason, count_reasons
from workflow_scripts.io.tiff_rows import open_image

COLUMNS = (
    "image_id",
    "path",
    "format",
    "width",
    "height",
    "mode",
    "bytes",
    "pages",
    "pixels_id",
    "taken",
    "instrument",
)
SET_ASIDE_COLUMNS = ("path", "format", "reason", "detail", "image_id", "pixels_id", "same_as")
FORMAT_COLUMNS = ("format", "files", "taken_in", "duplicates", "rejected")
OTHER = "other"
"""The format of a file that is not an image of a known format."""
# Extensions of files that are rejected without being opened; other files are recognised by their first bytes.
OTHER_FILES = {
    *(".csv", ".db", ".h5", ".hdf5", ".ini", ".json", ".log", ".mat", ".npy", ".npz", ".pkl", ".toml", ".tsv", ".xml"),
    *(".yaml", ".yml", ".doc", ".docx", ".htm", ".html", ".md", ".rst", ".txt", ".xls", ".xlsx"),
    *(".ipynb", ".m", ".py", ".avi", ".mp4", ".gz", ".tar", ".zip"),
}
_SAME = {Reason.DUPLICATE: "same bytes as", Reason.SAME_PIXELS: "same pixels as", Reason.NEAR: "nearly the same as"}


@dataclass(frozen=True)
class Inspection:
    """The result of the inspection of all files.

    Attributes
    ----------
    images :
        the images of the data set, with `COLUMNS`, sorted by path. `width` and `height` are those after the EXIF
        rotation; `pixels_id` is a hash of the decoded pixels. `taken` and `instrument` are those of `origin.origin`.
    set_aside :
        the other files, with `SET_ASIDE_COLUMNS`, sorted by path. For a duplicate, `same_as` is the path of the file
        that stays, and `image_id` and `pixels_id` are those of the duplicate. For all other files these three are "",
        but an image set aside by hand has its `image_id`.
    near_duplicates : pairs of images that look alike, with `duplicates.PAIR_COLUMNS`.
    formats : numbers of files of each format, with `FORMAT_COLUMNS`.
    quality : measures of each image, with `quality.COLUMNS`.
    notes : sentences for the log about files with several pages, duplicates that were kept, and odd images.
    """

    images: pd.DataFrame
    set_aside: pd.DataFrame
    near_duplicates: pd.DataFrame
    formats: pd.DataFrame
    quality: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Rejection:
    format: str
    reason: str
    detail: str
    image_id: str = ""


def inspect(
    root: str | Path,
    entries: Sequence[Entry],
    duplicates: Literal["drop", "keep"] = "drop",
    visual_duplicates: Visual = "report",
    near_distance: int = 4,
    masks: Literal["set_aside", "keep"] = "set_aside",
    min_size: int = 1,
    max_pixels: int | None = None,
    excluded: Sequence[str] = (),
    workers: int = 1,
    pages: Literal["first", "all"] = "first",
    memory: Memory[Facts] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Inspection:
    """Hash and decode each file once, and set aside files that are not images, masks, and duplicates.

    Parameters
    ----------
    root, entries : the data folder and its files (see `listing.scan`).
    duplicates :
        `drop` keeps one of several files with the same bytes and sets the others aside. The first by path is kept, but
        a link only if there is no real file. `keep` keeps all of them; the ids of the others end in -2, -3 and so on.
    visual_duplicates, near_distance : which images that look alike are set aside (see `duplicates.look_alikes`).
    masks : whether segmentation masks are set aside or kept (see `masks.find_masks`).
    min_size : shortest allowed side, pixels.
    max_pixels : largest allowed width times height, pixels.
    excluded : paths of tables of images that are set aside (see `label_table.read_set_aside`).
    workers : number of processes, fewer for large `max_pixels` (`memory.processes`); the result does not depend on it.
    pages : whether the `first` page or `all` pages of a file become images; here this only decides what is noted.
    memory : facts of earlier runs about the files, which are then not opened again (see `facts.remembering`).
    progress : called with (done, total) after each file that was opened.

    Raises `UserError` if no image is left.
    """
    inspect_one = partial(inspect_file, str(root), min_size=min_size, max_pixels=max_pixels)
    results = _inspect_all(inspect_one, sorted(entries), processes(workers, max_pixels), memory or Memory({}), progress)
    facts = {path: result for path, result in results.items() if isinstance(result, Facts)}
    rejected = {path: result for path, result in results.items() if isinstance(result, _Rejection)}
    if not facts:
        raise UserError(_nothing_left(root, rejected))
    if excluded:
        rejected |= _picked(facts, excluded)
    if masks == "set_aside":
        rejected |= _masks(_without(facts, rejected))
    facts = _without(facts, rejected)
    copies = same_bytes(root, facts)
    kept = {path: facts[path] for path, (_, number) in copies.items() if number == 1 or duplicates == "keep"}
    alike = look_alikes(kept, near_distance, visual_duplicates)
    dropped = alike.dropped | _same_as_first(facts.keys() - kept.keys(), copies, alike.dropped)
    images = _without(kept, dropped)
    quality = quality_table({path: _measured(fact) for path, fact in images.items()})
    notes = (
        *file_notes(facts, copies, dropped, pages),
        *alike.notes,
        *quality_notes(quality),
        *size_notes(images),
        *thumbnail_notes(facts, alike.pairs[alike.pairs["kind"] == NEAR]),
    )
    return Inspection(
        pd.DataFrame([_row(path, fact, copies[path][1]) for path, fact in images.items()], columns=list(COLUMNS)),
        _set_aside(facts, rejected, dropped),
        alike.pairs,
        _count_formats(facts, rejected, dropped),
        quality,
        notes,
    )


def _same_as_first(
    paths: Iterable[str], copies: Mapping[str, tuple[str, int]], dropped: Mapping[str, Copy]
) -> dict[str, Copy]:
    """Return for each of `paths`, which are duplicates, the file that is kept instead, and the reason.

    `copies` names the first file with the same bytes, which is kept. But if this file is itself in `dropped`, the file
    that is kept instead of it, and the reason, are taken from there.
    """
    firsts = {path: copies[path][0] for path in paths}
    return {path: dropped.get(first, Copy(first, Reason.DUPLICATE)) for path, first in firsts.items()}


def set_aside_row(path: str, format: str, reason: str, detail: str, image_id: str = "") -> tuple[str, ...]:
    """Return a row of `SET_ASIDE_COLUMNS` for a file or a part of a file that is set aside, but not as a duplicate.

    The last two columns, which are for duplicates, are empty.
    """
    return path, format, reason, detail, image_id, "", ""


def _set_aside(
    facts: Mapping[str, Facts], rejected: Mapping[str, _Rejection], dropped: Mapping[str, Copy]
) -> pd.DataFrame:
    """Return the table of the rejected files and of the duplicates that are dropped, sorted by path."""
    rows = [
        *(set_aside_row(path, file.format, file.reason, file.detail, file.image_id) for path, file in rejected.items()),
        *(_duplicate(path, facts[path], copy) for path, copy in dropped.items()),
    ]
    return pd.DataFrame(sorted(rows), columns=list(SET_ASIDE_COLUMNS), dtype=str)


def _without(facts: Mapping[str, Facts], paths: Container[str]) -> dict[str, Facts]:
    return {path: fact for path, fact in facts.items() if path not in paths}


def _picked(facts: Mapping[str, Facts], tables: Sequence[str]) -> dict[str, _Rejection]:
    """Return the rejection of each image that the user's `tables` set aside, by path.

    Raises `UserError` if no other image is left.
    """
    decisions = read_set_aside(tables, {path: fact.image_id for path, fact in facts.items()}, parts=False)
    paths = [path for path in facts if path in decisions and decisions[path].value == "yes"]
    names = " and ".join(Path(table).name for table in tables)
    if len(paths) == len(facts):
        raise UserError(f"config: intake.exclude_file: {names} leaves no image, allowed: a table of some of them")
    detail = f"listed in {names}"
    return {path: _Rejection(facts[path].format, str(Reason.PICKED), detail, facts[path].image_id) for path in paths}


def _masks(facts: Mapping[str, Facts]) -> dict[str, _Rejection]:
    """Return the rejection of each image that is a segmentation mask, by path."""
    masks = find_masks(facts).items()
    return {path: _Rejection(facts[path].format, str(Reason.MASK), f"mask of {image}") for path, image in masks}


def _inspect_all(
    inspect_one: Callable[[str], Facts | _Rejection],
    entries: Sequence[Entry],
    workers: int,
    memory: Memory[Facts],
    progress: Callable[[int, int], None] | None,
) -> dict[str, Facts | _Rejection]:
    """Return the facts or the rejection of each path, in the order of `entries`; files in `memory` are not opened."""
    unknown = [entry for entry in entries if entry not in memory.known]
    inspected = ordered_map(inspect_one, [entry.path for entry in unknown], workers, batch=16)
    results: dict[Entry, Facts | _Rejection] = dict(memory.known)
    for done, (entry, result) in enumerate(zip(unknown, inspected, strict=True), 1):
        results[entry] = result
        if isinstance(result, Facts):
            memory.add(entry, result)
        if progress:
            progress(done, len(unknown))
    return {_printable(entry.path): results[entry] for entry in entries}


def inspect_file(root: str, path: str, min_size: int, max_pixels: int | None) -> Facts | _Rejection:
    """Return the facts about an image file, or the reason why the file is rejected.

    `path` is relative to `root`. `min_size` is the shortest allowed side, and `max_pixels` the largest allowed width
    times height, pixels.
    """
    try:
        if (suffix := PurePosixPath(path).suffix.lower()) in OTHER_FILES:
            raise ImageRejected(Reason.NOT_AN_IMAGE, f"a {suffix} file", suffix)
        if path != _printable(path):
            raise ImageRejected(Reason.UNREADABLE, "its name is not UTF-8")
        return _facts(Path(root, path), min_size, max_pixels)
    except ImageRejected as rejection:
        return _Rejection(rejection.format or OTHER, str(rejection.reason), rejection.detail)
    except OSError as error:
        return _Rejection(OTHER, str(Reason.UNREADABLE), error.strerror or str(error))


def _facts(path: Path, min_size: int, max_pixels: int | None) -> Facts:
    with open_image(path, max_pixels, min_size) as image, open_file(path) as stream:
        if is_uniform(image.pixels):
            raise ImageRejected(Reason.UNIFORM, "one value in every pixel", image.format)
        look, fine_look = perceptual_hashes(image.pixels)
        return Facts(
            sha256=hashlib.file_digest(stream, "sha256").hexdigest(),
            format=image.format,
            width=image.pixels.shape[1],
            height=image.pixels.shape[0],
            mode=image.mode,
            bytes=stream.tell(),
            pages=image.pages,
            pixels=pixel_digest(image.pixels),
            look=look,
            fine_look=fine_look,
            **asdict(measure(image.pixels)),
            **asdict(origin(path)),
        )


def _measured(fact: Facts) -> tuple[int, int, Quality]:
    return fact.width, fact.height, Quality(*(getattr(fact, field.name) for field in fields(Quality)))


def _printable(path: str) -> str:
    """Return the path with bytes that are not UTF-8 replaced by texts such as `\\udcff`, which tables can hold."""
    return path.encode("utf-8", "backslashreplace").decode()


def _row(path: str, fact: Facts, number: int) -> tuple[str | int, ...]:
    image_id = fact.image_id + (f"-{number}" if number > 1 else "")
    of_file = fact.format, fact.width, fact.height, fact.mode, fact.bytes, fact.pages, fact.pixels
    return image_id, path, *of_file, fact.taken, fact.instrument


def _duplicate(path: str, fact: Facts, copy: Copy) -> tuple[str, ...]:
    detail = f"{_SAME[copy.reason]} {copy.first}"
    return path, fact.format, str(copy.reason), detail, fact.image_id, fact.pixels, copy.first


def _count_formats(
    facts: Mapping[str, Facts], rejected: Mapping[str, _Rejection], dropped: Mapping[str, Copy]
) -> pd.DataFrame:
    """Return a table that counts the files of each format, with `FORMAT_COLUMNS`; the most frequent format is first."""
    duplicates = Counter(facts[path].format for path in dropped)
    unfit = Counter(rejection.format for rejection in rejected.values())
    files = Counter(fact.format for fact in facts.values()) + unfit
    rows = [
        (name, number, number - duplicates[name] - unfit[name], duplicates[name], unfit[name])
        for name, number in sorted(files.items(), key=lambda item: (-item[1], item[0]))
    ]
    return pd.DataFrame(rows, columns=list(FORMAT_COLUMNS))


def _nothing_left(root: str | Path, rejected: Mapping[str, _Rejection]) -> str:
    if not rejected:
        return f"data: found no file in {root}, allowed: a folder of images"
    path, first = min(rejected.items())
    return (
        f"data: no image in {root}: {count_reasons(rejection.reason for rejection in rejected.values())}; "
        f"the first is {path!r}, {first.reason}: {first.detail}; allowed: {', '.join(FORMATS)}"
    )
