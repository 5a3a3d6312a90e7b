"""Measure the novelty of images: how far they are from the images of a model, compared with distances among these.

Distances are measured to the kept images only, which are at most two thirds of the model's images. The others are held
out: their novelty is measured like that of new images, and shows which values are usual. They are held out only here;
the clusters come from all images.
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from workflow_scripts.errors import UserError
from workflow_scripts.metrics.evenly import evenly

NEIGHBOURS = 10
"""Number of nearest images over which distances are averaged."""
HELD_OUT = 1 / 3
"""The share of the images that are held out."""
MOST_IMAGES = 10_000
"""Largest number of images that a model keeps to compare new ones with."""
MOST_NUMBERS = 2**26
"""Largest number of values in the features of all kept images, 256 MB."""
SMALLEST = float(np.finfo(np.float32).tiny)
"""Smallest distance to divide by, and smallest threshold."""
LARGEST = float(np.finfo(np.float32).max)
"""Largest novelty: that of an image far from many copies of one image, whose distances are 0. Models hold float32."""


def parted(n: int, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted indices of the images that a model may keep, and those of the held-out images.

    `groups` (n,) are groups of images, such as specimens. Whole groups are drawn at random, up to the share `HELD_OUT`
    of the images. If even the smallest group is larger than that, single images are drawn. Raises `UserError` for fewer
    than three images.
    """
    if n < 3:
        raise UserError(f"model: found {n} images, allowed: three or more, of which a third is held out")
    members = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(members)
    if sizes.min() > HELD_OUT * n:
        members, sizes = np.arange(n), np.ones(n, dtype=int)
    room, drawn = HELD_OUT * n, []
    for group in np.random.default_rng(0).permutation(len(sizes)):
        if sizes[group] <= room:
            room -= sizes[group]
            drawn.append(group)
    held_out = np.isin(members, drawn)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def at_most(most: int, rows: np.ndarray, width: int) -> np.ndarray:
    """Return at most `most` of the `rows` (n,), evenly spaced; fewer if their features would not fit into memory.

    A row has `width` features; together they may have at most `MOST_NUMBERS` numbers.
    """
    return rows[evenly(len(rows), min(most, max(MOST_NUMBERS // width, 2)))]


def outlier_threshold(known: np.ndarray, rate: float) -> float:
    """Return the novelty above which a new image is an outlier.

    It is chosen from the novelties `known` (K,) of the held-out images. The novelty of a new image of the same kind is
    above it with a probability of at most `rate`, or of 1 / (K + 1) if that is larger.
    """
    place = max(1, int(rate * (len(known) + 1) + 1e-9))
    return max(float(np.sort(known)[-place]), SMALLEST)


def spreads(kept: np.ndarray) -> np.ndarray:
    """Return the mean distance of each kept image (M, d) to its `NEIGHBOURS` nearest kept images, (M,)."""
    return _nearest(kept, None)[0].mean(axis=1)


def novelty(features: np.ndarray, kept: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the novelty of images, (n,) float64: near 1 for an image among similar images, larger for an unusual one.

    It is the mean distance of an image to its nearest kept images, divided by the mean `spread` of these. This is a
    local outlier factor with plain distances (Breunig et al. 2000). `features` are (n, d), and `kept` (M, d) are the
    features of the kept images; `spread` (M,) comes from `spreads`.
    """
    distances, nearest = _nearest(kept, features)
    beside = spread[nearest].mean(axis=1, dtype=np.float64)
    return np.minimum(distances.mean(axis=1) / np.maximum(beside, SMALLEST), LARGEST)


def _nearest(kept: np.ndarray, features: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances of images to their nearest kept images, and the rows of these in `kept`.

    Both are (n, neighbours). `features` (n, d) are the features of the images. If they are None, the images are the
    kept images, and no image is its own neighbour.
    """
    neighbours = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(kept) - 1), algorithm="brute")
    neighbours.fit(kept.astype(np.float64))
    return neighbours.kneighbors(None if features is None else np.asarray(features, dtype=np.float64))
