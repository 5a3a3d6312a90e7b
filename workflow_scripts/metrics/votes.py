"""Name clusters after classes by majority vote, and score the result by class.

The vote of a cluster is the most frequent class of its labelled images.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workflow_scripts.metrics.contingency import as_partitions, cluster_count, contingency_tables, encode_classes

if TYPE_CHECKING:
    import pandas as pd

NOISE = "noise"
UNKNOWN = "?"
"""The names for images in no cluster and for clusters without a labelled image; if a class has that name, see
`apart`."""


def apart(name: str, classes: Iterable[object]) -> str:
    """Return `name`, in as many brackets as it needs to differ from all classes, such as `(name)` or `((name))`."""
    taken = {str(each) for each in classes}
    while name in taken:
        name = f"({name})"
    return name


def majority_names(labels: npt.ArrayLike, y: npt.ArrayLike) -> "pd.DataFrame":
    """Name every cluster after the most frequent class of its labelled images.

    If several classes are equally frequent, the first in sorted order is taken. The largest cluster of class `Sc` is
    named `Sc`, the next ones are `Sc-2`, `Sc-3` and so on; a cluster without a labelled image is `?`. If `Sc-2` or `?`
    is itself the name of a class, the name of the cluster gets brackets: `(Sc-2)` or `(?)`. Noise has no name.

    Parameters
    ----------
    labels : (N,) integers; negative is noise.
    y : (N,) strings or integers; None, NaN and "" are missing.

    Returns
    -------
    DataFrame with the index `cluster` (clusters with images, ascending) and the columns `size` (number of images,
    labelled or not), `predicted` (the class, or None), `rank` (1 for the largest cluster of its class, 2 for the next;
    1 if there is no class) and `name` (the name to show).
    """
    import pandas as pd

    classes = encode_classes(y)[1]
    clusters, sizes, winners = _votes(labels, y)
    names = pd.DataFrame({"size": sizes}, index=pd.Index(clusters, name="cluster"))
    names["predicted"] = pd.Series(winners, index=names.index, dtype=object)
    names["rank"] = ranks(names)
    names["name"] = [
        apart(UNKNOWN, classes) if predicted is None
        else str(predicted) if place == 1
        else apart(f"{predicted}-{place}", classes)
        for predicted, place in zip(names["predicted"], names["rank"], strict=True)
    ]  # fmt: skip
    return names


def ranks(clusters: "pd.DataFrame") -> "pd.Series":
    """Return the rank of each cluster among the clusters of the same class: 1 for the largest, and 1 without a class.

    `clusters` has the columns `size` (number of images) and `predicted` (the class, or None).
    """
    by_size = clusters.sort_values("size", ascending=False, kind="stable")
    rank = by_size.groupby("predicted", dropna=False).cumcount() + 1
    return rank.where(by_size["predicted"].notna(), 1).reindex(clusters.index)


def _votes(labels: npt.ArrayLike, y: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return three arrays (K,) about the K clusters that have images: their labels (ascending), sizes and classes.

    The class of a cluster is the most frequent class of its labelled images, or None if it has none.
    """
    codes, classes = encode_classes(y)
    partition = as_partitions(np.asarray(labels)[None], len(codes))
    table = contingency_tables(partition, codes, cluster_count(partition), len(classes))[0, 1:]
    clusters = np.flatnonzero(table.sum(axis=1))
    votes = np.column_stack([table[clusters, :-1], table[clusters, :-1].sum(axis=1) == 0])
    # the last column wins only if no image of the cluster has a label
    return clusters, table[clusters].sum(axis=1), np.array([*classes, None], dtype=object)[votes.argmax(axis=1)]


def predict_classes(labels: npt.ArrayLike, names: "pd.DataFrame") -> np.ndarray:
    """Return the predicted class of each image, that is the class of its cluster.

    Parameters
    ----------
    labels : (N,) integers; negative is noise.
    names : the classes of the clusters, from `majority_names` of these images or of the training images.

    Returns
    -------
    (N,) object: a class, or None for noise and for clusters without a vote.
    """
    return _predicted(labels, names["predicted"].to_dict())


def _predicted(labels: npt.ArrayLike, vote: Mapping[int, object]) -> np.ndarray:
    predicted = np.empty(np.shape(labels), dtype=object)
    predicted[:] = [vote.get(cluster) for cluster in np.asarray(labels).tolist()]
    return predicted


def confusion(labels: npt.ArrayLike, y: npt.ArrayLike, names: "pd.DataFrame | None" = None) -> "pd.DataFrame":
    """Return the number of labelled images by class and predicted class.

    Parameters
    ----------
    labels : (N,) integers, the cluster of each image; negative is noise.
    y : (N,) strings or integers; None, NaN and "" are missing.
    names : the classes of the clusters, from `majority_names` of the training images. None takes the majority class of
        each cluster among these images.

    Returns
    -------
    DataFrame of int64. The index `label` is the classes of `y` and of the votes, sorted. The columns `predicted` are
    the same classes, then `noise` and `?` (clusters without a vote) if they occur; they are in brackets if a class has
    that name.
    """
    import pandas as pd

    classes, counts = _confusion(labels, y, names)
    columns = [*classes, apart(NOISE, classes), apart(UNKNOWN, classes)]
    table = pd.DataFrame(counts, index=pd.Index(classes, name="label"), columns=pd.Index(columns, name="predicted"))
    return table.loc[:, np.append(np.ones(len(classes), dtype=bool), counts[:, len(classes) :].any(axis=0))]


def _confusion(labels: npt.ArrayLike, y: npt.ArrayLike, names: "pd.DataFrame | None") -> tuple[np.ndarray, np.ndarray]:
    """Return the classes (C,), and the counts (C, C + 2) of `confusion`; the last two columns are `noise` and `?`."""
    clusters, _, winners = _votes(labels, y)
    vote = dict(zip(clusters.tolist(), winners, strict=True)) if names is None else names["predicted"].to_dict()
    predicted = _predicted(labels, vote)
    classes = encode_classes([*np.asarray(y, dtype=object), *vote.values()])[1]
    number = {name: code for code, name in enumerate(classes)}
    noise, unknown = len(classes), len(classes) + 1
    column = np.array([number.get(name, unknown) for name in predicted], dtype=np.intp)
    column[np.asarray(labels) < 0] = noise
    codes = encode_classes(y)[0]
    known = codes >= 0
    rows = np.array([number[name] for name in np.asarray(y, dtype=object)[known]], dtype=np.intp)
    counts = np.zeros((len(classes), len(classes) + 2), dtype=np.int64)
    np.add.at(counts, (rows, column[known]), 1)
    return classes, counts


def class_scores(labels: npt.ArrayLike, y: npt.ArrayLike, names: "pd.DataFrame | None" = None) -> dict[str, np.ndarray]:
    """Return precision, recall and F1 of each class, where the predicted class of an image is that of its cluster.

    An image without a predicted class (noise, or a cluster without a vote) lowers the recall of its class, but not the
    precision of any class. Images without a label are left out. The parameters are those of `confusion`.

    Returns
    -------
    By name, (C,) each, in the order of the classes: `label` (the class), `support` (the number of its images),
    `precision`, `recall` and `f1`. A score whose denominator is 0 is NaN, such as the precision of a class that no
    cluster votes for.
    """
    classes, counts = _confusion(labels, y, names)
    hits, support, claimed = counts.diagonal(), counts.sum(axis=1), counts[:, : len(classes)].sum(axis=0)
    with np.errstate(invalid="ignore"):
        precision, recall, f1 = hits / claimed, hits / support, 2 * hits / (claimed + support)
    return {"label": classes, "support": support, "precision": precision, "recall": recall, "f1": f1}
