"""Choose images that show what clusters are like: typical, border and extreme members, and near-twins.

Near-twins are two similar images in different clusters.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers.means import cluster_means
from workflow_scripts.metrics import majority_names
from workflow_scripts.metrics.votes import NOISE, apart

PLACES = ("nearest", "border", "farthest")
"""The kinds of members: nearest to the centre of their cluster, on the border to another cluster, and farthest from the
centre."""
NAMED = "named"
"""The kind (`place`) of images that the settings name."""


def cluster_names(partition: np.ndarray, labels: pd.Series) -> dict[int, str]:
    """Return the name of each cluster by its number; a cluster is named after the class of most of its images.

    The largest cluster of class `Sc` is `Sc`, the next one `Sc-2`. The names are sorted by class, and then from the
    largest cluster to the smallest; clusters without a labelled image follow. If no image has a label, the name of a
    cluster is its number. Noise (negative numbers) comes last and is called `noise`, or `(noise)` if a class or cluster
    has that name. `partition` (N,) are integers, `labels` (N,) classes or None.
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
    DataFrame with one row for each point, in order: `cluster`, `own` (distance to the mean of its cluster; NaN for
    noise), `next` (the other cluster with the nearest mean; -1 if there is none), `other` (distance to the mean of
    `next`; NaN if there is none).
    """
    clusters = np.unique(partition[partition >= 0])
    table = pd.DataFrame({"cluster": partition, "own": np.nan, "next": -1, "other": np.nan})
    if not len(clusters):
        return table
    means = cluster_means(points, partition)[clusters]
    # |x - c|^2 by a matrix product needs one array (N, k), with thousands of clusters of gigabytes, and none (N, k, d)
    distances = -2 * points @ means.T
    distances += np.square(points).sum(axis=1)[:, None]
    distances += np.square(means).sum(axis=1)
    np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
    members = np.flatnonzero(partition >= 0)
    own = np.searchsorted(clusters, partition[members])
    table.loc[members, "own"] = distances[members, own]
    if len(clusters) > 1:
        distances[members, own] = np.inf
        table.loc[members, "next"] = clusters[distances.argmin(axis=1)[members]]
        table.loc[members, "other"] = distances.min(axis=1)[members]
    return table


def nearest_clusters(points: np.ndarray, partition: np.ndarray) -> list[int]:
    """Return the numbers of the two clusters whose means are nearest to each other, ascending.

    If there are fewer than two clusters, all are returned. `points` are (N, d), and `partition` (N,) are integers,
    negative for noise.
    """
    clusters = np.unique(partition[partition >= 0])
    if len(clusters) < 2:
        return clusters.tolist()
    means = cluster_means(points, partition)[clusters]
    squares = np.stack([np.square(mean - means).sum(axis=1) for mean in means])  # never an array (k, k, d)
    np.fill_diagonal(squares, np.inf)
    return clusters[list(np.unravel_index(squares.argmin(), squares.shape))].tolist()


def example_members(distances: pd.DataFrame, count: int, named: Sequence[int] = ()) -> pd.DataFrame:
    """Return examples of each cluster: at most `count` images of each kind in `PLACES`, and the images in the rows
    `named`.

    `distances` is the table of `centre_distances`. The kinds are `nearest` and `farthest`, which have the smallest and
    the largest distance to the mean of their own cluster, and `border`, which has the highest ratio own / other (as in
    the simplified silhouette). The images `named` have the kind `NAMED` and keep their order. Noise is left out.

    Returns
    -------
    DataFrame sorted by cluster, kind and position: `cluster`, `place` (the kind), `position` (from 0), `row`, and
    `own`, `next`, `other` from `distances`. An image of a small cluster may have several kinds. If there is a single
    cluster, there is no `border`.
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
    """Return the pairs of an image and its nearest neighbour that are in different clusters. The closest pair comes
    first.

    Parameters
    ----------
    points : (N, d).
    partition : (N,) integers; negative is noise, which counts as one more cluster here.

    Returns
    -------
    DataFrame with one row per pair: `row` and `twin` (the rows of the two images, the lower first), `cluster` and
    `twin_cluster` (their clusters), `distance`, and `closer_than` (the share of all images whose nearest neighbour is
    farther away than `distance`).
    """
    distance, nearest = _nearest(points)
    rows = np.arange(len(points))
    pairs = pd.DataFrame({"row": np.minimum(rows, nearest), "twin": np.maximum(rows, nearest), "distance": distance})
    separated = pairs[partition[rows] != partition[nearest]].drop_duplicates(["row", "twin"])
    return _compared(separated.sort_values(["distance", "row"], ignore_index=True), partition, distance)


def twins_of(points: np.ndarray, partition: np.ndarray, rows: Sequence[int]) -> pd.DataFrame:
    """Return the images in `rows`, in their order, each with the nearest image of another cluster.

    `points` (N, d), `partition` (N,) and the columns are those of `separated_twins`. If there is a single cluster, the
    table is empty.
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
    """Return for each point (N, d) the distance to its nearest neighbour, and the neighbour's row, (N,) each.

    A single point is its own neighbour at an infinite distance.
    """
    if len(points) == 1:
        return np.array([np.inf]), np.array([0])

    from sklearn.neighbors import NearestNeighbors  # takes a second to import

    with threadpool_limits(1):
        distance, nearest = NearestNeighbors(n_neighbors=1).fit(points).kneighbors()
    return distance[:, 0], nearest[:, 0]


def _compared(pairs: pd.DataFrame, partition: np.ndarray, distance: np.ndarray) -> pd.DataFrame:
    """Return `pairs` with the columns that `separated_twins` describes.

    `pairs` has `row`, `twin` and `distance`. `distance` (N,) is the distance of each image to its nearest neighbour.
    """
    closer_than = 1 - np.searchsorted(np.sort(distance), pairs["distance"], side="right") / len(distance)
    clusters = {"cluster": partition[pairs["row"]], "twin_cluster": partition[pairs["twin"]]}
    table = pairs.assign(**clusters, closer_than=closer_than)
    return table[["row", "twin", "cluster", "twin_cluster", "distance", "closer_than"]]
