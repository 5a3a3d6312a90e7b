"""Rank the images by how much the structure of the features contradicts their label, with a reason for each.

The structure is that of nearest neighbours, and of the clusters in each repeat (a clustering with its own seed).
"""

from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.errors import UserError
from workflow_scripts.io.runs import Runs
from workflow_scripts.metrics.contingency import encode_classes
from workflow_scripts.metrics.members import cluster_names
from workflow_scripts.pages.audit.confident import count_errors
from workflow_scripts.pages.audit.evidence import cluster_shares, neighbour_shares, votes_against
from workflow_scripts.wording import count

COLUMNS = [
    *("rank", "image_id", "path", "label", "suggested", "suspect", "confidence", "neighbour_share", "cluster_share"),
    *("crosses_boundary", "repeats_against", "cluster", "reason"),
]
"""Columns of the table that users get. It names images by id and path, not by row."""


def partitions_of(runs: Runs) -> np.ndarray:
    """Return the best partition of each repeat, (R, N) int64; the one with the lowest inertia of all comes first."""
    rows = runs.best_of_repeats
    return runs.labels[rows[np.argsort(runs.inertia[rows], kind="stable")]].astype(np.int64)


def rank(
    points: np.ndarray,
    partitions: np.ndarray,
    labels: np.ndarray,
    neighbours: int,
    groups: np.ndarray | None = None,
) -> pd.DataFrame:
    """Rank the labelled images by how little evidence supports their label.

    For each image and class, two out-of-sample probabilities are averaged. One is the share of the class among the
    nearest images of other groups. The other is its share among the images of other groups in the image's cluster (mean
    over the partitions in which it is in a cluster); without such a partition, only the neighbours count. The
    probability of the image's own label is its `confidence`. Confident learning on the same probabilities estimates the
    number n of wrong labels; the n images with the lowest confidence are `suspect`.

    A label cannot be judged if too few other images have it: fewer than half of the neighbours. Images with such a
    label come last and are never suspect.

    Parameters
    ----------
    points : (N, d), the points that were clustered.
    partitions : (R, N) integers, one partition for each repeat, the best one first; negative is noise.
    labels : (N,) texts; images with "" have no label, are not ranked and do not count for others.
    neighbours : number of neighbours.
    groups : (N,) str, such as the specimen of each image; images of one group do not count for each other. None if all
        images are independent.

    Returns
    -------
    DataFrame with one row per labelled image, the least confident first:

    - `row`, `rank`: row of `points`, and place in this order (from 1).
    - `suspect`: whether the label is probably wrong.
    - `label`, `suggested`: the label, and the most probable other class; the latter is null if the label cannot be
      judged.
    - `confidence`: null if the label cannot be judged.
    - `neighbour_share`: share of the label among the neighbours.
    - `cluster_share`: mean share of the label in the image's cluster; null if the image is in no cluster with labelled
      images of other groups.
    - `crosses_boundary`: whether another class has more votes in the image's cluster of the best partition.
    - `repeats_against`: share of the partitions in which another class has more votes in the image's cluster, among
      those in which the image is in a cluster.
    - `cluster`: name of the cluster in the best partition.
    - `reason`: a sentence with these numbers.

    Raises
    ------
    UserError
        If there are fewer than two classes, if all images are of one group, or if no label can be judged.
    """
    codes, classes = encode_classes(labels)
    rows = np.flatnonzero(codes >= 0)
    own = codes[rows]
    group = np.arange(len(rows)) if groups is None else pd.factorize(groups[rows])[0]
    _check_comparable(classes, group)
    others = _others_of_class(own, group)
    judged = _can_be_judged(others, group, neighbours)
    near = neighbour_shares(points[rows], own, len(classes), neighbours, group)
    together, against = _in_clusters(partitions[:, rows], own, len(classes), group)
    probability = np.where(np.isnan(together), near, (near + together) / 2)
    is_own = np.eye(len(classes), dtype=bool)[own]
    suggested = classes[np.where(is_own, -1, probability).argmax(axis=1)]
    table = pd.DataFrame({"row": rows, "label": classes[own], "suggested": suggested})
    table["confidence"], table["neighbour_share"] = probability[is_own], near[is_own]
    table = table.assign(cluster_share=together[is_own], **against)
    table["cluster"] = pd.Series(partitions[0]).map(cluster_names(partitions[0], labels)).to_numpy()[rows]
    table["reason"] = _reasons(table, near.max(axis=1), classes[near.argmax(axis=1)])
    table.loc[~judged, ["suggested", "confidence"]] = None, np.nan
    table.loc[~judged, "reason"] = [f"too few to judge: {n} other images have its label" for n in others[~judged]]
    table = table.sort_values("confidence", kind="stable", ignore_index=True)
    table.insert(1, "rank", np.arange(1, len(table) + 1))
    table.insert(2, "suspect", table["rank"] <= _count_errors(probability[judged], own[judged]))
    return table


def _check_comparable(classes: np.ndarray, groups: np.ndarray) -> None:
    """Raise `UserError` if there are fewer than two classes, or fewer than two groups."""
    if len(classes) < 2:
        found = f"found {count(len(classes), 'class', 'classes')} among the labels, allowed: two or more"
        raise UserError(f"audit: {found}; with fewer, take the page labelling: {{}} in its place")
    if groups.max() < 1:
        raise UserError("audit: found one group of all labelled images, allowed: two or more (intake.groups)")


def _can_be_judged(others: np.ndarray, groups: np.ndarray, neighbours: int) -> np.ndarray:
    """Return for each image whether half of its neighbours or more can have its label, (N,) bool.

    `others` (N,) is the number of images in other groups with the same label, and `groups` (N,) the group of each
    image, from 0. Raises `UserError` if no image can be judged.
    """
    judged = 2 * others >= np.minimum(neighbours, len(groups) - np.bincount(groups)[groups])
    if not judged.any():
        allowed = f"at most {2 * others.max()}, twice the other images of the largest class"
        raise UserError(f"config: pages: audit: neighbours: found {neighbours}, allowed: {allowed}")
    return judged


def _in_clusters(
    partitions: np.ndarray, codes: np.ndarray, n_classes: int, groups: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the mean shares of the classes in the cluster of each image, (N, C), and two columns (N,).

    The mean is that over the partitions (R, N) in which an image is in a cluster, NaN without any. A partition
    contradicts the label of an image, which `codes` (N,) has, if another class has more votes than the label in the
    image's cluster. `crosses_boundary` (bool) says whether the first partition contradicts it. `repeats_against` is the
    share of the partitions that contradict it; those in which the image is in no cluster are left out. One partition
    after the other is looked at, because the shares of 150 000 images and 60 classes take 72 MB each.
    """
    total, times, against = np.zeros((len(codes), n_classes)), np.zeros(len(codes), dtype=int), []
    for partition in partitions:
        shares = cluster_shares(partition, codes, n_classes, groups)
        against.append(votes_against(shares, codes))
        times += ~np.isnan(shares[:, 0])
        total += np.nan_to_num(shares, copy=False)
    together = total / np.where(times > 0, times, np.nan)[:, None]
    return together, {
        "crosses_boundary": against[0],
        "repeats_against": np.sum(against, axis=0) / np.maximum(times, 1),
    }


def _count_errors(probability: np.ndarray, codes: np.ndarray) -> int:
    """Return the estimated number of wrong labels (`count_errors`), after leaving out classes without images."""
    kept, codes_kept = np.unique(codes, return_inverse=True)
    return count_errors(probability[:, kept], codes_kept)


def _others_of_class(codes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return for each image the number of images of other groups with the same label, (N,) int."""
    of_group = np.unique(np.column_stack([codes, groups]), axis=0, return_inverse=True, return_counts=True)
    return np.bincount(codes)[codes] - of_group[2][of_group[1].ravel()]


def _reasons(table: pd.DataFrame, shares: np.ndarray, nearest: np.ndarray) -> list[str]:
    """Return a sentence for each image on its neighbours, its cluster, and how often another class has more votes."""
    return [_reason(image, share, name) for image, share, name in zip(table.itertuples(), shares, nearest, strict=True)]


def _reason(image: Any, share: float, nearest: str) -> str:
    near = f"{image.neighbour_share:.0%} of the nearest images have its label"
    if nearest != image.label:
        near += f", {share:.0%} are {nearest}"
    if np.isnan(image.cluster_share):
        return f"{near}; it is in no cluster with others"
    wins = f"another class wins there in {image.repeats_against:.0%} of the repeats"
    return f"{near}; {image.cluster_share:.0%} of its cluster ({image.cluster}) have its label; {wins}"
