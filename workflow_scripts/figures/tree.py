"""Plot the tree of nested clusters, with the image nearest to the centre of each cluster."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.errors import UserError
from workflow_scripts.figures.canvas import canvas
from workflow_scripts.figures.colours import INK, class_looks
from workflow_scripts.figures.contact_sheet import hidden_images, hidden_in_words, not_shown
from workflow_scripts.figures.legends import dot, legend_below
from workflow_scripts.figures.samples import show_framed
from workflow_scripts.figures.texts import short_names, wrapped
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.io import store
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import rows_named
from workflow_scripts.io.runs import Runs
from workflow_scripts.metrics import score_restarts
from workflow_scripts.wording import decimal

LEVEL = 16
"""Distance between two levels of the tree in millimetres."""
COVER = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
"""Box of a caption, which hides the branch behind it."""
COLUMNS = ("node", "parent", "first_k", "last_k", "size", "typical", "row", "label", "share", "named", "x")
"""Columns of the table of the tree."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the nodes of the tree of clusters.

    The root is one cluster with all images. The leaves are the clusters of the largest stored k that is at most
    `leaves`.

    Returns
    -------
    DataFrame with one row per node, in the order of appearance:

    - `node`, `parent`: numbers of the node and of its parent; the root has no parent (null).
    - `first_k`, `last_k`: smallest and largest k whose clustering has this cluster.
    - `size`: number of images.
    - `typical`, `row`: id of the image that is shown, and its row in the stack of preprocessed images. It is the first
      image of the node that the settings name, or else the image nearest to the node's mean.
    - `named`: path of the shown image if the settings name it, else null.
    - `label`, `share`: most frequent class of the labelled images, and its share of them; null without labels.
    - `x`: horizontal place; leaves are at whole numbers.

    The following columns are the same in all rows:

    - `not_shown`: paths of named images that no node shows, joined by `|`.
    - `against`: `sublabel` if there are sub-labels, else `label`.
    - `k_leaves`, `ari`, `nmi`: k of the leaves, and their agreement with these labels (NMI with the arithmetic mean;
      null for fewer than two classes).

    Raises
    ------
    UserError
        If there is no k from 2 to `leaves`, or if the clusters are not nested: a cluster is not a part of one cluster
        of the next smaller k. The clusters of linkages and Density Peaks are always nested.
    """
    cell = OneCell.first(cells, inputs)
    manifest = cell.manifest()
    points = cell.points().values
    levels = _levels(cell.runs(), figure["leaves"], cell["clusterer"])
    nodes = _nodes(levels)
    named = rows_named(manifest, figure["images"])
    described = [_described(node, points, manifest, named) for node in nodes]
    table = pd.DataFrame(described, columns=[name for name in COLUMNS if name != "x"])
    table["x"] = _places(table)
    table["not_shown"] = not_shown(manifest["path"].iloc[named], table["named"])
    leaves = list(levels.values())[-1]
    finest = "sublabel" if "sublabel" in manifest else "label"
    agreement = score_restarts(leaves[None], manifest[finest])
    comparable = manifest[finest].replace("", None).nunique() > 1
    ari, nmi = (agreement[name][0] if comparable else np.nan for name in ("ari", "nmi_arithmetic"))
    return table.assign(against=finest, k_leaves=max(levels), ari=ari, nmi=nmi)


def _levels(runs: Mapping[int | None, Runs], leaves: int, clusterer: str) -> dict[int, np.ndarray]:
    """Return {k: labels} for each k up to `leaves`: the labels (N,) of the best repeat of k.

    The first k is 1, with all images in one cluster.

    Raises `UserError` if there is no k from 2 to `leaves`.
    """
    ks = [k for k in runs if k is not None and 1 < k <= leaves]
    if not ks:
        raise UserError(f"config: figures: tree: leaves: found {leaves}, but {clusterer} has no k from 2 to {leaves}")
    best = {k: runs[k].labels[runs[k].best].astype(np.intp) for k in ks}
    return {1: np.zeros_like(best[ks[0]]), **best}


def _nodes(levels: Mapping[int, np.ndarray]) -> list[dict[str, Any]]:
    """Return the nodes of the tree, each a cluster with its members and its parent.

    `levels` has the labels of each k. A cluster that several k have is one node. The parent is the cluster of the next
    smaller k that contains this cluster. Raises `UserError` if there is no such cluster.
    """
    nodes: list[dict[str, Any]] = []
    above: dict[int, int] = {}  # the node of each image at the level above
    for k, labels in levels.items():
        here: dict[int, int] = {}
        for cluster in np.unique(labels[labels >= 0]):
            members = np.flatnonzero(labels == cluster).tolist()
            parents = {above[i] for i in members} if above else {None}
            if len(parents) > 1:
                raise UserError(
                    f"config: figures: tree: the clusters with k = {k} do not refine those before; "
                    "allowed: a clusterer whose clusters are nested (linkage, density_peaks)"
                )
            parent = parents.pop()
            if parent is not None and nodes[parent]["size"] == len(members):
                node = parent
                nodes[node]["last_k"] = k
            else:
                node = len(nodes)
                facts = {"node": node, "parent": parent, "first_k": k, "last_k": k}
                nodes.append({**facts, "size": len(members), "members": members})
            here.update(dict.fromkeys(members, node))
        above = here
    return nodes


def _described(
    node: Mapping[str, Any], points: np.ndarray, manifest: pd.DataFrame, named: Sequence[int]
) -> dict[str, Any]:
    members = node["members"]
    distances = np.linalg.norm(points[members] - points[members].mean(axis=0), axis=1)
    inside = [row for row in named if row in members]
    typical = inside[0] if inside else members[np.argmin(distances)]
    counts = manifest["label"].iloc[members].value_counts()
    counts = counts[counts == counts.max()].sort_index() / counts.sum() if len(counts) else counts
    return {
        **{name: node[name] for name in ("node", "parent", "first_k", "last_k", "size")},
        "typical": manifest["image_id"].iloc[typical],
        "row": int(manifest["row"].iloc[typical]),
        "label": counts.index[0] if len(counts) else None,
        "share": counts.iloc[0] if len(counts) else np.nan,
        "named": manifest["path"].iloc[typical] if inside else None,
    }


def _places(nodes: pd.DataFrame) -> np.ndarray:
    """Return the horizontal place of every node, (nodes,): leaves side by side, others in the middle of their
    children."""
    children: dict[int, list[int]] = {node: [] for node in nodes["node"]}
    for node, parent in zip(nodes["node"], nodes["parent"], strict=True):
        if parent is not None and not pd.isna(parent):
            children[int(parent)].append(node)
    places = np.zeros(len(nodes))
    next_leaf = iter(range(len(nodes)))

    def settle(node: int) -> float:
        below = [settle(child) for child in children[node]]
        places[node] = np.mean([below[0], below[-1]]) if below else next(next_leaf)
        return places[node]

    settle(0)
    return places


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the tree from the top down, a level for each k at which a cluster divides, with an image at each node."""
    labelled = bool(table["label"].notna().any())
    by_class = class_looks(table["label"], inputs["classes"], style)
    levels = {k: level for level, k in enumerate(sorted(table["first_k"].unique()))}
    n_leaves = int(table["x"].max()) + 1
    side = min(0.8 * figure["width"] / n_leaves, 0.62 * LEVEL)
    letters = dict(zip(dict.fromkeys(table["named"].dropna()), ascii_lowercase, strict=False))
    with theme(style), store.reading(inputs["preprocessed"][0]) as file:
        made = canvas(figure, LEVEL * len(levels) + (14 if labelled else 8) + (4 if letters else 0))
        ax = made.subplots()
        ax.set(xlim=(-0.6, n_leaves - 0.4), ylim=(len(levels) - 0.35, -0.5))
        ax.set_yticks(list(levels.values()), [f"k = {k}" for k in levels])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_xticks([])
        _draw_branches(ax, table, levels)
        what = [_explanation(table.iloc[0])]
        if letters:
            what.append(wrapped(_key(letters, hidden_images(table)), figure["width"] - 15, style["font_size"]))
        ax.set_title("\n".join(what), pad=12)
        if labelled:
            short = short_names(by_class)
            legend_below(made, {short[name]: dot(look) for name, look in by_class.items()}, style)
        made.draw_without_rendering()
        for node in table.to_dict("records"):
            inset = _inset(ax, node["x"], levels[node["first_k"]], side, figure["width"])
            show_framed(inset, node, file["images"], by_class)
            inset.set_title(
                _caption(node, letters.get(node["named"], "")), loc="center", size=small(style), pad=2, bbox=COVER
            )
    return made


def _explanation(root: pd.Series) -> str:
    measured = f" Leaves against {root['against']}s: ARI {decimal(root['ari'])}, NMI {root['nmi']:.2f}."
    agreement = "" if pd.isna(root["ari"]) else measured
    return f"Images of each node, share of its main class; n = {root['size']}.{agreement}"


def _key(letters: Mapping[str, str], hidden: Sequence[str]) -> str:
    """Return a text that says which letter stands for which named image, by path, and which images are `hidden`."""
    files = short_names([*letters, *hidden], 24)
    key = "; ".join(f"{letter}: {files[path]}" for path, letter in letters.items())
    return f"Named images: {key}. {hidden_in_words(hidden, files)}"


def _draw_branches(ax: Axes, table: pd.DataFrame, levels: Mapping[int, int]) -> None:
    for node in table.dropna(subset=["parent"]).to_dict("records"):
        above = table.iloc[int(node["parent"])]
        top, bottom, x = levels[above["first_k"]], levels[node["first_k"]], node["x"]
        ax.plot([above["x"], x, x], [bottom - 0.5, bottom - 0.5, bottom], color=INK, linewidth=0.7, zorder=0)
        ax.plot([above["x"]] * 2, [top, bottom - 0.5], color=INK, linewidth=0.7, zorder=0)


def _inset(ax: Axes, x: float, level: float, side: float, width: float) -> Axes:
    """Return new square axes, centred at the point (`x`, `level`) of the tree.

    `side` (mm) is the side of the axes, and `width` (mm) the width of the figure.
    """
    box = ax.get_window_extent().transformed(ax.figure.transFigure.inverted())  # type: ignore[union-attr]
    wide = side / (width * box.width)
    high = wide * ax.bbox.width / ax.bbox.height
    at = ax.transAxes.inverted().transform(ax.transData.transform((x, level)))
    return ax.inset_axes((at[0] - wide / 2, at[1] - high / 2, wide, high), zorder=3)


def _caption(node: Mapping[str, Any], letter: str) -> str:
    size = f"{letter}: {node['size']}" if letter else f"{node['size']}"
    return size if pd.isna(node["share"]) else f"{size}, {100 * node['share']:.0f} %"
