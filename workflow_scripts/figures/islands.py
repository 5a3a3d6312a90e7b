"""Show one image of each island of a class, with its histogram (Cohn & Holm 2020, figure 8).

An island is a group of images of the class that lie close together on the map.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.cluster import HDBSCAN

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import INK, NOBODY, Look, looks
from workflow_scripts.figures.embedding import name_axes, places, scatter
from workflow_scripts.figures.preprocessing import draw_histogram, histogram_of
from workflow_scripts.figures.samples import show
from workflow_scripts.figures.texts import short_names, shortened
from workflow_scripts.figures.theme import theme
from workflow_scripts.figures.view import on_page
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import classes, rows_named
from workflow_scripts.io.store import reading

SMALLEST = 5
"""Smallest number of images of an island; in larger classes it is a twentieth of the images of the class."""
LARGEST = 45
"""Largest width of an image in millimetres."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the islands of a class on the map, and the histograms of the images that are shown.

    These are the images that the settings name, or else the image nearest to the median of each of the largest islands.

    Returns
    -------
    DataFrame with the column `class` (the class with the islands), and rows of two kinds, which the column `part` tells
    apart. It is empty without labels. There is an `image` row for each image of the data set:

    - `image_id`, `label`: the label is None if unknown.
    - `row`: row in the stack of preprocessed images.
    - `x`, `y` (and `z`), `map`: coordinates on the map, and name of its axes.
    - `island`: number from 1, the largest first; null for other classes and for images between the islands.

    There are several `bin` rows for each image that is shown:

    - `island`, `image_id`, `row`: as above.
    - `named`: path of the image; null if the settings name no images.
    - `low`, `high`, `share`, `mean`, `sd`: as in `preprocessing.tabulate`.
    - `preprocess`: name of the preprocessing.

    Raises
    ------
    UserError
        If the settings name a class that does not exist, or an image of another class.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    names = classes(manifest)
    if not names:
        return pd.DataFrame(columns=["part"])
    if figure["label"] not in (None, *names):
        raise UserError(f"config: figures: islands: label: {found_allowed(figure['label'], names)}")
    points = np.column_stack(cell.coordinates())
    named = rows_named(manifest, figure["images"])
    name = figure["label"] or (manifest["label"].iloc[named[0]] if named else None)
    _refuse_other_classes(manifest.iloc[named], name)
    of_class = {each: islands(points, (manifest["label"] == each).to_numpy()) for each in ([name] if name else names)}
    name = name or max(names, key=lambda each: of_class[each].max())
    numbers = of_class[name]
    island = pd.Series(numbers).where(numbers > 0).astype("Int64")
    table = manifest[["image_id", "label", "row"]].assign(**places(cell), island=island, part="image")
    bins = []
    with reading(inputs["preprocessed"][0]) as file:
        for row in named or _middles(points, numbers, figure["n_islands"]):
            facts = table.loc[row, ["image_id", "row", "island"]].to_dict()
            facts |= {"part": "bin", "named": manifest["path"][row] if named else None}
            bins.append(histogram_of(file["images"][facts["row"]]).assign(**facts))
    return pd.concat([table, *bins], ignore_index=True).assign(preprocess=cell["preprocess"], **{"class": name})


def _refuse_other_classes(named: pd.DataFrame, name: str | None) -> None:
    """Raise `UserError` if a named image is not of the class `name`, or has no label."""
    for path, label in named[["path", "label"]].itertuples(index=False):
        if label is None or label != name:
            problem = f"found {path}, which is of {label}" if label else f"{path}, which has no label"
            allowed = f"images of {name}" if name else "images of one class"
            raise UserError(f"config: figures: islands: images: {problem}, allowed: {allowed}")


def _middles(points: np.ndarray, numbers: np.ndarray, n_islands: int) -> list[int]:
    """Return the row of the image nearest to the median of each of the `n_islands` largest islands.

    `points` (N, d) are the coordinates on the map, and `numbers` (N,) int the numbers of the islands, 0 for images in
    none.
    """
    middles = []
    for number in range(1, min(numbers.max(), n_islands) + 1):
        members = np.flatnonzero(numbers == number)
        distances = np.linalg.norm(points[members] - np.median(points[members], axis=0), axis=1)
        middles.append(int(members[distances.argmin()]))
    return middles


def islands(points: np.ndarray, of_class: np.ndarray) -> np.ndarray:
    """Return the island of each image, (N,) int: 1 for the largest; 0 for other classes and for images between islands.

    `points` (N, 2 or 3) are the coordinates on the map, and `of_class` (N,) bool marks the images of the class. HDBSCAN
    clusters the images of the class; the clusters are the islands. If there are few images, or only one cluster, all
    images of the class are one island.
    """
    members = np.flatnonzero(of_class)
    result = np.zeros(len(points), int)
    result[members] = 1
    smallest = max(SMALLEST, len(members) // 20)
    if len(members) < 2 * smallest:
        return result
    labels = HDBSCAN(min_cluster_size=smallest, allow_single_cluster=True, copy=True).fit_predict(points[members])
    numbers, sizes = np.unique(labels[labels >= 0], return_counts=True)
    if len(numbers) == 1:  # HDBSCAN keeps only the densest part of a single cluster
        return result
    result[members] = 0
    for rank, number in enumerate(numbers[np.argsort(-sizes, kind="stable")], 1):
        result[members[labels == number]] = rank
    return result


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the map with coloured islands, and beside it the images with their histograms.

    In a narrow figure the images are below the map.
    """
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: islands are those of a class.")
        images, bins = on_page(table[table["part"] == "image"]), table[table["part"] == "bin"]
        of_images = [rows for _, rows in bins.groupby("image_id", sort=False)]
        numbers = sorted(bins["island"].dropna().unique())
        by_number = looks([str(number) for number in numbers], style)
        wide = figure["width"] >= NARROW_BELOW_MM
        side = min(LARGEST, (0.6 if wide else 1) * figure["width"] / len(of_images))
        map_height = (0.4 if wide else 1) * figure["width"]
        height = max(map_height, side + 34) if wide else map_height + side + 34
        made = canvas(figure, height + 10)
        ratios = {"width_ratios": [2, 3]} if wide else {"height_ratios": [map_height, side + 34]}
        left, right = np.ravel(made.subfigures(*((1, 2) if wide else (2, 1)), **ratios))
        ax = left.subplots()
        _draw_map(ax, images, by_number, f"Islands of {shortened(table['class'].iloc[0], 30)}")
        ringed = images[images["image_id"].isin(bins["image_id"])]
        ax.scatter(ringed["x"], ringed["y"], s=30, facecolors="none", edgecolors=INK, linewidths=0.8)
        axes = right.subplots(2, len(of_images), squeeze=False, height_ratios=[2, 1])
        files = short_names(bins["named"].dropna(), 24 if len(of_images) < 5 else 14)
        with reading(inputs["preprocessed"][0]) as file:
            for (above, below), of_image in zip(axes.T, of_images, strict=True):
                image = of_image.iloc[0]
                look = NOBODY if pd.isna(image["island"]) else by_number[str(image["island"])]
                show(above, file["images"][int(image["row"])], look.colour)
                file_name = [files[image["named"]]] if image["named"] in files else []
                above.set_title("\n".join([*file_name, *_island(image["island"], images)]), loc="center")
                draw_histogram(below, of_image, bottom=True)
                below.set_ylim(0, 105 * bins["share"].max())
                below.tick_params(labelleft=bool(below is axes[1, 0]))
        axes[1, 0].set_ylabel("Pixels (%)")
        note(made, _explanation(images, len(numbers), bool(files), table["preprocess"].iloc[0]), style)
    return made


def _draw_map(ax: Axes, images: pd.DataFrame, looks_of: Mapping[str, Look], title: str) -> None:
    """Draw the images of the islands that `looks_of` has by number, before all others, which are pale."""
    islands = images["island"].astype("string")
    shown = islands.isin(list(looks_of))
    if not shown.all():
        scatter(ax, images[~shown], images["image_id"], dict.fromkeys(images["image_id"], NOBODY), "")
    scatter(ax, images[shown], islands, looks_of, title)
    name_axes([ax], images)


def _island(number: Any, images: pd.DataFrame) -> list[str]:
    """Return the lines of text above an image: the number and size of its island, or that it lies between islands."""
    return ["between islands"] if pd.isna(number) else [f"island {number}", f"n = {(images['island'] == number).sum()}"]


def _explanation(images: pd.DataFrame, n_shown: int, named: bool, preprocess: str) -> str:
    n_islands = images["island"].max()
    some = f"the {n_shown} largest of {n_islands} islands" if n_shown < n_islands else "all islands"
    which = "named in the configuration" if named else f"in the middle of {some}"
    what = f"Images {which}, ringed on the map; other islands and classes are pale"
    return f"{what}. Dashed line: mean intensity; number: mean ± sd. Preprocessing: {preprocess}."
