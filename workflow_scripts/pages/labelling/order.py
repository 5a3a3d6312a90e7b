"""Order images without labels, so that the image whose label helps most comes first.

The first image of a cluster is its most typical one. A later image must be typical, and far from the images of its
cluster that already have a label. The explorer uses the same rule (`labelNext` in `explorer/labelling.js`), but its
points are rounded, and it takes a sample of a large cluster. So its order may differ in single images.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

TYPICAL_OF = 20
"""Number of nearest images of its cluster from which the typicality of an image is computed."""
FIRST = "the most typical image of a cluster without labels"
LATER = "typical, and far from the images of its cluster that were labelled before"


@dataclass
class Cluster:
    """The n images of a cluster and the state of their labelling.

    Attributes
    ----------
    rows : (n,) rows of the images among all images.
    points : (n, d).
    typicality : (n,) float64, see the function `typicality`.
    open : (n,) bool, whether a person can still be asked to label the image.
    n_labelled : number of images with a label.
    distance : (n,) float64, distance to the nearest image with a label; infinite if there is none.
    """

    rows: np.ndarray
    points: np.ndarray
    typicality: np.ndarray
    open: np.ndarray
    n_labelled: int
    distance: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.distance = np.full(len(self.rows), np.inf)

    @classmethod
    def of(cls, rows: np.ndarray, points: np.ndarray, labelled: np.ndarray) -> Self:
        """Return the cluster of the images in `rows` (n,).

        `points` (N, d) and `labelled` (N,) bool describe all images of the data set.
        """
        known, inside = labelled[rows], points[rows]
        cluster = cls(rows, inside, typicality(inside), ~known, int(known.sum()))
        if known.any() and not known.all():
            cluster.distance[~known] = _to_nearest(inside[~known], inside[known])
        return cluster

    def label(self, place: int) -> None:
        """Count the image at `place` (its index in the cluster) as labelled."""
        self.open[place] = False
        self.n_labelled += 1
        apart = np.linalg.norm(self.points - self.points[place], axis=1)
        self.distance = np.minimum(self.distance, apart)

    def next(self) -> int:
        """Return the index in the cluster of the image whose label helps most."""
        worth = self.typicality * self.distance if self.n_labelled else self.typicality
        return int(np.where(self.open, worth, -1).argmax())


def order_to_label(points: np.ndarray, partition: np.ndarray, labelled: np.ndarray, count: int) -> pd.DataFrame:
    """Return the images to label next; the image whose label helps most comes first.

    Each image is from the cluster with the fewest labels; of several such clusters, from the largest. If no image of
    the cluster has a label, it is the most typical one (TypiClust, Hacohen, Dekel and Weinshall 2022). Otherwise it is
    the image with the largest product of typicality and distance to the nearest image with a label.

    Parameters
    ----------
    points : (N, d), the points that were clustered.
    partition : (N,) integers; images with a negative number (noise) are not returned.
    labelled : (N,) bool, the images that have a label.
    count : largest number of images to return.

    Returns
    -------
    DataFrame with `row` (of `points`), `cluster` and `reason`.
    """
    queues = {
        number: Cluster.of(np.flatnonzero(partition == number), points, labelled)
        for number in np.unique(partition[partition >= 0]).tolist()
    }
    asked: list[tuple[int, int, str]] = []
    while len(asked) < count and (waiting := [number for number, queue in queues.items() if queue.open.any()]):
        number = min(waiting, key=lambda number: (queues[number].n_labelled, -len(queues[number].rows)))
        queue = queues[number]
        place = queue.next()
        asked.append((int(queue.rows[place]), number, LATER if queue.n_labelled else FIRST))
        queue.label(place)
    return pd.DataFrame(asked, columns=["row", "cluster", "reason"])


def asked_table(images: pd.DataFrame, asked: pd.DataFrame, names: Mapping[int, str]) -> pd.DataFrame:
    """Return the images to label next as a table for users.

    The columns are `rank` (from 1), `image_id`, `path`, `cluster` and `reason`.

    Parameters
    ----------
    images : `image_id` and `path` of all images, in the order of the points.
    asked : from `order_to_label`.
    names : names of the clusters, by number.
    """
    table = images.iloc[asked["row"]][["image_id", "path"]].reset_index(drop=True)
    table.insert(0, "rank", range(1, len(table) + 1))
    return table.assign(cluster=asked["cluster"].map(names), reason=asked["reason"])


def typicality(points: np.ndarray) -> np.ndarray:
    """Return 1 / (mean distance to the `TYPICAL_OF` nearest other points), (N,) float64.

    If there are fewer other points, all of them are taken. If all these distances are 0 (copies of one image), the
    value is the number of these distances. A single point has the value 0.
    """
    from sklearn.neighbors import NearestNeighbors  # takes a second to import

    neighbours = min(TYPICAL_OF, len(points) - 1)
    if not neighbours:
        return np.zeros(len(points))
    with threadpool_limits(1):
        distances, _ = NearestNeighbors(n_neighbors=neighbours).fit(points).kneighbors()
    total = distances.sum(axis=1)
    return neighbours / np.where(total > 0, total, 1.0)


def _to_nearest(points: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return the distance of each point (n, d) to the nearest of the labelled points (m, d), (n,)."""
    from sklearn.neighbors import NearestNeighbors

    with threadpool_limits(1):
        nearest = NearestNeighbors(n_neighbors=1).fit(labelled).kneighbors(points, return_distance=False)[:, 0]
    return np.linalg.norm(points - labelled[nearest], axis=1)
