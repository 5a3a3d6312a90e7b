"""Show two clusters side by side: images near the centre, at the border between the two, and far from the centre."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import frame_looks
from workflow_scripts.figures.contact_sheet import (
    NOTE,
    block_height,
    chosen_clusters,
    draw_places,
    named_in_words,
    not_shown,
    places_of,
    with_images,
)
from workflow_scripts.figures.legends import frame_legend, frame_legend_height
from workflow_scripts.figures.names import k_in_words, n_in_words
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.best_k import chosen_by
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import rows_named
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.members import (
    NAMED,
    centre_distances,
    cluster_names,
    example_members,
    nearest_clusters,
    separated_twins,
)


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the images to show of two clusters.

    The settings name the two clusters, or images whose clusters are shown. If they name neither, the two clusters with
    the nearest means are shown.

    Returns
    -------
    DataFrame as in `contact_sheet.tabulate`, but without `n_clusters`. The place `border` is the border between the two
    clusters. Further columns are `apart` (distance of the two means) and `parted` (number of pairs of nearest
    neighbours with one image in each cluster). Empty if there is only one cluster.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    points = cell.points().values
    best = cell.clustering(figure)
    names = cluster_names(best.labels, manifest["label"])
    named = rows_named(manifest, figure["images"])
    if figure["clusters"]:
        pair = chosen_clusters(names, figure["clusters"])
    else:
        pair = _pair_of(named, centre_distances(points, best.labels)) or nearest_clusters(points, best.labels)
    inside = np.flatnonzero(np.isin(best.labels, pair)) if len(pair) == 2 else np.array([], dtype=np.intp)
    of_pair = [int(np.searchsorted(inside, row)) for row in named if row in inside]
    members = example_members(centre_distances(points[inside], best.labels[inside]), figure["per_place"], of_pair)
    members["row"] = inside[members["row"]]
    table = with_images(members, manifest, names, best.labels)
    table["chosen_by"] = chosen_by(figure)
    twins = separated_twins(points, best.labels)
    n_separated = int((twins["cluster"].isin(pair) & twins["twin_cluster"].isin(pair)).sum())
    means = cluster_means(points, best.labels)[pair]
    apart = float(np.linalg.norm(means[0] - means[-1])) if len(means) else np.nan
    hidden = not_shown(manifest["path"].iloc[named], table.loc[table["place"] == NAMED, "path"])
    facts = {"k": best.k, "preprocess": cell["preprocess"], "apart": apart, "parted": n_separated}
    return table.assign(**facts, not_shown=hidden)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the nearest, border and farthest images of two clusters side by side.

    In a narrow figure the clusters are below each other.
    """
    by_class = frame_looks(table["label"], inputs["classes"], style)
    with theme(style), reading(inputs["preprocessed"][0]) as file:
        if table.empty:
            return placeholder(figure, "There is a single cluster, so no two can be compared.")
        above = frame_legend_height(by_class, figure["width"], style)
        n, places = int(table["position"].max()) + 1, places_of(table)
        if figure["width"] < NARROW_BELOW_MM:
            made = canvas(figure, 2 * block_height(figure["width"], n, len(places), style) + 2 * NOTE + above)
            draw_places(made, table, file["images"], by_class, style, places, n)
        else:
            made = canvas(figure, block_height(figure["width"] / 2, n, len(places), style) + NOTE + above)
            panels = made.subfigures(1, 2, squeeze=False)[0]
            for panel, (_, members) in zip(panels, table.groupby("name", sort=False), strict=True):
                draw_places(panel, members, file["images"], by_class, style, places, n)
        frame_legend(made, by_class, style)
        note(made, f"{n_in_words(inputs)}; {_remark(table)}", style)
    return made


def _pair_of(rows: Sequence[int], distances: pd.DataFrame) -> list[int]:
    """Return the numbers of the first two clusters that contain images at `rows`.

    If all these images are in one cluster, the second cluster is the neighbour of the first image: among the other
    clusters, the one with the nearest mean. `distances` is the table of `metrics.members.centre_distances`. The list is
    empty if all these images are noise, or if there is only one cluster.
    """
    placed = distances.iloc[rows]
    placed = placed[placed["cluster"] >= 0]
    pair = [cluster for cluster in dict.fromkeys([*placed["cluster"], *placed["next"]]) if cluster >= 0][:2]
    return pair if len(pair) == 2 else []


def _remark(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    far = " and ".join(f"{own:.3g}" for own in table.groupby("name", sort=False)["own"].max())
    labels = "" if table["label"].notna().any() else "No labels. "
    return (
        f"{k_in_words(first, '. ')}{labels}{named_in_words(table)}The means are {first['apart']:.3g} apart, the "
        f"farthest images {far} from their own; nearest neighbours that the border separates: {first['parted']}."
    )
