"""The table of the scales of all images of a data set."""

from collections.abc import Callable
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import pandas as pd

from workflow_scripts.intake.facts import Memory
from workflow_scripts.intake.listing import Entry
from workflow_scripts.intake.scale_bars.metadata import texts_beside
from workflow_scripts.intake.scale_bars.read import Reading, read_scale
from workflow_scripts.io.parallel import ordered_map

COLUMNS = ("image_id", "path", *(field.name for field in fields(Reading)))


def read_scales(
    images: pd.DataFrame,
    folder: str | Path,
    *,
    max_pixels: int | None = None,
    workers: int = 1,
    memory: Memory[Reading] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Read the scale of each image; return a table with `COLUMNS` and the rows of `images`.

    Parameters
    ----------
    images : table with the columns `image_id` and `path`, relative to `folder`.
    max_pixels : largest allowed width times height of an image, pixels.
    workers : number of processes; the result does not depend on it.
    memory : readings of earlier runs; unchanged files are not read again.
    progress : called with (done, total) after each image that was read.
    """
    memory = memory or Memory({})
    entries = files_of(images, folder)
    unknown = [entry for entry in entries if entry not in memory.known]
    readings = dict(memory.known)
    read = partial(_read, folder=Path(folder), max_pixels=max_pixels)
    for done, (entry, reading) in enumerate(zip(unknown, ordered_map(read, unknown, workers, batch=4), strict=True), 1):
        readings[entry] = reading
        memory.add(entry, reading)
        if progress:
            progress(done, len(unknown))
    rows = pd.DataFrame([asdict(readings[entry]) for entry in entries])
    return pd.concat([images[["image_id", "path"]].reset_index(drop=True), rows], axis=1)[list(COLUMNS)]


def files_of(images: pd.DataFrame, folder: str | Path) -> list[Entry]:
    """Return an entry for each image, whose size and time include those of the text file beside it, if there is one."""
    return [_entry(Path(folder), path) for path in images["path"]]


def notes(table: pd.DataFrame) -> list[str]:
    """Return sentences for the log: the number of images with a scale, and why the others have none."""
    known, sized = table["scale_um"].notna(), table["nm_per_pixel"].notna() & table["scale_um"].isna()
    without = ~(known | sized)
    sources = table.loc[known, "source"].value_counts()
    lines = [f"{known.sum()} of {len(table)} images with a scale ({_counted(sources)})"]
    if sized.any():
        reasons = table.loc[sized, "reason"].value_counts()
        lines.append(f"{sized.sum()} with the size of a pixel only ({_counted(reasons)})")
    return [*lines, f"{without.sum()} without ({_counted(table.loc[without, 'reason'].value_counts())})"]


def _read(entry: Entry, folder: Path, max_pixels: int | None) -> Reading:
    return read_scale(folder / entry.path, max_pixels)


def _entry(folder: Path, path: str) -> Entry:
    files = [folder / path, *texts_beside(folder / path)]
    status = [file.stat() for file in files if file.is_file()]
    return Entry(path, sum(stat.st_size for stat in status), max(stat.st_mtime_ns for stat in status))


def _counted(counts: pd.Series) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
