"""What normalised mutual information is worth at each number of clusters: curves of partitions made from the labels.

Between partitions of different numbers of clusters NMI can't be 0 to 1: a perfect refinement of the labels has more
entropy than they have, and random labels share more with them the more there are (Coronica 2018, section 4.3).
"""

from collections.abc import Iterable
from heapq import heapify, heappush, heapreplace

import numpy as np
import numpy.typing as npt
import pandas as pd

from workflow_scripts.metrics.contingency import encode_classes

CURVES = ("refinement", "random", "orthogonal")


def reference_curves(y: npt.ArrayLike, ks: Iterable[int], *, draws: int = 20, seed: int = 0) -> pd.DataFrame:
    """Return NMI (geometric mean) of three kinds of partitions with the labels, for each number of clusters.

    - `refinement`: the labels, the largest part split into halves until there are k: sqrt(H(labels) / H(parts)),
      exactly. There is none below the number of labels.
    - `random`: each image gets one of k labels, all equally probable; mean and standard deviation of `draws`.
    - `orthogonal`: the images in the order of their labels get 0, 1, ..., k - 1, 0, 1, ..., so that each part holds
      every label in its proportion, as nearly as whole images allow. Exact.

    Parameters
    ----------
    y : (N,) strings or integers; None, NaN and "" are missing labels, and left out.
    ks : numbers of clusters; for more than there are labelled images all is NaN.
    draws : of random labels for each k.
    seed : of the draws; those of one k do not depend on the others.

    Returns
    -------
    DataFrame with columns `k`, `curve` (of `CURVES`), `nmi` and `sd` (ddof 1; 0 for the exact ones).
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
    """Return the mutual information of two labelings divided by the geometric mean of their entropies.

    Both (N,) integers from 0 on. As in scikit-learn it is 1 if both have a single cluster, and 0 if only one has.
    """
    n_labels = labels.max() + 1
    joint, one, other = (_entropy(np.bincount(numbers)) for numbers in (codes * n_labels + labels, codes, labels))
    if one == 0 or other == 0:
        return float(one == other)
    return max(one + other - joint, 0.0) / np.sqrt(one * other)


def _entropy(sizes: np.ndarray) -> float:
    """Return entropy in nats of parts of these sizes."""
    shares = sizes[sizes > 0] / sizes.sum()
    return max(float(-(shares * np.log(shares)).sum()), 0.0)


def _random(codes: np.ndarray, k: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    return np.array([nmi_geometric(codes, rng.integers(k, size=len(codes))) for _ in range(draws)])


def _refinements(sizes: np.ndarray, ks: Iterable[int]) -> dict[int, float]:
    """Return NMI of the labels, parts of these sizes, with their refinement into k parts."""
    entropy = _entropy(sizes)
    parts = [-int(size) for size in sizes]  # the smallest is the first of a heap
    heapify(parts)
    nmi = {}
    for k in sorted(ks):
        if k < len(sizes):
            continue
        while len(parts) < k:
            half = parts[0] // 2
            heappush(parts, heapreplace(parts, half) - half)
        of_parts = _entropy(-np.array(parts))
        nmi[k] = np.sqrt(entropy / of_parts) if entropy else float(of_parts == 0)
    return nmi
