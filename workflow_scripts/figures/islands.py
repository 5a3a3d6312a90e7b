"""Show one image of each island of one class on the map, with its histogram (Cohn & Holm 2020, figure 8)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.cluster import HDBSCAN

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.figures.embedding import name_axes, places, scatter
from workflow_scripts.figures.preprocessing import draw_histogram, histogram_of
from workflow_scripts.figures.samples import show
from workflow_scripts.figures.style import NOBODY, ONE_COLUMN, canvas, looks, note, placeholder, shortened, theme
from workflow_scripts.figures.view import on_page
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import classes
from workflow_scripts.io.store import reading

SMALLEST = 5
"""Smallest number of images of an island; larger classes have islands of at least a twentieth of their images."""
LARGEST = 45
"""Largest width of an image in millimetres."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the islands of a class on the map, and the histogram of the image in the middle of each.

    Returns
    -------
    DataFrame with rows of two kinds, by `part`. An `image` row of each image of the data set has `image_id, label`
    (None if unknown), `row` (in the stores), `x, y` (and `z`), `map` (name of the axes), `class` (whose islands they
    are) and `island` (from 1, the largest first; null for other classes and between the islands). The `bin` rows of an
    island have `island`, `image_id, row` of the image nearest to its median, `low, high, share, mean, sd` as in
    `preprocessing`, and `preprocess`. Empty without labels.

    Raises
    ------
    UserError
        If the settings name a class that does not exist.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    names = classes(manifest)
    if not names:
        return pd.DataFrame(columns=["part"])
    if figure["label"] not in (None, *names):
        raise UserError(f"config: figures: islands: label: {found_allowed(figure['label'], names)}")
    points = np.column_stack(cell.coordinates())
    found = {name: islands(points, (manifest["label"] == name).to_numpy()) for name in names}
    name = figure["label"] or max(names, key=lambda name: found[name].max())
    island = pd.Series(found[name]).where(found[name] > 0).astype("Int64")
    table = manifest[["image_id", "label", "row"]].assign(**places(cell), island=island, part="image")
    bins = []
    with reading(inputs["preprocessed"][0]) as file:
        for number in range(1, min(found[name].max(), figure["n_islands"]) + 1):
            members = np.flatnonzero(found[name] == number)
            middle = members[np.linalg.norm(points[members] - np.median(points[members], axis=0), axis=1).argmin()]
            of_image = table.loc[middle, ["image_id", "row", "island"]]
            bins.append(histogram_of(file["images"][table["row"][middle]]).assign(part="bin", **of_image))
    return pd.concat([table, *bins], ignore_index=True).assign(preprocess=cell["preprocess"], **{"class": name})


def islands(points: np.ndarray, of_class: np.ndarray) -> np.ndarray:
    """Return the island of each image, (N,) int: from 1, the largest first; 0 for other classes and between islands.

    `points` (N, 2 or 3), `of_class` (N,) bool. Islands are the clusters of HDBSCAN among the images of the class; a
    class of few images, or with a single cluster, is one island with all its images.
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
    """Draw the map with the islands in colours, and beside it (below it in a narrow figure) the images."""
    with theme(style):
        if table.empty:
            return placeholder(figure, "No labels: islands are those of a class.")
        images, bins = on_page(table[table["part"] == "image"]), table[table["part"] == "bin"]
        of_islands = bins.groupby("island")
        numbers = [str(number) for number in of_islands.groups]
        by_number = looks(numbers, style)
        wide = figure["width"] >= ONE_COLUMN
        side = min(LARGEST, (0.6 if wide else 1) * figure["width"] / len(numbers))
        map_height = (0.4 if wide else 1) * figure["width"]
        height = max(map_height, side + 34) if wide else map_height + side + 34
        made = canvas(figure, height + 10)
        ratios = {"width_ratios": [2, 3]} if wide else {"height_ratios": [map_height, side + 34]}
        left, right = np.ravel(made.subfigures(*((1, 2) if wide else (2, 1)), **ratios))
        shown = images["island"].le(len(numbers)).fillna(False)
        name = shortened(table["class"].iloc[0], 30)
        ax = left.subplots()
        if not shown.all():
            scatter(ax, images[~shown], images["image_id"], dict.fromkeys(images["image_id"], NOBODY), "")
        scatter(ax, images[shown], images["island"].astype("string"), by_number, f"Islands of {name}")
        name_axes([ax], images)
        axes = right.subplots(2, len(numbers), squeeze=False, height_ratios=[2, 1])
        with reading(inputs["preprocessed"][0]) as file:
            for (above, below), number, (_, of_island) in zip(axes.T, numbers, of_islands, strict=True):
                show(above, file["images"][int(of_island["row"].iloc[0])], by_number[number].colour)
                n = (images["island"] == int(number)).sum()
                above.set_title(f"island {number}\nn = {n}", loc="center")
                draw_histogram(below, of_island, bottom=True)
                below.set_ylim(0, 105 * bins["share"].max())
                below.tick_params(labelleft=number == numbers[0])
        axes[1, 0].set_ylabel("Pixels (%)")
        note(made, _explanation(images, len(numbers), table["preprocess"].iloc[0]), style)
    return made


def _explanation(images: pd.DataFrame, n_shown: int, preprocess: str) -> str:
    n_islands = images["island"].max()
    some = f"the {n_shown} largest of {n_islands} islands" if n_shown < n_islands else "all islands"
    what = f"Images in the middle of {some}; other images are pale"
    return f"{what}. Dashed line: mean intensity. Preprocessing: {preprocess}."
