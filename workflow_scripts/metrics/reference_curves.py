"""Compute reference values of normalised mutual information (NMI) for each number of clusters.

If there are more clusters than labels, the NMI of good clusters is below 1: the clusters have more entropy than the
labels, even if no cluster mixes labels. The NMI of random clusters is above 0, and grows with their number (Coronica
2018, section 4.3).
"""

from collections.abc import Iterable
from heapq import heapify, heappush, heapreplace

import numpy as np
import numpy.typing as npt
import pandas as pd

from workflow_scripts.metrics.contingency import encode_classes

CURVES = ("refinement", "random", "orthogonal")


def reference_curves(y: npt.ArrayLike, ks: Iterable[int], *, draws: int = 20, seed: int = 0) -> pd.DataFrame:
    """Return the NMI (geometric mean) of three kinds of partitions with the labels, for each number of clusters.

    - `refinement`: begins with one part for each label; the largest part is cut into halves until there are k parts.
      The NMI is sqrt(H(labels) / H(parts)), exactly. It is NaN if k is below the number of labels.
    - `random`: each image gets one of k clusters with equal probability. The NMI is the mean over `draws` partitions,
      with their standard deviation.
    - `orthogonal`: the images, sorted by label, get the clusters 0, 1, ..., k - 1, 0, 1, ..., so that every cluster has
      the same share of each label, up to rounding. The NMI is exact.

    Parameters
    ----------
    y : (N,) strings or integers; None, NaN and "" are missing labels and left out.
    ks : numbers of clusters; those above the number of labelled images are left out.
    draws : number of random partitions for each k.
    seed : seed of the draws; the draws for one k do not depend on the other k.

    Returns
    -------
    DataFrame with the columns `k`, `curve` (one of `CURVES`), `nmi` and `sd` (the standard deviation with ddof 1; 0 for
    the exact curves).
    """
    codes, classes = encode_classes(y)
    codes = np.sort(codes[codes >= 0])
    ks = [k for k in sorted(set(ks)) if k <= len(codes)]
    refined = _refinements(np.bincount(codes, minlength=len(classes)), ks)
    rows = []
    for k in ks:
        random = _random(codes, k, draws, np.random.default_rng([seed, k]))
        rows += [
            (k, "refinement", refined.get(k, np.nan), 0.0),
            (k, "random", random.mean(), random.std(ddof=1) if draws > 1 else np.nan),
            (k, "orthogonal", nmi_geometric(codes, np.arange(len(codes)) % k), 0.0),
        ]
    return pd.DataFrame(rows, columns=["k", "curve", "nmi", "sd"])


def nmi_geometric(codes: np.ndarray, labels: np.ndarray) -> float:
    """Return the mutual information of two partitions divided by the geometric mean of their entropies.

    Both are (N,) integers from 0. As in scikit-learn the value is 1 if both have a single cluster, and 0 if only one of
    them has.
    """
    n_labels = labels.max() + 1
    joint, one, other = (_entropy(np.bincount(numbers)) for numbers in (codes * n_labels + labels, codes, labels))
    if one == 0 or other == 0:
        return float(one == other)
    return max(one + other - joint, 0.0) / np.sqrt(one * other)


def _entropy(sizes: np.ndarray) -> float:
    """Return the entropy in nats of a partition with parts of these sizes."""
    shares = sizes[sizes > 0] / sizes.sum()
    return max(float(-(shares * np.log(shares)).sum()), 0.0)


def _random(codes: np.ndarray, k: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    return np.array([nmi_geometric(codes, rng.integers(k, size=len(codes))) for _ in range(draws)])


def _refinements(sizes: np.ndarray, ks: Iterable[int]) -> dict[int, float]:
    """Return for each k the NMI between the labels and their refinement into k parts (see `reference_curves`).

    `sizes` are the numbers of images with each label. k below the number of labels are left out.
    """
    entropy = _entropy(sizes)
    parts = [-int(size) for size in sizes]  # negative, because a heap gives the smallest first
    heapify(parts)
    nmi = {}
    for k in sorted(ks):
        if k < len(sizes):
            continue
        while len(parts) < k:
            half = parts[0] // 2
            heappush(parts, heapreplace(parts, half) - half)
        refined = _entropy(-np.array(parts))
        nmi[k] = np.sqrt(entropy / refined) if entropy else float(refined == 0)
    return nmi
