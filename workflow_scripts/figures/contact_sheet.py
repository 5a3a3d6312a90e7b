"""Show the images of each cluster: nearest to its centre, at its border, and farthest from the centre."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import Look, frame_looks
from workflow_scripts.figures.legends import frame_legend, frame_legend_height
from workflow_scripts.figures.names import k_in_words, n_in_words
from workflow_scripts.figures.samples import show_framed
from workflow_scripts.figures.texts import short_names, text_width
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.io.best_k import chosen_by
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import rows_named
from workflow_scripts.io.store import reading
from workflow_scripts.metrics.members import NAMED, PLACES, centre_distances, cluster_names, example_members

HEADING = 5.5
"""Height in millimetres of a line of text above the images."""
NOTE = 6.0
"""Height in millimetres of the note below all images."""
GAP = 0.2
"""Gap between two sets of images in a row, such as nearest and border, as a share of an image's side."""
MOST = 30
"""Largest number of clusters that are shown if the settings name no cluster."""
TITLES = {"nearest": "Nearest the centre", "border": "At the border", "farthest": "Farthest", NAMED: "Named"}


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the images to show of some clusters.

    The clusters are those that the settings name. If they name images instead, the clusters are those of these images;
    if they name neither, all clusters. Unless the settings name clusters, at most the `MOST` largest are shown.

    Returns
    -------
    DataFrame with one row per image:

    - `cluster`, `name`: number and name of the cluster (such as `Sc` or `Sc-2`; without labels, its number).
    - `size`: number of images of the cluster.
    - `place`, `position`: `nearest`, `border`, `farthest` or `named`, and the position within this place, from 0.
    - `image_id`, `path`, `label`: of the image; the label is None if unknown.
    - `row`: row in the stack of preprocessed images.
    - `own`, `other`: distances to the mean of the own cluster and of the nearest other cluster.
    - `next_name`: name of that other cluster.
    - `k`: null if the clusterer finds k itself.
    - `chosen_by`: metric that chose k; null if the settings give k.
    - `preprocess`: name of the preprocessing.
    - `n_clusters`: number of the clusters before `MOST` limits them.
    - `not_shown`: paths of named images that are not shown, joined by `|`.

    Raises
    ------
    UserError
        If the settings name a cluster that does not exist.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    points = cell.points().values
    best = cell.clustering(figure)
    names = cluster_names(best.labels, manifest["label"])
    named = rows_named(manifest, figure["images"])
    of_named = [names[cluster] for cluster in dict.fromkeys(best.labels[named].tolist()) if cluster >= 0]
    every = chosen_clusters(names, figure["clusters"] or of_named)
    size = pd.Series(best.labels).value_counts()
    largest = sorted(every, key=lambda cluster: -size[cluster])[:MOST]
    shown = every if figure["clusters"] else [cluster for cluster in every if cluster in largest]
    members = example_members(centre_distances(points, best.labels), figure["per_place"], named)
    table = with_images(members[members["cluster"].isin(shown)], manifest, names, best.labels)
    table["chosen_by"] = chosen_by(figure)
    order = table["cluster"].map({cluster: place for place, cluster in enumerate(shown)})
    hidden = not_shown(manifest["path"].iloc[named], table.loc[table["place"] == NAMED, "path"])
    table = table.assign(k=best.k, preprocess=cell["preprocess"], n_clusters=len(every), not_shown=hidden)
    return table.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def chosen_clusters(names: Mapping[int, str], wanted: Sequence[str]) -> list[int]:
    """Return the numbers of the clusters with the `wanted` names, or of all clusters if no name is given.

    `names` are the names of the clusters by number. Raises `UserError` if a wanted name is not the name of a cluster.
    """
    number = {name: cluster for cluster, name in names.items() if cluster >= 0}
    for name in wanted:
        if name not in number:
            raise UserError(f"config: figures: clusters: {found_allowed(name, number)}")
    return [number[name] for name in wanted or number]


def with_images(
    members: pd.DataFrame, manifest: pd.DataFrame, names: Mapping[int, str], partition: np.ndarray
) -> pd.DataFrame:
    """Return the images to show, with columns about their clusters and about the images.

    The columns `row` and `next` of `members` are replaced. The new columns are the `name` of the cluster, its `size` in
    images, the `next_name` of the next cluster, and `image_id`, `path`, `label` and `row` (in the stack) of the image.

    Parameters
    ----------
    members : one row per image to show, from `metrics.members.example_members`.
    manifest : the manifest of all N images.
    names : names of the clusters by number.
    partition : (N,) integers, the cluster of each image.
    """
    image_columns = manifest.loc[members["row"], ["image_id", "path", "label", "row"]].reset_index(drop=True)
    size = pd.Series(partition).value_counts()
    facts = {
        "name": members["cluster"].map(names).to_numpy(),
        "size": members["cluster"].map(size).to_numpy(),
        "next_name": members["next"].map(names).to_numpy(),
    }
    return members.drop(columns=["row", "next"]).reset_index(drop=True).join(image_columns).assign(**facts)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a row of images for each cluster. In a narrow figure, a cluster has a row for each place, such as
    `border`."""
    by_class = frame_looks(table["label"], inputs["classes"], style)
    with theme(style), reading(inputs["preprocessed"][0]) as file:
        if table.empty:
            return placeholder(figure, "No clusters: every image is noise.")
        n_clusters, n = table["name"].nunique(), int(table["position"].max()) + 1
        above = frame_legend_height(by_class, figure["width"], style)
        if figure["width"] < NARROW_BELOW_MM:
            height = block_height(figure["width"], n, len(places_of(table)), style)
            made = canvas(figure, n_clusters * height + NOTE + above)
            draw_places(made, table, file["images"], by_class, style, places_of(table), n)
        else:
            texts = [*short_names(table["name"]).values(), *(f"n = {size}" for size in table["size"])]
            margin = max(text_width(text, small(style)) for text in texts) + 4
            longest = {place: 1 + max(table.loc[table["place"] == place, "position"]) for place in places_of(table)}
            side = (figure["width"] - margin) / (sum(longest.values()) + GAP * (len(longest) - 1))
            made = canvas(figure, n_clusters * (side + 0.6) + HEADING + NOTE + above)
            _draw_lines(made, table, longest, side, file["images"], by_class, style)
        labels = "" if by_class else "No labels. "
        every = table["n_clusters"].iloc[0]
        some = f"The {n_clusters} largest of {every} clusters. " if n_clusters < every else ""
        named = named_in_words(table)
        frame_legend(made, by_class, style)
        preprocess = f"Preprocessing: {table['preprocess'].iloc[0]}."
        note(made, f"{n_in_words(inputs)}; {k_in_words(table.iloc[0], '. ')}{some}{labels}{named}{preprocess}", style)
    return made


def _draw_lines(
    made: Figure,
    table: pd.DataFrame,
    longest: Mapping[str, int],
    side: float,
    images: Any,
    by_class: Mapping[str, Look],
    style: Mapping[str, Any],
) -> None:
    """Draw one row for each cluster, with gaps between its nearest, its border, its farthest and its named images.

    `longest` has the places to draw, such as `border`, and for each the largest number of images that a cluster has
    there.
    """
    clusters = list(dict.fromkeys(table["name"]))
    short = short_names(clusters)
    widths: list[float] = []
    start: dict[str, int] = {}
    for place, n in longest.items():
        widths += [GAP] * bool(widths)
        start[place] = len(widths)
        widths += [1.0] * n
    grid = made.add_gridspec(
        1 + len(clusters), len(widths), width_ratios=widths, height_ratios=[HEADING / side] + [1.0] * len(clusters)
    )
    for place, first in start.items():
        _head(made.add_subplot(grid[0, first : first + longest[place]]), TITLES[place])
    for image in table.to_dict("records"):
        ax = made.add_subplot(grid[1 + clusters.index(image["name"]), start[image["place"]] + image["position"]])
        show_framed(ax, image, images, by_class)
        if image["place"] == PLACES[0] and image["position"] == 0:
            _beside(ax, f"{short[image['name']]}\nn = {image['size']}", style)


def places_of(table: pd.DataFrame) -> list[str]:
    """Return those of the places `nearest`, `border`, `farthest` and `named` that have images in the table.

    A single cluster has no border, and most tables have no named images.
    """
    return [place for place in (*PLACES, NAMED) if place in set(table["place"])]


def block_height(width: float, n: int, n_places: int, style: Mapping[str, Any]) -> float:
    """Return the height in millimetres that `draw_places` needs for one cluster.

    The cluster has `n_places` rows of n images within `width` mm.
    """
    side = (width - max(text_width(place, small(style)) for place in PLACES) - 4) / n
    return HEADING + n_places * (side + 0.6)


def draw_places(
    made: Figure | SubFigure,
    table: pd.DataFrame,
    images: Any,
    by_class: Mapping[str, Look],
    style: Mapping[str, Any],
    places: Sequence[str],
    n: int,
) -> None:
    """Draw the clusters one below the other. Each has one row for each of `places`, with at most n images."""
    clusters = list(dict.fromkeys(table["name"]))
    lines, short = 1 + len(places), short_names(clusters)
    grid = made.add_gridspec(lines * len(clusters), n, height_ratios=([0.3] + [1.0] * len(places)) * len(clusters))
    for number, name in enumerate(clusters):
        size = table.loc[table["name"] == name, "size"].iloc[0]
        _head(made.add_subplot(grid[lines * number, :]), f"{short[name]}, n = {size}")
    for image in table.to_dict("records"):
        line = lines * clusters.index(image["name"]) + 1 + places.index(image["place"])
        ax = made.add_subplot(grid[line, image["position"]])
        show_framed(ax, image, images, by_class)
        if image["position"] == 0:
            _beside(ax, image["place"], style)


def _head(ax: Axes, text: str) -> None:
    """Write a heading on its own axes, so that it may be wider than the image below it."""
    ax.axis("off")
    ax.text(0, 0.1, text, transform=ax.transAxes)


def _beside(ax: Axes, text: str, style: Mapping[str, Any]) -> None:
    """Write a text to the left of a row of images."""
    ax.set_ylabel(text, rotation=0, ha="right", va="center", size=small(style))


def named_in_words(table: pd.DataFrame) -> str:
    """Return a text for the figure's note: the files of the named images, and which of these are not shown.

    It is empty if no image is named.
    """
    paths = [*table.loc[table["place"] == NAMED, "path"]]
    hidden = hidden_images(table)
    short = short_names([*paths, *hidden], 30)
    named = f"Named: {', '.join(short[path] for path in paths)}. " if paths else ""
    return named + hidden_in_words(hidden, short)


def not_shown(named: Iterable[str], shown: Iterable[str]) -> str:
    """Return the paths of the named images that a figure does not show, joined by `|`."""
    return "|".join(dict.fromkeys(path for path in named if path not in set(shown)))


def hidden_images(table: pd.DataFrame) -> list[str]:
    """Return the paths in the column `not_shown` of a figure's table."""
    return [path for path in table["not_shown"].iloc[0].split("|") if path]


def hidden_in_words(hidden: Sequence[str], short: Mapping[str, str]) -> str:
    """Return a sentence with the short names of the images that are not shown; empty if all are shown."""
    return f"Named but not shown: {', '.join(short[path] for path in hidden)}. " if hidden else ""
