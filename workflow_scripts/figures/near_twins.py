"""Show near-twins: an image and its nearest neighbour that are in different clusters."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import pandas as pd
from matplotlib.figure import Figure, SubFigure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import Look, frame_looks
from workflow_scripts.figures.legends import frame_legend, frame_legend_height
from workflow_scripts.figures.names import k_in_words, n_in_words
from workflow_scripts.figures.samples import show_framed
from workflow_scripts.figures.texts import names_of_width, short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.best_k import chosen_by
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import rows_named
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.members import cluster_names, separated_twins, twins_of

SIDES = ("", "twin_")
"""Prefixes of the columns about both images of a pair."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the pairs of an image and its nearest neighbour that are in different clusters, the closest pair first.

    If the settings name images, the pairs are these images, each with the nearest image of another cluster.

    Returns
    -------
    DataFrame with one row per pair:

    - `image_id`, `path`, `label`: of the first image; the label is None if unknown.
    - `row`: row of the first image in the stack of preprocessed images.
    - `name`: name of the cluster of the first image.
    - the same five columns about the second image, with the prefix `twin_`.
    - `distance`: distance of the two images.
    - `closer_than`: share of all images whose nearest neighbour is farther away.
    - `drawn`: whether the pair is drawn.
    - `k`: null if the clusterer finds k itself.
    - `chosen_by`: metric that chose k; null if the settings give k.
    - `named`: whether the settings name images.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    points = cell.points().values
    best = cell.clustering(figure)
    names = cluster_names(best.labels, manifest["label"])
    images = manifest[["image_id", "path", "label", "row"]].assign(name=pd.Series(best.labels).map(names))
    named = rows_named(manifest, figure["images"])
    twins = twins_of(points, best.labels, named) if named else separated_twins(points, best.labels)
    sides = [
        images.loc[twins[rows]].reset_index(drop=True).add_prefix(side)
        for side, rows in zip(SIDES, ("row", "twin"), strict=True)
    ]
    table = pd.concat([*sides, twins[["distance", "closer_than"]]], axis=1)
    table["chosen_by"] = chosen_by(figure)
    drawn = table.index < (len(named) or figure["pairs"])
    return table.assign(drawn=drawn, k=best.k, named=bool(named))


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the closest pairs of images. The colour of an image's frame shows its label. Above each pair stand the names
    of its two clusters."""
    drawn = table[table["drawn"]]
    by_class = frame_looks({*drawn["label"], *drawn["twin_label"]}, inputs["classes"], style)
    with theme(style):
        if table.empty:
            return placeholder(figure, "No near-twins: every image is in the cluster of its nearest neighbour.")
        first = drawn.to_dict("records")
        named = bool(table["named"].iloc[0])
        files = short_names(table["path"], 24)
        across = 2 if figure["width"] < NARROW_BELOW_MM else 4
        room = (figure["width"] / across - 5) / 2
        short = names_of_width([*table["name"], *table["twin_name"]], room, style["font_size"], 12)
        lines = ceil(len(first) / across)
        above = frame_legend_height(by_class, figure["width"], style)
        made = canvas(figure, lines * (figure["width"] / across / 2 + (11 if named else 8)) + 9 + above)
        panels = made.subfigures(lines, across, squeeze=False, wspace=0.04).ravel()
        with reading(inputs["preprocessed"][0]) as file:
            for panel, pair in zip(panels, first, strict=False):
                _draw_pair(panel, pair, file["images"], by_class)
                texts = [f"{short[pair['name']]} | {short[pair['twin_name']]}", f"{100 * pair['closer_than']:.1f} %"]
                title = [files[pair["path"]], *texts] if named else texts
                panel.suptitle("\n".join(title), size=style["font_size"])
        frame_legend(made, by_class, style)
        note(made, f"{n_in_words(inputs)}; {_remark(table)}", style)
    return made


def _draw_pair(panel: SubFigure, pair: Mapping[str, Any], images: Any, by_class: Mapping[str, Look]) -> None:
    """Show the two images of a pair, a row of the table, side by side; `images` are the stack."""
    for ax, side in zip(panel.subplots(1, 2), SIDES, strict=True):
        show_framed(ax, {name: pair[f"{side}{name}"] for name in ("row", "label")}, images, by_class)
        ax.set_anchor("N")  # images are near their own title, not near the next one


def _remark(table: pd.DataFrame) -> str:
    labels = "" if table["label"].notna().any() else "No labels. "
    if table["named"].iloc[0]:
        what = "Each named image, and the image of another cluster that is nearest to it. Above: file, clusters"
    else:
        what = f"Nearest neighbours in different clusters: {len(table)}. Above each pair: its clusters"
    k = k_in_words(table.iloc[0], ". ")
    return f"{k}{labels}{what}, and the share of images whose nearest neighbour is farther away."
