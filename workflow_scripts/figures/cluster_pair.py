"""Two clusters side by side: their typical images, and those where one passes into the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.figures.contact_sheet import (
    NOTE,
    block_height,
    chosen_clusters,
    draw_places,
    pictured,
    said_k,
)
from workflow_scripts.figures.style import ONE_COLUMN, canvas, looks, note, placeholder, theme
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import classes, read_manifest
from workflow_scripts.io.store import reading
from workflow_scripts.io.which_k import chosen_by
from workflow_scripts.pages.gallery.members import (
    centre_distances,
    cluster_names,
    nearest_clusters,
    parted_twins,
    telling_members,
)


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the images to show of the two clusters: those named, or the two whose means lie nearest each other.

    Returns
    -------
    DataFrame as that of `contact_sheet`, where the border is the one between the two, with `apart` (distance of their
    means) and `parted` (images and their nearest neighbours that the two part). No rows for a single cluster.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    points = cell.points().values
    best = cell.clustering(figure)
    names = cluster_names(best.labels, manifest["label"])
    pair = chosen_clusters(names, figure["clusters"]) if figure["clusters"] else nearest_clusters(points, best.labels)
    inside = np.flatnonzero(np.isin(best.labels, pair)) if len(pair) == 2 else np.array([], dtype=np.intp)
    members = telling_members(centre_distances(points[inside], best.labels[inside]), figure["per_place"])
    members["row"] = inside[members["row"]]
    table = pictured(members, manifest, names, best.labels)
    table["chosen_by"] = chosen_by(figure)
    twins = parted_twins(points, best.labels)
    parted = int((twins["cluster"].isin(pair) & twins["twin_cluster"].isin(pair)).sum())
    means = cluster_means(points, best.labels)[pair]
    apart = float(np.linalg.norm(means[0] - means[-1])) if len(means) else np.nan
    return table.assign(k=best.k, preprocess=cell["preprocess"], apart=apart, parted=parted)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the two beside each other, in a narrow figure below each other, with a line for each place."""
    class_looks = looks(classes(read_manifest(inputs["manifest"])), style)
    with theme(style), reading(inputs["preprocessed"][0]) as file:
        if table.empty:
            return placeholder(figure, "A single cluster: there are no two to compare.")
        n = int(table["position"].max()) + 1
        if figure["width"] < ONE_COLUMN:
            made = canvas(figure, 2 * block_height(figure["width"], n, style) + 2 * NOTE)
            draw_places(made, table, file["images"], class_looks, style)
        else:
            made = canvas(figure, block_height(figure["width"] / 2, n, style) + NOTE)
            panels = made.subfigures(1, 2, squeeze=False)[0]
            for panel, (_, members) in zip(panels, table.groupby("name", sort=False), strict=True):
                draw_places(panel, members, file["images"], class_looks, style)
        note(made, _remark(table), style)
    return made


def _remark(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    far = " and ".join(f"{own:.3g}" for own in table.groupby("name", sort=False)["own"].max())
    labels = "" if table["label"].notna().any() else "No labels. "
    return (
        f"{said_k(table)}{labels}Means {first['apart']:.3g} apart, farthest images {far} from theirs; "
        f"{first['parted']} pairs of nearest neighbours are parted by the two."
    )
