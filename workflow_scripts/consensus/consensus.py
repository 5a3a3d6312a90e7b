"""Compute one consensus partition from many. Tell how certain each image's group is, and which choice changes it.

The clusters of the consensus are called groups. Two images are together in a cell if they are in one of its clusters.
The co-association of two images is the weighted share of the cells in which they are together. The second group of an
image is the other group with which it has the highest mean co-association. The margin of an image is its mean
co-association with its own group minus that with its second group; an image with a low margin is fragile.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import fastcluster
import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers.linkage import cut
from workflow_scripts.consensus.agreement import compact
from workflow_scripts.consensus.levels import levels_of
from workflow_scripts.metrics.contingency import contingency_tables

MAX_LINKED = 4000
"""Largest number of images of which all pairs are compared. Of more images a sample is grouped, and the other images
join its groups."""
AT_ONCE = 2**24
"""Largest number of pairs of an image and a group whose mean co-associations are in memory at once: 128 MiB. There may
be thousands of groups."""
NO_GROUP = -1
"""The number that stands for the second group of an image that has none."""
_COLUMNS = 512  # clusters whose indicators are in memory at once: 16 MiB for MAX_LINKED images


@dataclass(frozen=True)
class Consensus:
    """The consensus of the cells of a study.

    Attributes
    ----------
    k : number of groups.
    group : (N,) int32, 0..k-1, the largest group first.
    agreement :
        (N,) float64 in [0, 1], the mean co-association of the image with the other images of its group; 1 minus
        `second_agreement` if there are none. The co-association of two images is the weighted share of the cells in
        which they are in one cluster.
    second : (N,) int32, the other group with the highest mean co-association; `NO_GROUP` if this is 0 for all groups.
    second_agreement : (N,) float64 in [0, 1], the mean co-association of the image with the second group.
    chosen_k : how k was chosen: `given`, `of the cells`, or `lifetime` (see `consensus`).
    """

    k: int
    group: np.ndarray
    agreement: np.ndarray
    second: np.ndarray
    second_agreement: np.ndarray
    chosen_k: str

    @property
    def margin(self) -> np.ndarray:
        """Return `agreement` minus `second_agreement`, (N,); a low margin means a fragile image."""
        return self.agreement - self.second_agreement


def consensus(partitions: np.ndarray, k: int | None = None, weights: np.ndarray | None = None) -> Consensus:
    """Return the consensus: groups of images that are often together (Fred & Jain 2005).

    The groups are those of average linkage of 1 - co-association. For up to `MAX_LINKED` images all pairs are compared.
    Of more images, a sample of that size is grouped, and every image joins the group with the highest mean
    co-association. Memory is then linear in N.

    Parameters
    ----------
    partitions : (C, N) integers, negative for noise.
    k :
        number of groups (`given`). If it is None and all cells have the same number of clusters, this number is taken
        (`of the cells`). If it is None and the cells have different numbers of clusters, a number from 2 to the largest
        of these is taken. It is the number of groups that stays the same over the longest range of heights at which the
        tree is cut (`lifetime`; Fred & Jain 2005).
    weights : (C,) weights of the cells, 0 or more; None gives all cells the same weight. See `trust.cell_weights`.
    """
    labels = compact(partitions)
    weights = np.full(len(labels), 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
    labels, weights = labels[weights > 0], weights[weights > 0] / weights.sum()
    n_images = labels.shape[1]
    drawn = np.arange(n_images)
    if n_images > MAX_LINKED:
        drawn = np.sort(np.random.default_rng(0).choice(n_images, MAX_LINKED, replace=False))
    merges = _tree(labels[:, drawn], weights)
    n_groups, chosen = _number_of_groups(merges, labels, k)
    group = cut(merges, n_groups).astype(np.intp)
    if len(drawn) < n_images:
        nearest = [means.argmax(axis=1) for _, means in _together(labels, weights, drawn, group)]
        group = np.unique(np.concatenate(nearest), return_inverse=True)[1]
    order = np.argsort(-np.bincount(group), kind="stable")
    group = np.argsort(order)[group]
    return _described(labels, weights, group, chosen)


def _tree(labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the merges of average linkage, (N - 1, 4), in the format of `clusterers.linkage.tree`.

    The distance of two images is 1 - their co-association, which is computed as a product of matrices that say which
    image is in which cluster. `labels` (C, N) come from `compact`, and `weights` (C,) sum to 1.
    """
    n_images = labels.shape[1]
    together = np.zeros((n_images, n_images))
    step = max(1, _COLUMNS // int(labels.max(initial=1)))
    with threadpool_limits(1):  # the last bits depend on the number of threads
        for start in range(0, len(labels), step):
            some = labels[start : start + step]
            indicator = (some[:, :, None] == np.arange(1, some.max(initial=1) + 1)).astype(np.float64)
            indicator *= np.sqrt(weights[start : start + step])[:, None, None]
            columns = indicator.transpose(1, 0, 2).reshape(n_images, -1)
            together += columns @ columns.T
    return fastcluster.linkage(squareform(1 - together, checks=False), "average", preserve_input=False)


def _number_of_groups(merges: np.ndarray, labels: np.ndarray, k: int | None) -> tuple[int, str]:
    """Return the number of groups, and how it was chosen (see `consensus`)."""
    n_images = len(merges) + 1
    if k is not None:
        return min(k, n_images), "given"
    cell_ks = np.clip(labels.max(axis=1), 1, n_images)  # at least 1, also for cells that are all noise
    if (cell_ks == cell_ks[0]).all() or n_images < 3:
        return int(cell_ks.max()), "of the cells"
    heights = merges[::-1, 2]  # at heights[g - 1], g + 1 groups become g
    allowed = np.arange(2, min(int(cell_ks.max()), n_images - 1) + 1)
    lifetime = heights[allowed - 2] - heights[allowed - 1]
    return int(allowed[lifetime.argmax()]), "lifetime"


def _together(
    labels: np.ndarray, weights: np.ndarray, members: np.ndarray, group: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of the images, and their mean co-association (block, k) with the members of each group.

    `members` (M,) are rows of images, and `group` (M,) are their groups, from 0. The co-association of an image with
    itself counts too.
    """
    n_images, sizes = labels.shape[1], np.bincount(group)
    n_clusters = int(labels.max()) + 1
    step = max(1, AT_ONCE // len(sizes))
    for start in range(0, n_images, step):
        block = slice(start, min(start + step, n_images))
        means = np.zeros((block.stop - start, len(sizes)))
        for row, weight in zip(labels, weights, strict=True):
            table = contingency_tables(row[None, members], group, n_clusters, len(sizes))[0, 1:, :-1]
            shares = weight * table / sizes
            shares[0] = 0  # noise is together with no image
            means += shares[row[block]]
        yield block, means


def _described(labels: np.ndarray, weights: np.ndarray, group: np.ndarray, chosen: str) -> Consensus:
    """Return the `Consensus` with these groups (N,): compute the agreement and the second group of every image."""
    n_images = len(group)
    sizes = np.bincount(group)
    own, second, second_agreement = np.empty(n_images), np.empty(n_images, np.intp), np.empty(n_images)
    for block, means in _together(labels, weights, np.arange(n_images), group):
        rows = np.arange(len(means))
        own[block] = means[rows, group[block]]
        means[rows, group[block]] = -1  # its own group is not the second
        second[block] = means.argmax(axis=1)
        second_agreement[block] = np.maximum(means[rows, second[block]], 0)
    itself = weights @ (labels > 0)
    own = (own * sizes[group] - itself) / np.maximum(sizes[group] - 1, 1)
    own = np.where(sizes[group] > 1, own, 1 - second_agreement)
    second = np.where(second_agreement > 0, second, NO_GROUP)
    return Consensus(
        len(sizes), group.astype(np.int32), np.clip(own, 0, 1), second.astype(np.int32), second_agreement, chosen
    )


def what_flips(
    result: Consensus, partitions: np.ndarray, choices: pd.DataFrame, weights: np.ndarray | None = None
) -> pd.DataFrame:
    """Return for each image the choice that decides most whether the image is in its group or in its second group.

    Each cell votes on each image. The cluster that has the image in this cell also has a share of the other images of
    the image's group, and a share of the images of its second group. The vote is the first share minus the second. So
    the vote is positive if the cell puts the image into its group, and negative if it puts the image into the second
    group. The choice is the axis that explains the largest share of the variance of all votes, that is the axis with
    the largest weighted variance between its levels.

    Parameters
    ----------
    result : the consensus of the same partitions.
    partitions : (C, N) integers, negative for noise.
    choices : C rows, one column per axis; axes with a single level are ignored.
    weights : (C,) weights of the cells, as in `consensus`.

    Returns
    -------
    DataFrame with N rows: `choice` (name of the axis, None if all votes are equal), `level` (the level of this axis
    with the lowest mean vote), `explained` (share of the variance of the votes that the axis explains, 0 to 1), `vote`
    (mean vote at that level) and `flips` (whether that vote is negative, so that the image is in the second group
    there).
    """
    labels = compact(partitions)
    weights = np.full(len(labels), 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
    weights = weights / weights.sum()
    votes = votes_for_groups(labels, result)
    grand = weights @ votes
    total = weights @ np.square(votes - grand)
    n_images = labels.shape[1]
    explained, lowest = np.zeros(n_images), np.zeros(n_images)
    choice = np.full(n_images, None, dtype=object)
    level = np.full(n_images, None, dtype=object)
    for axis, (codes, names) in levels_of(choices).items():
        level_weights = np.array([weights[codes == code].sum() for code in range(len(names))])
        present = np.flatnonzero(level_weights > 0)
        if len(present) < 2:
            continue
        means = np.stack([weights[codes == code] @ votes[codes == code] / level_weights[code] for code in present])
        between = level_weights[present] @ np.square(means - grand)
        share = np.divide(between, total, out=np.zeros(n_images), where=total > 1e-12)
        more = share > explained
        explained[more], lowest[more], choice[more] = share[more], means.min(axis=0)[more], axis
        level[more] = np.asarray(names, dtype=object)[present[means.argmin(axis=0)]][more]
    moves = pd.DataFrame({"choice": choice, "level": level}, dtype=object)  # in a column of texts, None would be NaN
    return moves.assign(explained=explained, vote=lowest, flips=lowest < 0)


def votes_for_groups(labels: np.ndarray, result: Consensus) -> np.ndarray:
    """Return the vote of each cell on each image, (C, N) float32 from -1 to 1 (see `what_flips`).

    `labels` (C, N) come from `compact`.
    """
    sizes = np.bincount(result.group)
    n_clusters = int(labels.max()) + 1
    votes = np.empty(labels.shape, dtype=np.float32)
    for vote, row in zip(votes, labels, strict=True):
        table = contingency_tables(row[None], result.group, n_clusters, len(sizes))[0, 1:, :-1].astype(float)
        table[0] = 0
        own = (table[row, result.group] - (row > 0)) / np.maximum(sizes[result.group] - 1, 1)
        other = np.where(result.second >= 0, table[row, result.second] / sizes[result.second], 0)
        vote[:] = own - other
    return votes
