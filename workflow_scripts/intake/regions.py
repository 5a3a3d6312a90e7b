"""Cut files into regions (tiles, boxes or pages), which become the images of a study."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.intake.boxes import Box, Boxes
from workflow_scripts.intake.inspection import COLUMNS as IMAGE_COLUMNS
from workflow_scripts.intake.inspection import SET_ASIDE_COLUMNS, set_aside_row
from workflow_scripts.intake.label_table import read_set_aside
from workflow_scripts.intake.scale_bars.stripe import GreyLevels, image_rows
from workflow_scripts.io.memory import LARGEST_IMAGE
from workflow_scripts.io.parallel import ordered_map
from workflow_scripts.io.rejections import ImageRejected, Reason
from workflow_scripts.io.tiff_rows import open_image, page_headers
from workflow_scripts.wording import count

COLUMNS = (*IMAGE_COLUMNS, "parent", "page", "x", "y", "box_label")
"""The columns of a table of regions: those of an image, whose `path` ends with `#` and the region, and where the region
is. That is the file, the page (from 1), the left and upper edge in pixels, and the label of a box."""
SHORTEST = "shortest"
"""The `size` of tiles that stands for the shorter side of each image."""
MOST_UNEVEN = 1.5
"""The largest ratio between the sides in pixels of tiles of one physical size for which nothing is logged."""
_Row = tuple[Any, ...]
"""A row of `COLUMNS` or of `inspection.SET_ASIDE_COLUMNS`."""
_Unfit = tuple[str, ImageRejected]
"""The end of the path of a region, and the reason why the region is left out."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle, in pixels, on a page of a file; pages are numbered from 1.

    `whole` says whether it is the whole page. `mode` is the pixel format of the page, or empty if the page has the
    format that is stated for the file.
    """

    page: int
    x: int
    y: int
    width: int
    height: int
    label: str = ""
    whole: bool = False
    mode: str = ""


@dataclass(frozen=True)
class Regions:
    """The result of cutting files into regions.

    Attributes
    ----------
    table : the regions, with `COLUMNS`.
    set_aside : the files and regions that were left out, with `inspection.SET_ASIDE_COLUMNS`.
    notes : sentences for the log.
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Tiling:
    """The size and the distance of square tiles.

    `size` is the side of a tile, and `stride` the distance from the start of one tile to the start of the next. Both
    are in micrometres if `um` is true, otherwise in pixels. If `size` is `SHORTEST`, the side is the shorter side of
    each image without its data stripes. If `stride` is None, it equals the side.
    """

    size: float | str
    stride: float | None
    um: bool = False

    def pixels(self, width: int, height: int, nm_per_pixel: float | None) -> tuple[int, int]:
        """Return the size and the stride of the tiles, in pixels, for an image of `width` x `height` pixels.

        The height is that without data stripes. Raises `ImageRejected` if the tiles are in micrometres and
        `nm_per_pixel`, the size of a pixel, is not known.
        """
        if self.size == SHORTEST:
            return min(width, height), round(self.stride or min(width, height))
        if self.um and not nm_per_pixel:
            raise ImageRejected(Reason.NO_SCALE, "the size of a pixel is not known (scale_bars.csv)")
        pixels = 1e3 / nm_per_pixel if self.um and nm_per_pixel else 1.0
        return round(float(self.size) * pixels), max(1, round((self.stride or float(self.size)) * pixels))


def origins(length: int, size: int, stride: int) -> list[int]:
    """Return where tiles begin along a side of an image, in pixels from 0, in ascending order.

    The side has `length` pixels, and a tile `size` pixels. A tile begins at every multiple of `stride`. Only the last
    tile may begin elsewhere, because it ends where the side ends.
    """
    last = length - size
    return [*range(0, last, stride), last]


def tiles(width: int, rows: slice, size: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield the left and upper edge, in pixels, of each tile in the `rows` of an image, from top to bottom.

    `width` is the width of the image, `size` the side of a tile, and `stride` the distance from the start of one tile
    to the start of the next. Raises `ImageRejected` if the rows or the width are smaller than a tile.
    """
    if min(width, rows.stop - rows.start) < size:
        area = f"{width} x {rows.stop - rows.start} pixels without data stripes"
        raise ImageRejected(Reason.TOO_SMALL, f"{area}, a tile has {size} x {size}")
    for y in origins(rows.stop - rows.start, size, stride):
        yield from ((x, rows.start + y) for x in origins(width, size, stride))


def cut_boxes(
    images: pd.DataFrame,
    boxes: Boxes,
    margin: float = 0,
    min_size: int = 1,
    excluded: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Regions:
    """Cut annotated boxes from the images of an inspection, and return them as regions.

    Parameters
    ----------
    images : table of texts with the columns `inspection.COLUMNS`
    boxes : rectangles by path (`boxes.read_boxes`)
    margin : width of the margin around each box, as a share of the box's sides; it is cut off at the edge of the image
    min_size : smallest allowed side of a region, pixels
    excluded : paths of tables that set regions aside (`label_table.read_set_aside`)
    progress : called with (done, total) after each file

    Files without a box are set aside. So are boxes of which too little is on the image, boxes that are too large, and
    boxes that are annotated twice with different labels (the second one). Raises `UserError` if no region is left.
    """
    of_file = partial(_boxes_of, boxes=boxes, margin=margin, min_size=min_size)
    regions = _regions(images, map(of_file, images.to_dict("records")), False, excluded, progress)
    notes = []
    if unmatched := sorted(boxes.unmatched):
        annotated = f"that {boxes.source} annotates"
        images_are = count(len(unmatched), f"image {annotated} is", f"images {annotated} are")
        notes.append(f"{images_are} not there: {', '.join(unmatched[:3])}")
    return replace(regions, notes=(f"{regions.notes[0]} ({boxes.source})", *notes, *regions.notes[1:]))


def cut_tiles(
    images: pd.DataFrame,
    folder: str | Path,
    tiling: Tiling | None,
    *,
    all_pages: bool = False,
    nm_per_pixel: Mapping[str, float] | None = None,
    min_size: int = 1,
    max_pixels: int | None = None,
    excluded: Sequence[str] = (),
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Regions:
    """Cut the images of an inspection into tiles or pages, and return them as regions.

    Parameters
    ----------
    images, min_size, excluded, progress : as for `cut_boxes`
    folder : the folder that the paths of the images are relative to
    tiling : squares on the rows between the data stripes (`stripe.image_rows`), or None for whole pages
    all_pages : whether to take every page or frame of a file, or only the first
    nm_per_pixel : size of a pixel by path, for tiles in micrometres
    max_pixels : largest allowed width times height of a page, pixels
    workers : number of processes; the result does not depend on it

    Pages that cannot be read, or from which no tile can be cut, are set aside. Raises `UserError` if no region is left.
    """
    of_file = partial(
        _tiles_of, folder=str(folder), tiling=tiling, all_pages=all_pages, scales=nm_per_pixel or {},
        min_size=min_size, max_pixels=max_pixels,
    )  # fmt: skip
    of_files = ordered_map(of_file, images.to_dict("records"), workers)
    regions = _regions(images, of_files, all_pages, excluded, progress)
    first, *others = regions.notes
    return replace(regions, notes=(first, *_uneven(regions.table, tiling), *others))


def pages_of(
    images: pd.DataFrame, folder: str | Path, all_pages: bool, max_pixels: int | None = None
) -> Iterator[Mapping[str, Any]]:
    """Yield mappings with `width`, `height` and `mode` of the pages that `cut_tiles` reads.

    A file gives one mapping, that of its first page. A TIFF file of which all pages are read also gives one for each
    page of at most `max_pixels` pixels, because its pages may differ.
    """
    for file in images.to_dict("records"):
        yield file
        if all_pages and int(file["pages"]) > 1 and file["format"] == "TIFF":
            headers = page_headers(Path(folder, file["path"]))
            yield from (page for page in headers if page["width"] * page["height"] <= (max_pixels or inf))


def _regions(
    images: pd.DataFrame,
    of_files: Iterable[Sequence[Region | _Unfit]],
    all_pages: bool,
    excluded: Sequence[str],
    progress: Callable[[int, int], None] | None,
) -> Regions:
    """Return the regions of all files, with notes on how many there are and what was left out.

    `of_files` has for each file its regions and, for each place that is left out, the reason. Raises `UserError` if no
    region is left.
    """
    rows, unfit = [], []
    for done, (file, regions) in enumerate(zip(images.to_dict("records"), of_files, strict=True), 1):
        of_pages = all_pages and int(file["pages"]) > 1
        rows += [_row(file, region, of_pages) for region in regions if isinstance(region, Region)]
        unfit += [_left_out(file, *region) for region in regions if not isinstance(region, Region)]
        if progress:
            progress(done, len(images))
    if rows:
        rows, picked = _picked(rows, excluded)
        unfit += picked
    if not rows:
        path, _, reason, detail, *_ = unfit[0]
        raise UserError(f"intake: no part of an image is left: the first is {path!r}, {reason}: {detail}")
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    set_aside = pd.DataFrame(unfit, columns=list(SET_ASIDE_COLUMNS), dtype=str)
    parts = f"{count(len(table), 'part')} of {count(table['parent'].nunique(), 'file')} are the images"
    return Regions(table, set_aside, (parts, *_reasons(set_aside)))


def _picked(rows: Sequence[_Row], excluded: Sequence[str]) -> tuple[list[_Row], list[_Row]]:
    """Return the rows of the regions that stay, and the rows of the regions that the user's tables set aside.

    The rows that stay have the columns `COLUMNS`, the others `inspection.SET_ASIDE_COLUMNS`.
    """
    image_id, path, format_ = map(COLUMNS.index, ("image_id", "path", "format"))
    decisions = read_set_aside(excluded, {row[path]: row[image_id] for row in rows}, parts=True)
    aside = {name for name, decision in decisions.items() if decision.value == "yes"}
    detail = f"listed in {' and '.join(Path(table).name for table in excluded)}"
    picked: list[_Row] = [
        set_aside_row(row[path], row[format_], str(Reason.PICKED), detail, row[image_id])
        for row in rows
        if row[path] in aside
    ]
    return [row for row in rows if row[path] not in aside], picked


def _tiles_of(
    file: Mapping[str, Any],
    folder: str,
    tiling: Tiling | None,
    all_pages: bool,
    scales: Mapping[str, float],
    min_size: int,
    max_pixels: int | None,
) -> list[Region | _Unfit]:
    regions: list[Region | _Unfit] = []
    pages = int(file["pages"]) if all_pages else 1
    if pages == 1 and tiling is None:
        return [Region(1, 0, 0, int(file["width"]), int(file["height"]), whole=True)]
    for page in range(1, pages + 1):
        try:
            regions += _of_page(file, Path(folder, file["path"]), page, tiling, scales, min_size, max_pixels)
        except ImageRejected as rejection:
            regions.append((f"#page={page}" if pages > 1 else "", rejection))
    return regions


def _of_page(
    file: Mapping[str, Any],
    path: Path,
    page: int,
    tiling: Tiling | None,
    scales: Mapping[str, float],
    min_size: int,
    max_pixels: int | None,
) -> list[Region]:
    with open_image(path, max_pixels, min_size, page - 1) as image:
        height, width = image.pixels.shape[:2]
        if tiling is None:
            return [Region(page, 0, 0, width, height, whole=True, mode=image.mode)]
        rows = image_rows(GreyLevels(image.pixels))
        size, stride = tiling.pixels(width, rows.stop - rows.start, scales.get(file["path"]))
        tile = f"a tile has {size} x {size} pixels"
        if size < min_size:
            raise ImageRejected(Reason.TOO_SMALL, f"{tile}, allowed: {min_size} on each side")
        if size**2 > LARGEST_IMAGE:
            raise ImageRejected(Reason.TOO_LARGE, f"{tile}, allowed: {LARGEST_IMAGE} in all")
    return [Region(page, x, y, size, size, mode=image.mode) for x, y in tiles(width, rows, size, stride)]


def _boxes_of(file: Mapping[str, Any], boxes: Boxes, margin: float, min_size: int) -> list[Region | _Unfit]:
    width, height = int(file["width"]), int(file["height"])
    annotated = boxes.by_path.get(file["path"])
    if annotated is None or not annotated.boxes:
        return [("", ImageRejected(Reason.NO_BOX, f"{boxes.source} has no box for it"))]
    try:
        of_image = annotated.in_pixels(width, height)
    except ValueError as error:
        return [("", ImageRejected(Reason.BOX, str(error)))]
    regions: dict[str, Region | _Unfit] = {}
    for box in of_image:
        region = _around(box, margin, width, height)
        fragment = _fragment(region, False)
        if detail := _misfit(region, min_size):
            regions[fragment] = (fragment, ImageRejected(Reason.BOX, detail))
        elif regions.setdefault(fragment, region) != region:
            detail = f"the same box has another label than {region.label!r}"
            regions[f"{fragment}&{region.label}"] = (fragment, ImageRejected(Reason.BOX, detail))
    return list(regions.values())


def _misfit(region: Region, min_size: int) -> str:
    """Return what is wrong with the size of a box, or "" if it can be cut out."""
    if min(region.width, region.height) < min_size:
        size = f"{max(0, region.width)} x {max(0, region.height)}"
        return f"{size} pixels of it are on the image, allowed: {min_size} on each side"
    if region.width * region.height > LARGEST_IMAGE:
        return f"it has {region.width} x {region.height} pixels, allowed: {LARGEST_IMAGE} in all"
    return ""


def _around(box: Box, margin: float, width: int, height: int) -> Region:
    """Return the region of a box and a margin around it; `margin` is a share of the box's sides."""
    aside, above = margin * (box.right - box.left), margin * (box.bottom - box.top)
    left, top = max(0, round(box.left - aside)), max(0, round(box.top - above))
    right, bottom = min(width, round(box.right + aside)), min(height, round(box.bottom + above))
    return Region(1, left, top, right - left, bottom - top, box.label)


def _row(file: Mapping[str, Any], region: Region, of_pages: bool) -> _Row:
    fragment = _fragment(region, of_pages)
    box = (region.page, region.x, region.y, region.width, region.height)
    of_file = dict(file) | {"width": region.width, "height": region.height, "path": file["path"] + fragment}
    of_file["mode"] = region.mode or file["mode"]
    if fragment:
        of_file["image_id"] = "-".join(map(str, (file["image_id"], *box)))
    return (
        *(of_file[name] for name in IMAGE_COLUMNS),
        *(file["path"], region.page, region.x, region.y, region.label),
    )


def _left_out(file: Mapping[str, Any], place: str, rejection: ImageRejected) -> _Row:
    return set_aside_row(file["path"] + place, file["format"], str(rejection.reason), rejection.detail)


def _fragment(region: Region, of_pages: bool) -> str:
    """Return the end of a region's path, such as `#page=2&xywh=0,0,224,224` (W3C media fragments).

    It is empty if the region is a whole file; `of_pages` says whether the pages of the file are regions.
    """
    parts = [f"page={region.page}"] if of_pages else []
    if not region.whole:
        parts.append(f"xywh={region.x},{region.y},{region.width},{region.height}")
    return "#" + "&".join(parts) if parts else ""


def _uneven(table: pd.DataFrame, tiling: Tiling | None) -> Iterator[str]:
    """Yield a sentence if tiles of one physical size differ much in pixels."""
    smallest, largest = table["width"].min(), table["width"].max()
    if tiling and tiling.um and largest > MOST_UNEVEN * smallest:
        sides, resize = f"{smallest} to {largest} pixels", f"resize to {smallest} x {smallest} or less"
        yield (
            f"tiles of {tiling.size:g} µm have sides of {sides}, so that clusters may follow the magnification: "
            f"{resize} makes all equally sharp, a subset by nm_per_pixel has one magnification, and the figure "
            "nuisances shows how strongly clusters go with it"
        )


def _reasons(set_aside: pd.DataFrame) -> Iterator[str]:
    for reason, rows in set_aside.groupby("reason"):
        yield f"{len(rows)} left out, {reason}: {rows['path'].iloc[0]}: {rows['detail'].iloc[0]}"
