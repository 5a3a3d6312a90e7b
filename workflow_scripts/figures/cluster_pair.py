"""Two clusters side by side: their typical pictures, and those where one passes into the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.clusterers.points import read_points
from workflow_scripts.figures.artefacts import BY, best_clustering, choose_best_k, read_manifest
from workflow_scripts.figures.contact_sheet import beside, chosen_clusters, draw_pictures, pictured
from workflow_scripts.figures.style import (
    ONE_COLUMN,
    canvas,
    note,
    placeholder,
    shortened,
    small,
    text_width,
    theme,
)
from workflow_scripts.gallery.members import (
    PLACES,
    centre_distances,
    cluster_names,
    nearest_clusters,
    parted_twins,
    telling_members,
)
from workflow_scripts.store import reading


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """The images to show of the two clusters: those named, or the two whose means lie nearest each other.

    Returns
    -------
    DataFrame as that of `contact_sheet`, where the border is the one between the two, with `apart` (distance of their
    means) and `parted` (images and their nearest neighbours that the two part). No rows for a single cluster.
    """
    manifest = read_manifest(inputs["manifest"][0])
    points = read_points(inputs["points"][0], cells[0]["n_components"], cells[0]["whiten"]).values
    best = best_clustering(inputs["clusters"][0], choose_best_k(inputs, figure))
    names = cluster_names(best.labels, manifest["label"])
    pair = chosen_clusters(names, figure["clusters"]) if figure["clusters"] else nearest_clusters(points, best.labels)
    inside = np.flatnonzero(np.isin(best.labels, pair)) if len(pair) == 2 else np.array([], dtype=np.intp)
    members = telling_members(centre_distances(points[inside], best.labels[inside]), figure["per_place"])
    members["row"] = inside[members["row"]]
    table = pictured(members, manifest, names, best.labels)
    table["chosen_by"] = figure["by"] if figure["k"] == "best" else None
    twins = parted_twins(points, best.labels)
    parted = int((twins["cluster"].isin(pair) & twins["twin_cluster"].isin(pair)).sum())
    means = [points[best.labels == cluster].mean(axis=0) for cluster in pair]
    apart = float(np.linalg.norm(means[0] - means[-1])) if len(means) else np.nan
    return table.assign(k=best.k, preprocess=cells[0]["preprocess"], apart=apart, parted=parted)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the two as panels beside each other, in a narrow figure below each other: a line for each place."""
    with theme(style):
        if table.empty:
            return placeholder(figure, "A single cluster: there are no two to compare.")
        pair, n = list(dict.fromkeys(table["name"])), int(table["position"].max()) + 1
        narrow = figure["width"] < ONE_COLUMN
        margin = max(text_width(place, small(style)) for place in PLACES) + 4
        side = (figure["width"] / (1 if narrow else 2) - margin) / n
        panel = len(PLACES) * (side + 0.8) + 6
        made = canvas(figure, panel * (2 if narrow else 1) + 11)
        panels = made.subfigures(*((2, 1) if narrow else (1, 2)), squeeze=False).ravel()
        with reading(inputs["preprocessed"][0]) as file:
            for subfigure, name in zip(panels, pair, strict=True):
                its = table[table["name"] == name]
                axes = subfigure.subplots(len(PLACES), n, squeeze=False)
                places = list(zip(its["place"].map(PLACES.index), its["position"], strict=True))
                draw_pictures(axes, its, file["images"], places, inputs, style)
                axes[0, 0].set_title(f"{shortened(name)}, n = {its['size'].iloc[0]}")
                for place, ax in zip(PLACES, axes[:, 0], strict=True):
                    beside(ax, place, style)
        note(made, _remark(table), style)
    return made


def _remark(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    k = "" if pd.isna(first["k"]) else f"k = {first['k']:.0f}{BY.get(first['chosen_by'], '')}. "
    radii = " and ".join(f"{own:.3g}" for own in table.groupby("name", sort=False)["own"].max())
    labels = "" if table["label"].notna().any() else "No labels. "
    return (
        f"{k}{labels}Means {first['apart']:.3g} apart, farthest images {radii} from theirs; "
        f"{first['parted']} pairs of nearest neighbours are parted by the two."
    )
