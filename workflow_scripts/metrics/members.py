"""Choose typical, border and extreme members of clusters, and near-twins in different clusters."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.metrics import majority_names
from workflow_scripts.metrics.votes import NOISE, apart

PLACES = ("nearest", "border", "farthest")
"""Nearest to the own cluster's centre, on the border to the next cluster, and farthest from the own centre."""
NAMED = "named"
"""The place of images that were asked for by name."""


def cluster_names(partition: np.ndarray, labels: pd.Series) -> dict[int, str]:
    """Name each cluster after its majority class, and return the names by the numbers of the clusters.

    The largest cluster of class `Sc` is `Sc`, the next one `Sc-2`. The names are sorted by class, and then from the
    largest cluster to the smallest; clusters without a labelled image follow. If no image has a label, the name of a
    cluster is its number. Negative clusters come last and are called `noise`, or `(noise)` if a class or cluster has
    that name. `partition` (N,) are integers, `labels` (N,) classes or None.
    """
    votes = majority_names(partition, labels)
    if not votes["predicted"].notna().any():
        votes["name"] = votes.index.astype(str)
    else:
        votes = votes.sort_values(["predicted", "size"], ascending=[True, False], kind="stable")
    name = apart(NOISE, [*votes["name"], *pd.unique(pd.Series(labels))])
    noise = dict.fromkeys(np.unique(partition[partition < 0]).tolist(), name)
    return votes["name"].to_dict() | noise


def centre_distances(points: np.ndarray, partition: np.ndarray) -> pd.DataFrame:
    """Return the distance of each image to the mean of its own cluster and to the nearest mean of another cluster.

    Parameters
    ----------
    points : (N, d).
    partition : (N,) integers; negative is noise.

    Returns
    -------
    DataFrame in the order of `points`: `cluster`, `own` (distance to the mean of the own cluster; NaN for noise),
    `next` (the nearest other cluster, -1 if there is none), `other` (distance to the mean of `next`; NaN if there is
    none).
    """
    clusters = np.unique(partition[partition >= 0])
    table = pd.DataFrame({"cluster": partition, "own": np.nan, "next": -1, "other": np.nan})
    if not len(clusters):
        return table
    means = cluster_means(points, partition)[clusters]
    # |x - c|^2 by a matrix product needs an array (N, k) and not (N, k, d)
    squares = np.square(points).sum(axis=1)[:, None] - 2 * points @ means.T + np.square(means).sum(axis=1)
    distances = np.sqrt(np.maximum(squares, 0))
    is_own = partition[:, None] == clusters
    members = is_own.any(axis=1)
    table.loc[members, "own"] = distances[is_own]
    if len(clusters) > 1:
        others = np.where(is_own, np.inf, distances)
        table.loc[members, "next"] = clusters[others.argmin(axis=1)][members]
        table.loc[members, "other"] = others.min(axis=1)[members]
    return table


def nearest_clusters(points: np.ndarray, partition: np.ndarray) -> list[int]:
    """Return the two clusters whose means are nearest to each other, ascending; fewer if there are fewer clusters.

    `points` (N, d) and `partition` (N,) integers are of the same images.
    """
    clusters = np.unique(partition[partition >= 0])
    if len(clusters) < 2:
        return clusters.tolist()
    means = cluster_means(points, partition)[clusters]
    squares = np.square(means[:, None] - means).sum(axis=2) + np.diag(np.full(len(clusters), np.inf))
    return clusters[list(np.unravel_index(squares.argmin(), squares.shape))].tolist()


def example_members(distances: pd.DataFrame, count: int, named: Sequence[int] = ()) -> pd.DataFrame:
    """Return at most `count` images of each cluster for each of `PLACES`, and the rows `named` in the place `NAMED`.

    Nearest and farthest are sorted by the distance to the own centre, border by the ratio own / other (as in the
    simplified silhouette), highest first, and named images as they are given. Noise has no place.

    Returns
    -------
    DataFrame sorted by cluster, place and position: `cluster`, `place`, `position` (from 0), `row`, `own`, `next`,
    `other`. An image of a small cluster may occur in several places; with a single cluster there is no border.
    """
    members = distances[distances["cluster"] >= 0].rename_axis("row").reset_index()
    members["ratio"] = members["own"] / members["other"]
    orders = {"nearest": ("own", True), "border": ("ratio", False), "farthest": ("own", False)}
    tables = []
    for number, (place, (column, ascending)) in enumerate(orders.items()):
        ordered = members.dropna(subset=column).sort_values(column, ascending=ascending, kind="stable")
        position = ordered.groupby("cluster").cumcount()
        tables.append(ordered.assign(place=place, number=number, position=position)[position < count])
    asked = members.set_index("row", drop=False).loc[[row for row in named if distances["cluster"].iloc[row] >= 0]]
    position = asked.groupby("cluster").cumcount()
    tables.append(asked.assign(place=NAMED, number=len(PLACES), position=position))
    table = pd.concat(tables).sort_values(["cluster", "number", "position"], ignore_index=True)
    return table[["cluster", "place", "position", "row", "own", "next", "other"]]


def separated_twins(points: np.ndarray, partition: np.ndarray) -> pd.DataFrame:
    """Return the pairs of an image and its nearest neighbour that are in different clusters, the closest pair first.

    Parameters
    ----------
    points : (N, d).
    partition : (N,) integers; negative is noise, which counts as one more cluster here.

    Returns
    -------
    DataFrame with one row per pair: `row` and `twin` (the two rows, the lower first), `cluster`, `twin_cluster`,
    `distance`, `closer_than` (share of all images whose nearest neighbour is farther away).
    """
    distance, nearest = _nearest(points)
    rows = np.arange(len(points))
    pairs = pd.DataFrame({"row": np.minimum(rows, nearest), "twin": np.maximum(rows, nearest), "distance": distance})
    separated = pairs[partition[rows] != partition[nearest]].drop_duplicates(["row", "twin"])
    return _compared(separated.sort_values(["distance", "row"], ignore_index=True), partition, distance)


def twins_of(points: np.ndarray, partition: np.ndarray, rows: Sequence[int]) -> pd.DataFrame:
    """Return `rows` in their order, each with the nearest image of another cluster, as `separated_twins` does.

    Empty if there is a single cluster.
    """
    pairs = []
    for row in rows:
        others = np.flatnonzero(partition != partition[row])
        if len(others):
            distances = np.linalg.norm(points[others] - points[row], axis=1)
            pairs.append((row, others[distances.argmin()], distances.min()))
    table = pd.DataFrame(np.array(pairs).reshape(-1, 3), columns=["row", "twin", "distance"])
    return _compared(table.astype({"row": int, "twin": int}), partition, _nearest(points)[0])


def _nearest(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of each point (N, d) to its nearest neighbour, and the row of that, (N,) each.

    A single point is its own neighbour at an infinite distance.
    """
    if len(points) == 1:
        return np.array([np.inf]), np.array([0])

    from sklearn.neighbors import NearestNeighbors  # takes a second to import

    with threadpool_limits(1):
        distance, nearest = NearestNeighbors(n_neighbors=1).fit(points).kneighbors()
    return distance[:, 0], nearest[:, 0]


def _compared(pairs: pd.DataFrame, partition: np.ndarray, distance: np.ndarray) -> pd.DataFrame:
    """Return pairs with their clusters and `closer_than`; `distance` (N,) is that of each image to its neighbour."""
    closer_than = 1 - np.searchsorted(np.sort(distance), pairs["distance"], side="right") / len(distance)
    clusters = {"cluster": partition[pairs["row"]], "twin_cluster": partition[pairs["twin"]]}
    table = pairs.assign(**clusters, closer_than=closer_than)
    return table[["row", "twin", "cluster", "twin_cluster", "distance", "closer_than"]]
