"""Write the page on which a user checks the scale and the scale bar of each micrograph, and exports corrections."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.intake.decisions import BEFORE, DECIDED, DECISION, REMOVED, Decision
from workflow_scripts.intake.scale_bars.stripe import GreyLevels, find_stripes
from workflow_scripts.intake.scale_bars.table import BY_HAND
from workflow_scripts.io.parallel import ordered_map
from workflow_scripts.io.pixels import Rows, Window, reduced
from workflow_scripts.io.rejections import ImageRejected
from workflow_scripts.io.tiff_rows import open_image
from workflow_scripts.pages.parts.thumbnails import forget_others, inside, jpeg, write_beside
from workflow_scripts.pages.parts.writing import DECIDING, write_page

MOST_INSIDE = 1000
"""Largest number of images that are stored in the page itself, about 30 MB."""
LARGE = 900
"""Largest side in pixels of the part of an image around its bar."""
SMALL = 240
"""Largest side in pixels of the whole image."""
AROUND = 0.75
"""Width of the surroundings that are shown on each side of a bar, as a share of the bar's length."""
NARROWEST = 240
"""Smallest width in pixels of a bar and its surroundings together."""
ABOVE = 0.1
"""Height of the surroundings that are shown above and below a bar, as a share of the image's height."""
SHOWN = ("scale_um", "bar_px", "nm_per_pixel", "field_um", "confidence")


def write_scales_page(
    path: str,
    scales: pd.DataFrame,
    by_hand: Mapping[str, Decision],
    folder: str | Path,
    dataset: str,
    *,
    max_pixels: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the page for a table of scales.

    Scales that were read from the image come first, the least confident at the top, then images without a scale, and
    then scales from metadata or set by hand. If there are more than `MOST_INSIDE` images, their files are in a folder
    beside the page.

    Parameters
    ----------
    path : the HTML file.
    scales : the scales, with the columns `scale_bars.table.COLUMNS`; paths are relative to `folder`.
    by_hand : the scales that people set (`scale_bars.table.read_by_hand`), by path, also of files that are no longer
        there.
    folder : the folder of the images.
    dataset : id of the data set.
    max_pixels : largest number of pixels of an image that is opened; None for no limit.
    workers : number of processes that read images.
    progress : function that is called after each image with the number of images done and of all.
    """
    page, rows = Path(path), _in_order(scales).to_dict("records")
    make = partial(_item, folder=Path(folder), max_pixels=max_pixels)
    place = inside if len(rows) <= MOST_INSIDE else partial(write_beside, page)
    items: list[dict[str, Any]] = []
    shown: list[str] = []
    for item, images in ordered_map(make, rows, workers):
        addresses = {name: place(content) for name, content in images.items()}
        items.append(item | addresses)
        shown += addresses.values()
        if progress:
            progress(len(items), len(rows))
    ids = dict(zip(scales["path"], scales["image_id"], strict=True))
    earlier = [_earlier(name, ids.get(name, ""), decision) for name, decision in by_hand.items()]
    write_page(path, Path(__file__).parent, {"dataset": dataset, "items": items, "earlier": earlier}, DECIDING)
    forget_others(page, shown)


def _earlier(path: str, image_id: str, decision: Decision) -> dict[str, str]:
    """Return a record for the page with a person's decision on the scale of an image.

    It says whether the scale was set, or an earlier decision was taken back.
    """
    cells = dict(zip(BY_HAND, decision.cells or ("", ""), strict=True))
    kind = BEFORE if decision.cells else REMOVED
    return {"path": path, "image_id": image_id, **cells, DECISION: kind, DECIDED: decision.decided}


def _in_order(scales: pd.DataFrame) -> pd.DataFrame:
    is_read = scales["source"] == "image"
    place = np.select([is_read, scales["scale_um"].isna() & (scales["source"] != "hand")], [0, 1], 2)
    return scales.assign(place=place).sort_values(["place", "confidence"], kind="stable")


def _item(row: Mapping[str, Any], folder: Path, max_pixels: int | None) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the page's data about an image, and its JPEG files by name; no files if the image cannot be read."""
    numbers = {name: None if pd.isna(row[name]) else float(f"{row[name]:.6g}") for name in SHOWN}
    texts = {name: row[name] if isinstance(row[name], str) else "" for name in ("source", "text", "reason")}
    item = {"id": row["image_id"], "path": row["path"], **numbers, **texts, "crop": None}
    try:
        with open_image(folder / row["path"], max_pixels) as image:
            grey = GreyLevels(image.pixels)
            across, down = _place(grey, row)
            images = {"rows": _jpeg(Window(grey, down, across), LARGE), "whole": _jpeg(grey, SMALL)}
    except ImageRejected:
        return item, {}
    crop = {"x": across.start, "y": down.start, "width": across.stop - across.start, "height": down.stop - down.start}
    start = None if pd.isna(row["bar_x"]) else row["bar_x"]
    item |= {"crop": crop, "bar_x": start, "width": grey.shape[1], "height": len(grey)}
    return item, images


def _jpeg(grey: Rows, side: int) -> bytes:
    return jpeg(reduced(grey, side), side)


def _place(grey: Rows, row: Mapping[str, Any]) -> tuple[slice, slice]:
    """Return the columns and the rows of the part of an image that the page shows.

    The part lies around the scale bar. If no bar was found, it has the data stripes, where the text is. If there are no
    stripes either, it is the whole image.
    """
    height, width = grey.shape[:2]
    if not pd.isna(row["bar_x"]):
        beside = max(AROUND * row["bar_px"], (NARROWEST - row["bar_px"]) / 2)
        return (
            _within(row["bar_x"] - beside, row["bar_x"] + row["bar_px"] + beside, width),
            _within(row["bar_y"] - ABOVE * height, row["bar_y"] + ABOVE * height, height),
        )
    stripes = find_stripes(grey)
    if not stripes:
        return slice(0, width), slice(0, height)
    return slice(0, width), slice(min(stripe.top for stripe in stripes), max(stripe.bottom for stripe in stripes))


def _within(start: float, stop: float, length: int) -> slice:
    return slice(max(0, round(start)), min(length, round(stop)))
