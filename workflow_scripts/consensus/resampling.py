"""Measure how stable the partition of a cell is when some of the images are left out."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from workflow_scripts.consensus.agreement import agreement_matrix

SHARE = 0.8
"""Share of the images in a sample."""


def stability_under_resampling(
    points: np.ndarray,
    partition: np.ndarray,
    cluster: Callable[[np.ndarray, int], np.ndarray],
    *,
    n_resamples: int,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> float:
    """Return the mean agreement (ARI) of a partition with new partitions of samples of its images.

    Each sample has the share `SHARE` of the images, drawn without replacement, and is clustered again. The two
    partitions are compared on the images of the sample. The reduction of the features is not fitted again.

    Parameters
    ----------
    points : (N, d) float64.
    partition : (N,) integers, negative for noise.
    cluster : a function that clusters points (n, d) with a seed and returns labels (n,).
    n_resamples : number of samples, 1 or more.
    seed : seed of the samples.
    groups :
        (N,) str, groups of images, such as specimens, which are drawn as a whole; None if all images are independent.
    """
    unit = np.arange(len(points)) if groups is None else pd.factorize(groups)[0]
    n_units = int(unit.max()) + 1
    n_drawn = max(1, min(n_units - 1, round(SHARE * n_units)))  # at least one is left out
    rng = np.random.default_rng(seed)
    agreements = []
    for number in range(n_resamples):
        drawn = rng.permutation(n_units)[:n_drawn]
        rows = np.flatnonzero(np.isin(unit, drawn))
        both = np.stack([partition[rows], cluster(points[rows], number)])
        agreements.append(agreement_matrix(both)[0, 1])
    return float(np.mean(agreements))
