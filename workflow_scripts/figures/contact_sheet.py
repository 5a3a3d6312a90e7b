"""The clusters of one clustering in pictures: nearest the centre, at the border, farthest from it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.clusterers.points import read_points
from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.figures.artefacts import BY, best_clustering, choose_best_k, classes, read_manifest
from workflow_scripts.figures.samples import show
from workflow_scripts.figures.style import (
    FAINT,
    ONE_COLUMN,
    canvas,
    looks,
    note,
    placeholder,
    shortened,
    small,
    text_width,
    theme,
)
from workflow_scripts.gallery.members import PLACES, centre_distances, cluster_names, telling_members
from workflow_scripts.store import reading

TITLES = {"nearest": "Nearest the centre", "border": "At the border", "farthest": "Farthest"}


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """The images to show of each cluster, or of those that the settings name.

    Returns
    -------
    DataFrame, a row per picture: `cluster` (its number), `name` (`Sc`, `Sc-2`; the number if there are no labels),
    `size` (images of the cluster), `place` (`nearest`, `border`, `farthest`), `position` (from 0), `image_id, path,
    label` (None if unknown), `row` (in the stack), `own` and `other` (distances to the cluster's mean and to that of
    the nearest other one), `next_name` (of that one), `k` (null if the clusterer finds it), `chosen_by` (the metric by
    which k is the best; null if it is given), `preprocess`.

    Raises `UserError` for a cluster that there is not.
    """
    manifest = read_manifest(inputs["manifest"][0])
    points = read_points(inputs["points"][0], cells[0]["n_components"], cells[0]["whiten"]).values
    best = best_clustering(inputs["clusters"][0], choose_best_k(inputs, figure))
    names = cluster_names(best.labels, manifest["label"])
    shown = chosen_clusters(names, figure["clusters"])
    members = telling_members(centre_distances(points, best.labels), figure["per_place"])
    table = pictured(members[members["cluster"].isin(shown)], manifest, names, best.labels)
    table["chosen_by"] = figure["by"] if figure["k"] == "best" else None
    order = table["cluster"].map({cluster: place for place, cluster in enumerate(shown)})
    table = table.assign(k=best.k, preprocess=cells[0]["preprocess"])
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def chosen_clusters(names: Mapping[int, str], wanted: Sequence[str]) -> list[int]:
    """The numbers of the clusters with the wanted names, or of all but the noise if none is named."""
    number = {name: cluster for cluster, name in names.items() if cluster >= 0}
    for name in wanted:
        if name not in number:
            raise UserError(f"config: figures: clusters: {found_allowed(name, number)}")
    return [number[name] for name in wanted or number]


def pictured(
    members: pd.DataFrame, manifest: pd.DataFrame, names: Mapping[int, str], partition: np.ndarray
) -> pd.DataFrame:
    """The members (`gallery.members.telling_members`) with their names, sizes and images as `tabulate` has them."""
    of_image = manifest.loc[members["row"], ["image_id", "path", "label", "row"]].reset_index(drop=True)
    size = pd.Series(partition).value_counts()
    facts = {
        "name": members["cluster"].map(names).to_numpy(),
        "size": members["cluster"].map(size).to_numpy(),
        "next_name": members["next"].map(names).to_numpy(),
    }
    return members.drop(columns=["row", "next"]).reset_index(drop=True).join(of_image).assign(**facts)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a line of pictures for each cluster; in a narrow figure a line for each of its places."""
    with theme(style):
        if table.empty:
            return placeholder(figure, "No clusters: everything is noise.")
        clusters, n = list(dict.fromkeys(table["name"])), int(table["position"].max()) + 1
        narrow = figure["width"] < ONE_COLUMN
        lines, columns = (len(PLACES) * len(clusters), n) if narrow else (len(clusters), len(PLACES) * n)
        margin = max(text_width(text, small(style)) for text in _margins(table, narrow)) + 4
        side = (figure["width"] - margin) / columns
        headings = 5.5 * len(clusters) if narrow else 5.5
        made = canvas(figure, lines * (side + 0.8) + headings + 11)
        axes = made.subplots(lines, columns, squeeze=False)
        with reading(inputs["preprocessed"][0]) as file:
            draw_pictures(axes, table, file["images"], _places(table, clusters, n, narrow), inputs, style)
        for i, name in enumerate(clusters):
            size = table.loc[table["name"] == name, "size"].iloc[0]
            if narrow:
                axes[len(PLACES) * i, 0].set_title(f"{shortened(name)}, n = {size}")
                for place, ax in zip(PLACES, axes[len(PLACES) * i : len(PLACES) * (i + 1), 0], strict=True):
                    beside(ax, place, style)
            else:
                beside(axes[i, 0], f"{shortened(name)}\nn = {size}", style)
        if not narrow:
            for place, ax in zip(PLACES, axes[0, ::n], strict=True):
                ax.set_title(TITLES[place])
        note(made, _remark(table), style)
    return made


def _margins(table: pd.DataFrame, narrow: bool) -> list[str]:
    """The texts left of the pictures."""
    return list(PLACES) if narrow else [*table["name"].map(shortened), *(f"n = {size}" for size in table["size"])]


def _places(table: pd.DataFrame, clusters: Sequence[str], n: int, narrow: bool) -> list[tuple[int, int]]:
    """Line and column of each picture."""
    line, group = table["name"].map(clusters.index), table["place"].map(PLACES.index)
    if narrow:
        return list(zip(len(PLACES) * line + group, table["position"], strict=True))
    return list(zip(line, n * group + table["position"], strict=True))


def draw_pictures(
    axes: np.ndarray,
    table: pd.DataFrame,
    images: Any,
    places: Sequence[tuple[int, int]],
    inputs: Mapping[str, Any],
    style: Mapping[str, Any],
) -> None:
    """The table's pictures on their axes, each in the colour of its label; all other axes are left empty."""
    class_looks = looks(classes(read_manifest(inputs["manifest"])), style)
    for ax in axes.flat:
        ax.axis("off")
    for its, place in zip(table.to_dict("records"), places, strict=True):
        look = class_looks.get(its["label"])
        show(axes[place], images[int(its["row"])], look.colour if look else FAINT)


def beside(ax: Axes, text: str, style: Mapping[str, Any]) -> None:
    """A text left of a line of pictures; it is there also where the first picture is not."""
    ax.axis("on")
    ax.set(xticks=[], yticks=[])
    if not ax.images:
        ax.spines[:].set_visible(False)
    ax.set_ylabel(text, rotation=0, ha="right", va="center", size=small(style))


def _remark(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    k = "" if pd.isna(first["k"]) else f"k = {first['k']:.0f}{BY.get(first['chosen_by'], '')}. "
    labels = "Frame: colour of the label. " if table["label"].notna().any() else "No labels. "
    return f"{k}{labels}Preprocessing: {first['preprocess']}."
