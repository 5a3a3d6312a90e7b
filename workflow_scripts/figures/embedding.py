"""Plot a map of the images in two or three dimensions, coloured by label and by cluster."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas
from workflow_scripts.figures.colours import NOBODY, UNLABELLED, Look, class_looks, looks, shade
from workflow_scripts.figures.legends import LINE_MM, MOST_ENTRIES, dot, legend_below, legend_beside, legend_lines
from workflow_scripts.figures.names import BY, MAP_NAMES
from workflow_scripts.figures.samples import show
from workflow_scripts.figures.texts import short_names, text_width
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.figures.view import draw_box, on_page
from workflow_scripts.io.best_k import chosen_by
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import rows_named
from workflow_scripts.io.store import reading
from workflow_scripts.metrics import majority_names
from workflow_scripts.metrics.members import cluster_names
from workflow_scripts.metrics.votes import apart

RASTERISED = 3000
"""Number of points above which the SVG holds them as pixels, not as shapes."""
INSET = 0.22
"""Side of an inset as a share of the shorter side of the panel."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the coordinates, label and cluster of every image, in the clustering with the lowest inertia at the chosen
    k.

    Returns
    -------
    DataFrame with one row per image, in the order of the manifest:

    - `image_id`, `label`: the label is None if unknown.
    - `row`: row in the stack of preprocessed images.
    - `x`, `y`: coordinates on the map; also `z` if the map has three dimensions.
    - `map`: name of the map's axes.
    - `k`: null if the clusterer finds k itself.
    - `chosen_by`: metric that chose k; null if the settings give k.
    - `cluster`: number of the cluster; negative for noise.
    - `name`: name of the cluster, such as `Sc` or `Sc-2`; if no image has a label, its number as text.
    - `predicted`: the class that the cluster votes for, or None.
    - `rank`: 1 for the largest cluster of its class.
    - `typical`: whether the image is drawn as an inset.
    - `inset`: title of the inset: the path of an image that the settings name (`images`), or else the name of the
      cluster; null for images without an inset.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    best = cell.clustering(figure)
    table = manifest[["image_id", "label", "row"]].assign(**places(cell))
    table = table.assign(k=best.k, cluster=best.labels)
    table["chosen_by"] = chosen_by(figure)
    table = table.join(named(best.labels, manifest["label"]), on="cluster")
    table = table.astype({"rank": int})
    chosen: list[int] = []
    if figure["insets"]:
        points = cell.points().values
        chosen = typical(points, table["name"].to_numpy(), figure["insets"])
    table["inset"] = table["name"].where(table.index.isin(chosen), None)
    wanted = rows_named(manifest, figure["images"])
    table.loc[wanted, "inset"] = manifest["path"].iloc[wanted]
    return table.assign(typical=table["inset"].notna())


def places(cell: OneCell) -> dict[str, Any]:
    """Return columns about a cell's map: the coordinates `x` and `y` (also `z` in 3D), and `map`.

    `map` is the name of the map's axes, such as `t-SNE`.
    """
    return dict(zip(("x", "y", "z"), cell.coordinates(), strict=False)) | {"map": MAP_NAMES[cell.map_method()]}


def typical(points: np.ndarray, names: np.ndarray, chosen: Sequence[str]) -> list[int]:
    """Return the row of the image nearest to the mean of each cluster that is in `chosen` and exists.

    `points` (N, d) are the images' points, and `names` (N,) the names of their clusters.
    """
    members = (np.flatnonzero(names == name) for name in chosen)
    return [_nearest_mean(points, rows) for rows in members if len(rows)]


def _nearest_mean(points: np.ndarray, rows: np.ndarray) -> int:
    distance = np.square(points[rows] - points[rows].mean(axis=0)).sum(axis=1)
    return int(rows[np.argmin(distance)])


def named(labels: np.ndarray, y: pd.Series) -> pd.DataFrame:
    """Return a table of the clusters, indexed by number: `name`, `predicted` (the majority class) and `rank`.

    `labels` (N,) are the clusters of the images, and `y` (N,) their labels. The rank is 1 for the largest cluster of
    its class. Noise has no class and the rank 1.
    """
    votes = majority_names(labels, y)[["predicted", "rank"]]
    names = pd.Series(cluster_names(labels, y), dtype=object, name="name").rename_axis("cluster").sort_index()
    return names.to_frame().join(votes).fillna({"rank": 1}).astype({"predicted": object, "rank": int})


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the map twice, coloured by label and by cluster; without labels only by cluster."""
    table = on_page(table)
    by_class = class_looks(table["label"], inputs["classes"], style)
    by_cluster = cluster_looks(table, by_class, style)
    nameless = apart(UNLABELLED, by_class | by_cluster)
    with theme(style):
        height, beside = _layout(table, figure, by_class | by_cluster, style)
        made = canvas(figure, height)
        axes = made.subplots(1, 2 if by_class else 1, squeeze=False)[0]
        k = table["k"].iloc[0]
        clusters = "By cluster" if pd.isna(k) else f"By cluster, k = {k:.0f}{BY.get(table['chosen_by'].iloc[0], '')}"
        if by_class:
            labels = table["label"].fillna(nameless)
            scatter(axes[0], table, labels, by_class | {nameless: NOBODY}, f"By label, n = {len(table)}")
            scatter(axes[1], table, table["name"], by_cluster, clusters)
        else:
            scatter(axes[0], table, table["name"], by_cluster, f"{clusters}, n = {len(table)} (no labels)")
        name_axes(axes, table)
        if table["typical"].any():
            _draw_insets(axes[-1], table, by_cluster, inputs["preprocessed"][0])
        unlabelled = {nameless: NOBODY} if by_class and table["label"].isna().any() else {}
        shown = _in_order(by_class | by_cluster | unlabelled)
        short = short_names(shown)
        entries = {short[name]: dot(look) for name, look in shown.items()}
        (legend_beside if beside else legend_below)(made, entries, style)
    return made


def cluster_looks(table: pd.DataFrame, by_class: Mapping[str, Look], style: Mapping[str, Any]) -> dict[str, Look]:
    """Return the colour and marker (`Look`) of each cluster, by the cluster's name.

    The colour is a shade of the colour of the cluster's class, or a colour of the palette if no image has a label.
    Noise is pale; if images have labels, clusters without a class are pale too.
    """
    clusters = table[table["cluster"] >= 0].drop_duplicates("name").sort_values(["predicted", "rank", "cluster"])
    if not by_class:
        looks_of = looks(list(clusters["name"]), style)
    else:
        looks_of = {
            cluster["name"]: shade(by_class[cluster["predicted"]], cluster["rank"])
            if cluster["predicted"] in by_class
            else NOBODY
            for cluster in clusters.to_dict("records")
        }
    return looks_of | dict.fromkeys(table.loc[table["cluster"] < 0, "name"], NOBODY)


def _in_order(looks_of: Mapping[str, Look]) -> dict[str, Look]:
    """Return the entries of `looks_of` in the order of the legend.

    They are sorted by name, so that clusters of one class stand together. Noise and unlabelled images come last. If all
    names are numbers, the order of `looks_of` is kept.
    """
    by_number = all(name.isdecimal() for name, look in looks_of.items() if look != NOBODY)
    ordered = list(looks_of) if by_number else sorted(looks_of, key=lambda name: (looks_of[name] == NOBODY, name))
    return {name: looks_of[name] for name in ordered}


def _layout(
    table: pd.DataFrame, figure: Mapping[str, Any], names: Iterable[str], style: Mapping[str, Any]
) -> tuple[float, bool]:
    """Return the figure's height in millimetres, and whether the legend stands beside the panels.

    The height keeps the shape of the map. The legend stands below the panels if the figure is narrow, or if a legend
    beside them would be higher than the panels.
    """
    width, labelled = figure["width"], table["label"].notna().any()
    entries = short_names(names).values()
    entry = max(text_width(name, small(style)) for name in entries) + 8
    shape = np.clip(np.ptp(table["y"]) / np.ptp(table["x"]), 0.5, 1.2)
    beside, below = (shape * ((width - taken) / (2 if labelled else 1) - 5) + 12 for taken in (entry, 0))
    if width >= NARROW_BELOW_MM and LINE_MM * (min(len(entries), MOST_ENTRIES + 1) + 1) <= beside:
        return beside, True
    return below + LINE_MM * legend_lines(entries, width, style), False


def scatter(ax: Axes, table: pd.DataFrame, names: pd.Series, looks_of: Mapping[str, Look], title: str) -> None:
    """Draw each point of the map with the colour and marker of its name. `names` has one name for each row of `table`.

    In two dimensions the points are drawn in the order of their `image_id`, a hash of the content, so that no class
    hides another. In three dimensions the points nearest to the viewer are drawn last.
    """
    points = table.assign(look=names.map(looks_of)).sort_values("depth" if "depth" in table else "image_id")
    size = min(9.0, max(1.5, 6000 / len(points)))
    for marker, alike in points.groupby(points["look"].map(lambda look: look.marker)):
        colour = [look.colour for look in alike["look"]]
        how: dict[str, Any] = {"linewidths": 0, "rasterized": len(points) > RASTERISED}
        ax.scatter(alike["x"], alike["y"], size, colour, marker=marker, **how)
    ax.set(xticks=[], yticks=[], title=title)
    ax.set_aspect("equal", adjustable="box", anchor="N")  # titles side by side stand on one line


def name_axes(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Write the names of the map's axes, such as `t-SNE 1`, at panels that stand side by side.

    A map of three dimensions gets a box, with the names at its edges.
    """
    name = table["map"].iloc[0]
    for ax in axes:
        if "depth" in table:
            draw_box(ax, table, name)
            ax.axis("off")
        else:
            ax.set_xlabel(f"{name} 1")
    if "depth" not in table:
        axes[0].set_ylabel(f"{name} 2")


def _draw_insets(ax: Axes, table: pd.DataFrame, looks_of: Mapping[str, Look], images: str) -> None:
    """Draw the images of the insets at the emptiest places of the panel, each with a line to its point."""
    ax.apply_aspect()
    at = ax.transLimits.transform(table[["x", "y"]].to_numpy())
    short = short_names(table["inset"].dropna())
    shape = np.ptp(table["y"]) / np.ptp(table["x"])
    sides = INSET * np.array([min(1, shape), min(1, 1 / shape)])
    covered = np.empty((0, 2))
    with reading(images) as file:
        for row in np.flatnonzero(table["typical"]):
            corner = emptiest(at[row], at, covered, sides)
            by_inset = np.stack(np.meshgrid(*(np.linspace(0, 1, 5),) * 2), axis=-1).reshape(-1, 2) * sides + corner
            covered = np.vstack([covered, by_inset])
            look = looks_of[table["name"].iloc[row]]
            ends = np.transpose([at[row], corner + sides / 2])
            ax.plot(*ends, color=look.colour, linewidth=0.8, transform=ax.transAxes)
            ax.plot(*at[row], "o", markersize=4, markeredgecolor="black", color=look.colour, transform=ax.transAxes)
            inset = ax.inset_axes((*corner, *sides), zorder=4)
            show(inset, file["images"][int(table["row"].iloc[row])], look.colour)
            inset.set_title(short[table["inset"].iloc[row]], loc="center", pad=1.5)


def emptiest(point: np.ndarray, points: np.ndarray, covered: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Return the lower left corner, (2,), of the place where an inset covers the fewest points.

    Of several such places, the nearest to `point` (2,) is taken. `sides` (2,) are the width and height of the inset,
    `points` (N, 2) are the points of the map, and `covered` (M, 2) are places that earlier insets cover; each counts as
    much as all points. All are in units of the panel's sides.
    """
    steps = np.linspace(0, 1, 21)
    left, low = steps * (1 - sides[0]), steps * (0.94 - sides[1])
    corners = np.stack(np.meshgrid(left, low), axis=-1).reshape(-1, 2)

    def inside(places: np.ndarray) -> np.ndarray:
        x, y = places[:, :1], places[:, 1:]
        across = (x > left - 0.01) & (x < left + sides[0] + 0.01)
        upwards = (y > low - 0.01) & (y < low + sides[1] + 0.06)
        return (upwards.T.astype(np.float64) @ across).ravel()  # how many places are within both, for each corner

    distance = np.linalg.norm(corners + sides / 2 - point, axis=1)
    return corners[np.lexsort((distance, inside(points) + len(points) * inside(covered)))[0]]
