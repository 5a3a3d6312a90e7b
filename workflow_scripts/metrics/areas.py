"""Compute the share of the area that each cluster of tiles covers, with a confidence interval.

A tile is a rectangle of an image. The interval takes into account that tiles of one image are similar to each other.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import beta, t

FEWEST_GROUPS = 10
"""Smallest number of groups (such as images or specimens) that count as independent units; if there are fewer, blocks
of images do."""
BLOCKS = 4
"""Number of blocks that each side of an image is divided into."""


def tile_areas(tiles: pd.DataFrame) -> np.ndarray:
    """Return the area in pixels of each tile of one image, (N,) float64.

    An area that several tiles cover is divided equally among them. `tiles` has the columns `x, y, width, height` in
    pixels. The tiles form a grid: for each x and each y there is a tile at (x, y).
    """
    return _shares(tiles["x"], tiles["width"]) * _shares(tiles["y"], tiles["height"])


def _shares(starts: pd.Series, lengths: pd.Series) -> np.ndarray:
    """Return the length of each interval, (N,), without double counting: where k different intervals overlap, each gets
    1 / k.

    `starts` (N,) are the beginnings of the intervals, and `lengths` (N,) their lengths.
    """
    begin, end = starts.to_numpy(), (starts + lengths).to_numpy()
    intervals = np.unique(np.column_stack([begin, end]), axis=0)
    cuts = np.unique(intervals)
    within = (intervals[:, :1] <= cuts[:-1]) & (intervals[:, 1:] >= cuts[1:])
    shared = (within * (np.diff(cuts) / within.sum(axis=0).clip(1))).sum(axis=1)
    place = {tuple(interval): share for interval, share in zip(intervals.tolist(), shared, strict=True)}
    return np.array([place[interval] for interval in zip(begin.tolist(), end.tolist(), strict=True)])


def blocks(tiles: pd.DataFrame) -> np.ndarray:
    """Return the number of the block in which the middle of each tile lies, (N,) integers.

    The tiles are those of one image; the area that they cover is divided into `BLOCKS` x `BLOCKS` blocks. `tiles` has
    the columns of `tile_areas`.
    """
    places = []
    for start, length in (("x", "width"), ("y", "height")):
        middle = tiles[start] + tiles[length] / 2
        extent = (tiles[start] + tiles[length]).max() - tiles[start].min()
        place = (middle - tiles[start].min()) / extent * BLOCKS
        places.append(np.clip(place.to_numpy().astype(int), 0, BLOCKS - 1))
    return places[0] * BLOCKS + places[1]


def fractions(
    clusters: npt.ArrayLike, areas: npt.ArrayLike, units: npt.ArrayLike, confidence: float = 0.95
) -> pd.DataFrame:
    """Return the share of the area that each cluster covers, with a confidence interval.

    The interval is for the population from which the images were drawn. Units (images, or blocks of images) are assumed
    to be independent of each other; the tiles of one unit are not. The interval is that of Clopper and Pearson for an
    effective number of tiles. This number is computed from the variance between units (Korn and Graubard 1998, Survey
    Methodology 24, 193-201). It is at most the number of tiles; for a share of 0 or 1 it is the number of units.

    Parameters
    ----------
    clusters : (N,), the cluster of each tile.
    areas : (N,), the area of each tile, in any unit.
    units : (N,), the unit (image or block) of each tile.
    confidence : confidence of the interval, between 0 and 1.

    Returns
    -------
    DataFrame with the index `cluster` (ascending) and the columns `area` (sum over the tiles), `fraction` (the share, 0
    to 1), `low` and `high` (the ends of the interval; NaN if there is a single unit) and `n_tiles`.
    """
    table = pd.DataFrame({"cluster": clusters, "area": areas, "unit": units})
    by_unit = table.pivot_table(index="unit", columns="cluster", values="area", aggfunc="sum", fill_value=0.0)
    whole = by_unit.to_numpy().sum()
    worth = whole / table["area"].max()
    rows = {
        cluster: (of_unit.sum(), *_interval(of_unit.to_numpy(), by_unit.sum(axis=1).to_numpy(), worth, confidence))
        for cluster, of_unit in by_unit.items()
    }
    made = pd.DataFrame.from_dict(rows, orient="index", columns=["area", "fraction", "low", "high"])
    made["n_tiles"] = table["cluster"].value_counts()
    return made.rename_axis("cluster")


def _interval(of_unit: np.ndarray, unit: np.ndarray, most: float, confidence: float) -> tuple[float, float, float]:
    """Return the share of the area that a cluster covers, and the two ends of its confidence interval.

    A unit is an image, or a block of an image (see `fractions`). `of_unit` (n,) is the area that the cluster covers in
    each unit, and `unit` (n,) the area of all tiles in each unit. The effective number of tiles is at most `most`; it
    is n if the cluster has the same share in all units.
    """
    n, p = len(unit), float(of_unit.sum() / unit.sum())
    if n < 2:
        return p, np.nan, np.nan
    variance = n / (n - 1) * np.square((of_unit - p * unit) / unit.sum()).sum()
    tail = (1 - confidence) / 2
    worth: float = n
    if 0 < p < 1 and variance > 0:
        loss = t.isf(tail, max(most - 1, 1)) / t.isf(tail, n - 1)
        worth = min(most, p * (1 - p) / variance * loss**2)
    x = p * worth
    low = beta.ppf(tail, x, worth - x + 1) if p > 0 else 0.0
    high = beta.isf(tail, x + 1, worth - x) if p < 1 else 1.0
    return p, float(low), float(high)
