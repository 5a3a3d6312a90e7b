"""The scales of all pictures of a data set, as a table."""

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
    """`read_scale` of each picture, a row each (`COLUMNS`), in the order of `images` (`image_id`, `path` in `folder`).

    By `workers` processes, on which the result does not depend. What `memory` knows of unchanged files is not read
    again; `progress` is called with (done, total) after each picture that was.
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
    """What a reading comes from: each picture together with the text beside it, if there is one."""
    return [_entry(Path(folder), path) for path in images["path"]]


def notes(table: pd.DataFrame) -> list[str]:
    """Return sentences for the log: how many scales there are, as the figure counts, and why there are no others."""
    known, sized = table["scale_um"].notna(), table["nm_per_pixel"].notna() & table["scale_um"].isna()
    without = ~(known | sized)
    sources = table.loc[known, "source"].value_counts()
    lines = [f"{known.sum()} of {len(table)} pictures with a scale ({_counted(sources)})"]
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
