"""Compute evidence about an image's label from the labels of its neighbours and of the other images in its cluster.

The label of the image itself is not used.
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

QUERIES = 1024
"""Number of images whose neighbours are searched at once."""


def neighbour_shares(
    points: np.ndarray, codes: np.ndarray, n_classes: int, neighbours: int, groups: np.ndarray
) -> np.ndarray:
    """Return the share of each class among the nearest images of other groups, (N, n_classes) float64.

    Images of the same group (such as one specimen) do not count for each other. So the shares are out-of-sample
    probabilities, those of a k-nearest-neighbour classifier that leaves out one group at a time.

    Parameters
    ----------
    points : (N, d), in two groups or more.
    codes : (N,) classes as integers from 0.
    n_classes : number of classes.
    neighbours : number of neighbours; if an image has fewer images in other groups, all of them are used.
    groups : (N,) integers from 0, such as the number of each image's specimen.
    """
    reach = min(neighbours + np.bincount(groups).max(), len(points))
    shares = np.empty((len(points), n_classes))
    with threadpool_limits(1):
        search = NearestNeighbors(n_neighbors=reach).fit(points)
        for start in range(0, len(points), QUERIES):
            rows = slice(start, start + QUERIES)
            nearest = search.kneighbors(points[rows], return_distance=False)
            foreign = groups[nearest] != groups[rows, None]
            foreign &= foreign.cumsum(axis=1) <= neighbours
            votes = np.zeros((len(nearest), n_classes))
            np.add.at(votes, (np.nonzero(foreign)[0], codes[nearest[foreign]]), 1)
            shares[rows] = votes / foreign.sum(axis=1, keepdims=True)
    return shares


def cluster_shares(partition: np.ndarray, codes: np.ndarray, n_classes: int, groups: np.ndarray) -> np.ndarray:
    """Return the share of each class among the images of other groups in each image's cluster, (N, n_classes) float64.

    The shares are NaN for noise, and for an image whose cluster has no images of other groups.

    Parameters
    ----------
    partition : (N,) integers; negative is noise.
    codes : (N,) classes as integers from 0.
    n_classes : number of classes.
    groups : (N,) integers from 0.
    """
    one_hot = np.eye(n_classes)[codes]
    members = partition >= 0
    clusters = np.where(members, partition, 0)
    own = np.unique(np.column_stack([clusters, groups]), axis=0, return_inverse=True)[1].ravel()
    in_cluster, in_group = (_summed(one_hot[members], keys[members]) for keys in (clusters, own))
    others = np.zeros_like(one_hot)
    others[members] = in_cluster - in_group
    totals = others.sum(axis=1, keepdims=True)
    return np.divide(others, totals, out=np.full_like(others, np.nan), where=totals > 0)


def _summed(values: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return, for each row of `values` (N, C), the sum of all rows that have the same integer in `keys` (N,)."""
    sums = np.zeros((keys.max(initial=0) + 1, values.shape[1]))
    np.add.at(sums, keys, values)
    return sums[keys]


def votes_against(shares: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return whether another class has a larger share than the image's own class, (N,) bool; False if shares are NaN.

    `shares` (N, C) are the shares of the classes, and `codes` (N,) are the classes of the images themselves.
    """
    return shares.max(axis=1) > shares[np.arange(len(codes)), codes]
