"""Compare clusterers and their running times on six shapes in the plane."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.preprocessing import StandardScaler

from workflow_scripts.clusterers.density_peaks import best_centres
from workflow_scripts.clusterers.once import once, runs_of
from workflow_scripts.errors import UserError
from workflow_scripts.figures.canvas import canvas, note
from workflow_scripts.figures.colours import FAINT, INK, PALE, looks
from workflow_scripts.figures.texts import wrapped
from workflow_scripts.figures.theme import small, theme
from workflow_scripts.io.runs import NOISE, Runs

ANISOTROPY = [[0.6, -0.6], [-0.4, 0.8]]
"""The matrix that stretches round groups, from scikit-learn's comparison of clusterers."""
HIGHEST = 32
"""Largest height of a panel in millimetres."""
WARM_UP = 100
"""Number of points that each clusterer runs on before it is timed, so that loading and compiling are not measured."""


def _anisotropic(n: int, seed: int) -> np.ndarray:
    return make_blobs(n, random_state=seed)[0] @ ANISOTROPY


SHAPES: dict[str, tuple[int, Callable[[int, int], np.ndarray]]] = {
    "two rings": (2, lambda n, seed: make_circles(n, factor=0.5, noise=0.05, random_state=seed)[0]),
    "two moons": (2, lambda n, seed: make_moons(n, noise=0.05, random_state=seed)[0]),
    "three widths": (3, lambda n, seed: make_blobs(n, cluster_std=[1, 2.5, 0.5], random_state=seed)[0]),
    "stretched": (3, _anisotropic),
    "three blobs": (3, lambda n, seed: make_blobs(n, random_state=8)[0]),
    "no clusters": (3, lambda n, seed: np.random.default_rng(seed).random((n, 2))),
}
"""For each shape the number of clusters to ask for, and a function that makes the points.

The shapes are those of scikit-learn's comparison of clusterers, which Coronica 2018 also uses (figure 4.1).
"""
SEED = 170
"""Seed of scikit-learn's comparison, with which the blobs do not overlap."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Run each clusterer of `figure["clusterers"]` once on each shape.

    The running times are measured, so this table has other bytes each time it is made.

    Returns
    -------
    DataFrame with one row per shape, clusterer and point: `shape, clusterer, x, y` (standardised), `cluster` (`NOISE`
    for noise, -2 if the clusterer refuses the data), `seconds` (wall time of the clustering; NaN if refused),
    `n_clusters`, and `is_centre` (whether the point is a centre of Density Peaks; false for other methods).
    """
    tables = []
    for shape, (k, points_of) in SHAPES.items():
        points = StandardScaler().fit_transform(points_of(figure["n_points"], SEED))
        for name, settings in figure["clusterers"].items():
            labels, centres, seconds = _timed(points, once(settings, k))
            constants = {
                "shape": shape,
                "clusterer": name,
                "seconds": seconds,
                "n_clusters": len(set(labels[labels >= 0])),
            }
            of_points = {"x": points[:, 0], "y": points[:, 1], "cluster": labels}
            of_points["is_centre"] = np.isin(np.arange(len(points)), centres)
            tables.append(pd.DataFrame(of_points).assign(**constants))
    return pd.concat(tables, ignore_index=True)


def _timed(points: np.ndarray, settings: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, float]:
    """Cluster `points` (N, 2) once; return the labels (N,), the indices of the centres, and the time in seconds.

    Only Density Peaks has centres; for other methods the array is empty. If the clusterer refuses the points, all
    labels are `NOISE` - 1 and the time is NaN.
    """
    try:
        runs_of(settings, points[:WARM_UP])
        start = perf_counter()
        runs = runs_of(settings, points)
        seconds = perf_counter() - start
    except UserError:
        return np.full(len(points), NOISE - 1), np.empty(0, int), np.nan
    return runs.labels[runs.best_of_repeats[0]].astype(np.int64), _centres(runs, settings), seconds


def _centres(runs: Runs, settings: Mapping[str, Any]) -> np.ndarray:
    if settings["method"] != "density_peaks":
        return np.empty(0, int)
    return best_centres(runs.diagnostics["density"], runs.diagnostics["distance"])[: settings["k"][0]]


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a row for each shape and a column for each clusterer; clusters are coloured in the order of their sizes."""
    shapes, clusterers = (list(dict.fromkeys(table[name])) for name in ("shape", "clusterer"))
    with theme(style):
        side = min(figure["width"] / len(clusterers), HIGHEST)
        made = canvas(figure, side * len(shapes) + 12)
        axes = made.subplots(len(shapes), len(clusterers), squeeze=False)
        groups = table.groupby(["shape", "clusterer"], sort=False)
        for row, shape in zip(axes, shapes, strict=True):
            for ax, clusterer in zip(row, clusterers, strict=True):
                _draw_points(ax, groups.get_group((shape, clusterer)), style)
            row[0].set_ylabel(wrapped(shape, side - 2, style["font_size"]))
        for ax, clusterer in zip(axes[0], clusterers, strict=True):
            words = clusterer.replace("_", " ")
            ax.set_title(wrapped(words, figure["width"] / len(clusterers) - 4, style["font_size"]), loc="center")
        n = len(table) // len(groups)
        stars = " Stars: centres of Density Peaks." if table["is_centre"].any() else ""
        note(
            made, f"{n} points per shape. Corners: clusters, measured seconds (one thread). Pale: noise.{stars}", style
        )
    return made


def _draw_points(ax: Axes, table: pd.DataFrame, style: Mapping[str, Any]) -> None:
    by_size = (
        table.loc[table["cluster"] >= 0, "cluster"]
        .value_counts()
        .sort_index()
        .sort_values(ascending=False, kind="stable")
    )
    colours = {cluster: look.colour for cluster, look in looks([*by_size.index], style).items()}
    shown = [colours.get(cluster, PALE) for cluster in table["cluster"]]
    ax.scatter(table["x"], table["y"], 1.2, shown, linewidths=0, rasterized=True)
    centres = table[table["is_centre"]]
    ax.scatter(centres["x"], centres["y"], 24, INK, marker="*", edgecolors="white", linewidths=0.3, zorder=3)
    ax.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
    for side in ax.spines.values():
        side.set(visible=True, color=FAINT, linewidth=0.4)
    seconds = table["seconds"].iloc[0]
    duration = "refused" if np.isnan(seconds) else f"{seconds:.2g} s"
    n_clusters = table["n_clusters"].iloc[0]
    where: dict[str, Any] = {"transform": ax.transAxes, "size": 0.85 * small(style), "color": INK}
    boxed = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.6}
    ax.text(0.98, 0.02, duration, ha="right", va="bottom", bbox=boxed, **where)
    ax.text(0.02, 0.02, f"{n_clusters}", ha="left", va="bottom", bbox=boxed, **where)
