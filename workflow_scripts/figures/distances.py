"""Plot the distances between images, sorted by class, before and after reduction, and how well they fit the classes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from scipy.spatial.distance import pdist, squareform

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import class_looks
from workflow_scripts.figures.matrix import LEGIBLE
from workflow_scripts.figures.texts import POINTS_PER_MM, short_names, text_width, wrapped
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.grid.axes import axes_of
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.points import read_points
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.distances import balanced_sample, discrete_correlations
from workflow_scripts.metrics.similarity import small_grey, structural_distances
from workflow_scripts.wording import decimal

FEATURES = "features"
PIXELS, STRUCTURE = "pixels", "CW-SSIM"
"""Names of the distances between the images themselves."""
DISCRETE = "discrete"
"""Name of the distance that is 0 within a class and 1 between classes."""
ACROSS = 3
"""Largest number of matrices in a row of panels."""
NAMES = 10
"""Room for the names of the classes beside the first matrix, in millimetres."""
NO_CLASSES = (
    "No labels of two classes, or no two images of a class: this figure compares distances within classes with those "
    "between them; n_images must be twice the number of classes or more."
)
STRIPE = 0.025
"""Width of the stripe of class colours along a heatmap, as a share of its side."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the distances between the images of a class-balanced sample.

    They are computed from the features, from each reduction and, if the settings ask for it, from the images
    themselves. Distances of features, reductions and pixels are Euclidean. For their distances, images are first
    reduced to `similarity.SIDE` pixels on a side.

    Returns
    -------
    DataFrame with rows of two kinds, which the column `part` tells apart. A `matrix` row has

    - `series`: name of the features.
    - `points`: what is compared: "features", the name of the reduction, `PIXELS` or `STRUCTURE`.
    - `n_dimensions`: null for `STRUCTURE`.
    - `n`: number of images.
    - `correlation`, `low`, `high`: correlation of the distances with the discrete distance (0 within a class, 1 between
      classes), and its confidence interval.
    - `gain`, `gain_low`, `gain_high`: by how many percent this correlation is larger than that of the features, and its
      confidence interval.

    The `pair` rows of a matrix have the positions `i > j` in the sample, `label_i`, `label_j` and `distance`. The table
    is empty if the images have fewer than two classes, or if the sample has no two images of a class, as with more
    classes than half of `n_images`; images that the network was trained on are left out.
    """
    tables = list(_matrices(figure, cells, inputs))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["part"])


def _matrices(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> Iterator[pd.DataFrame]:
    """Yield a table with the rows of `tabulate` for each file of features. Files whose images have fewer than two
    classes are left out, and those whose sample has no two images of a class."""
    names = dict(zip(inputs["features"], cell_names(cells, axes_of("features")), strict=True))
    readers = OneCell.each(cells, inputs)
    for path, name in names.items():
        members = [cell for cell in readers if cell.files["features"] == path]
        labels = members[0].labels()
        labels[labels == ""] = None
        rows = balanced_sample(list(labels), figure["n_images"], figure["seed"])
        if not 2 <= len({*labels[rows]}) < len(rows):
            continue
        points = {FEATURES: read_points(path, None, False).values[rows]}
        for cell in members:
            if cell.files["points"] != path:
                points[cell["reducer"]] = cell.points().values[rows]
        distances = {name_of: (pdist(X), X.shape[1]) for name_of, X in points.items()}
        if figure["of_images"]:
            distances |= _of_images(members[0], rows)
        yield _distance_table(distances, labels[rows], figure).assign(series=name)


def _of_images(cell: OneCell, rows: np.ndarray) -> dict[str, tuple[np.ndarray, float]]:
    """Return the distances between the images themselves, by name: `PIXELS` and `STRUCTURE`.

    Each is a pair of the condensed distances, (n (n - 1) / 2,) float64, and the number of dimensions (NaN for
    `STRUCTURE`).
    """
    with reading(cell.files["preprocessed"]) as file:
        images = small_grey(np.stack([file["images"][row] for row in cell.manifest()["row"].to_numpy()[rows]]))
    structure = squareform(structural_distances(images), checks=False)
    return {PIXELS: (pdist(images.reshape(len(images), -1)), images[0].size), STRUCTURE: (structure, np.nan)}


def _distance_table(
    distances: Mapping[str, tuple[np.ndarray, float]], labels: np.ndarray, figure: Mapping[str, Any]
) -> pd.DataFrame:
    correlations = discrete_correlations(
        [squareform(vector) for vector, _ in distances.values()],
        labels,
        figure["n_bootstrap"],
        figure["confidence"],
        figure["seed"],
    )
    correlations[["gain", "gain_low", "gain_high"]] *= 100
    widths = [width for _, width in distances.values()]
    matrices = correlations.assign(part="matrix", points=list(distances), n_dimensions=widths, n=len(labels))
    j, i = np.triu_indices(len(labels), 1)  # the order of pdist
    pairs = pd.DataFrame({"part": "pair", "i": i, "j": j, "label_i": labels[i], "label_j": labels[j]})
    tables = [pairs.assign(points=name, distance=vector) for name, (vector, _) in distances.items()]
    return pd.concat([matrices.assign(confidence=figure["confidence"]), *tables], ignore_index=True)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a heatmap for each matrix.

    The matrices of the same features stand side by side. The last of them shows the discrete distance: 0 within a
    class, 1 between classes.
    """
    with theme(style):
        if table.empty:
            return placeholder(figure, NO_CLASSES)
        by_class = class_looks({*table["label_i"], *table["label_j"]}, inputs["classes"], style)
        colours = {name: look.colour for name, look in by_class.items()}
        matrices = table[table["part"] == "matrix"]
        matrices = pd.concat([matrices, matrices.drop_duplicates("series").assign(points=DISCRETE)])
        across = 1 if figure["width"] < NARROW_BELOW_MM else min(ACROSS, int(matrices["series"].value_counts().max()))
        rows = _in_rows(matrices, across)
        side = min(70, (figure["width"] - 42) / across)
        size = min(small(style), side * POINTS_PER_MM / (1.1 * len(colours)))
        fit = size >= LEGIBLE
        widest = max(text_width(name, size) for name in short_names(colours).values())
        beside = max(0, widest - NAMES) if fit else 0  # room that the names take from the panels
        made = canvas(figure, len(rows) * (side + 14) + 8)
        axes = made.subplots(len(rows), across, squeeze=False)
        for row, line in zip(rows, axes, strict=True):
            for ax in line[len(row) :]:
                ax.axis("off")
            for number, (ax, matrix) in enumerate(zip(line, row.itertuples(), strict=False)):
                pairs = _pairs(table, matrix.series, matrix.points)
                image = _draw_heatmap(ax, pairs, colours, named=fit and number == 0)
                ax.tick_params(labelsize=size)
                ax.set_title(_title(matrix, side - beside / across, style["font_size"]))
        bar = made.colorbar(image, ax=axes, shrink=0.6 if len(rows) == 1 else 0.3, aspect=25)
        bar.set_label("Distance (share of the\npanel's 99th percentile)", size=small(style))
        unnamed = "" if fit else f" {len(colours)} classes in the order of their names."
        note(made, _meaning(matrices) + unnamed, style)
    return made


def _in_rows(matrices: pd.DataFrame, across: int) -> list[pd.DataFrame]:
    """Return the matrices of each row of panels.

    A row has at most `across` matrices, and all of them are of the same features.
    """
    return [
        of_series.iloc[start : start + across]
        for _, of_series in matrices.groupby("series", sort=False)
        for start in range(0, len(of_series), across)
    ]


def _meaning(matrices: pd.DataFrame) -> str:
    first = matrices.iloc[0]
    correlation = "r: Pearson's correlation with the discrete distance (0 within a class, 1 across)"
    gain = "; below: its change from that of the features" if matrices["gain"].notna().any() else ""
    interval = f"[ ]: {100 * first['confidence']:g} % bootstrap over images"
    return f"n = {first['n']:.0f} images. {correlation}{gain}; {interval}."


def _pairs(table: pd.DataFrame, series: str, points: str) -> pd.DataFrame:
    """Return the `pair` rows of the matrix of `series` and `points`.

    If `points` is `DISCRETE`, `distance` is the discrete distance: 0 for two images of one class, otherwise 1.
    """
    of = FEATURES if points == DISCRETE else points
    pairs = table[(table["part"] == "pair") & (table["series"] == series) & (table["points"] == of)]
    across = (pairs["label_i"] != pairs["label_j"]).astype(float)
    return pairs.assign(distance=across) if points == DISCRETE else pairs


def _title(matrix: Any, side: float, size: float) -> str:
    """Return the title of a matrix: what is compared, and the correlation with the discrete distance.

    The title of the matrix of discrete distances says what these are.
    """
    if matrix.points == DISCRETE:
        return "discrete distance:\n0 within a class,\n1 across"
    where, numbers = "", f"r = {decimal(matrix.correlation)} [{decimal(matrix.low)}, {decimal(matrix.high)}]"
    if matrix.points == FEATURES:
        where = wrapped(matrix.series, side, size) + "\n"
    else:
        gain, low, high = (decimal(value, "+.0f") for value in (matrix.gain, matrix.gain_low, matrix.gain_high))
        numbers += f"\n{gain} % [{low}, {high}]"
    dimensions = "" if np.isnan(matrix.n_dimensions) else f", d = {matrix.n_dimensions:.0f}"
    return f"{where}{matrix.points}{dimensions}\n{numbers}"


def _draw_heatmap(ax: Axes, pairs: pd.DataFrame, colours: Mapping[str, str], named: bool) -> AxesImage:
    """Draw a symmetric matrix with lines between the classes.

    Stripes at the left and at the top have the colours of the classes.
    """
    n = int(pairs["i"].max()) + 1
    matrix = np.zeros((n, n))
    i, j = pairs["i"].astype(int), pairs["j"].astype(int)
    matrix[i, j] = matrix[j, i] = pairs["distance"] / pairs["distance"].quantile(0.99)
    image = ax.imshow(matrix, cmap="magma", vmin=0, vmax=1, interpolation="nearest", rasterized=True)
    first = pairs[pairs["j"] == 0]
    labels = [first["label_j"].iloc[0], *first.sort_values("i")["label_i"]]
    names, starts = np.unique(labels, return_index=True)
    bounds = [*starts, n]
    width = STRIPE * n
    for name, start, stop in zip(names, bounds, bounds[1:], strict=False):
        for place, size in (
            ((-0.5 - width, start - 0.5), (width, stop - start)),
            ((start - 0.5, -0.5 - width), (stop - start, width)),
        ):
            ax.add_patch(Rectangle(place, *size, color=colours[name], linewidth=0))
        if start:
            ax.axhline(start - 0.5, color="white", linewidth=0.5)
            ax.axvline(start - 0.5, color="white", linewidth=0.5)
    ax.set(xlim=(-0.5 - width, n - 0.5), ylim=(n - 0.5, -0.5 - width), xticks=[])
    middles = [(a + b) / 2 - 0.5 for a, b in pairwise(bounds)]
    ax.set_yticks(middles if named else [], list(short_names(names).values()) if named else [])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image
