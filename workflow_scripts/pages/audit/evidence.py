"""Evidence for the labels of an image from its neighbours and its cluster, without the image's own label."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits


def neighbour_shares(points: np.ndarray, codes: np.ndarray, n_classes: int, neighbours: int) -> np.ndarray:
    """Return the share of each class among the nearest other images, (N, n_classes) float64.

    An image is not its own neighbour, so these are out-of-sample probabilities: those of a k-nearest-neighbour
    classifier with leave-one-out.

    Parameters
    ----------
    points : (N, d), N >= 2.
    codes : (N,) classes as integers from 0.
    n_classes : number of classes.
    neighbours : number of neighbours, at most N - 1 are used.
    """
    with threadpool_limits(1):
        search = NearestNeighbors(n_neighbors=min(neighbours, len(points) - 1)).fit(points)
        nearest = search.kneighbors(return_distance=False)  # without a query, a point is not its own neighbour
    return np.eye(n_classes)[codes[nearest]].mean(axis=1)


def cluster_shares(partition: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the share of each class among the other images of an image's cluster, (N, n_classes) float64.

    The shares are NaN for noise and for an image that is alone in its cluster.

    Parameters
    ----------
    partition : (N,) integers; negative is noise.
    codes : (N,) classes as integers from 0.
    n_classes : number of classes.
    """
    own = np.eye(n_classes)[codes]
    counts = np.zeros((int(partition.max(initial=0)) + 1, n_classes))
    members = partition >= 0
    np.add.at(counts, partition[members], own[members])
    others = np.where(members[:, None], counts[partition] - own, 0)
    totals = others.sum(axis=1, keepdims=True)
    return np.divide(others, totals, out=np.full_like(others, np.nan), where=totals > 0)


def votes_against(shares: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return whether another class has a larger share than the image's own, (N,) bool; False for NaN."""
    return shares.max(axis=1) > shares[np.arange(len(codes)), codes]
