"""How strongly an image's neighbours and its cluster speak for a label, its own label left out of the count."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits


def neighbour_shares(points: np.ndarray, codes: np.ndarray, n_classes: int, neighbours: int) -> np.ndarray:
    """Return the share of each class among the nearest other images, (N, n_classes) float64.

    An image is not its own neighbour, so these are out-of-sample probabilities: those of a k-nearest-neighbour
    classifier under leave-one-out.

    Parameters
    ----------
    points : (N, d), N >= 2.
    codes : (N,) classes as integers from 0.
    neighbours : how many neighbours; at most N - 1 are taken.
    """
    with threadpool_limits(1):
        search = NearestNeighbors(n_neighbors=min(neighbours, len(points) - 1)).fit(points)
        nearest = search.kneighbors(return_distance=False)  # without a query: of each point, itself left out
    return np.eye(n_classes)[codes[nearest]].mean(axis=1)


def cluster_shares(partition: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the share of each class among the other images of an image's cluster, (N, n_classes) float64.

    Parameters
    ----------
    partition : (N,) integers; negative is noise.
    codes : (N,) classes as integers from 0.

    Returns
    -------
    NaN for noise and for an image that is alone in its cluster: nobody speaks there.
    """
    own = np.eye(n_classes)[codes]
    counts = np.zeros((int(partition.max(initial=0)) + 1, n_classes))
    members = partition >= 0
    np.add.at(counts, partition[members], own[members])
    others = np.where(members[:, None], counts[partition] - own, 0)
    totals = others.sum(axis=1, keepdims=True)
    return np.divide(others, totals, out=np.full_like(others, np.nan), where=totals > 0)


def votes_against(shares: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return whether another class has more votes than the image's own, (N,) bool; False where nobody speaks."""
    return shares.max(axis=1) > shares[np.arange(len(codes)), codes]
