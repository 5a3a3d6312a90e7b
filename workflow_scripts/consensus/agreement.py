"""Compute the agreement (adjusted Rand index, ARI) of each pair of partitions of the same images."""

import numpy as np

_BLOCK = 1 << 22  # labels or counts in memory at once: 32 MiB of int64


def agreement_matrix(partitions: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Return the adjusted Rand index of each pair of partitions (Hubert & Arabie 1985), computed exactly.

    Each noise image (negative label) counts as a cluster of its own. So all pairs of partitions are compared on the
    same images. A cell that clusters three images and calls all others noise does not score high.

    Parameters
    ----------
    partitions : (C, N) integers, negative for noise. Labels need not be consecutive.
    counts : (N,), how often each image counts, for instance in a bootstrap sample; None counts each image once. Only
        pairs of different images are counted, so that the copies in a bootstrap sample do not raise the index.

    Returns
    -------
    (C, C) float64, symmetric, with ones on the diagonal. A partition is trivial if all images are in one cluster, or
    each in its own. Two trivial partitions have the index 1 if they are equal and 0 otherwise, as in scikit-learn.
    """
    labels = compact(partitions)
    n_clusters = int(labels.max(initial=0)) + 1  # cluster 0 is the noise
    in_cluster = _pairs(labels, counts, n_clusters)
    together = np.diag(in_cluster)
    for i, row in enumerate(labels):
        together[i, i + 1 :] = _together(row, labels[i + 1 :], counts, n_clusters)
    together = np.triu(together) + np.triu(together, 1).T
    index = _adjusted(together, in_cluster, in_cluster, _all_pairs(labels.shape[1], counts))
    np.fill_diagonal(index, 1.0)
    return index


def agreement_with(partitions: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Return the adjusted Rand index of each of `references` (R, N) with each of `partitions` (C, N), (R, C) float64.

    Noise counts as in `agreement_matrix`.
    """
    labels, of_references = compact(partitions), compact(references)
    n_clusters = int(max(labels.max(initial=0), of_references.max(initial=0))) + 1
    together = np.array([_together(row, labels, None, n_clusters) for row in of_references])
    in_reference, in_cluster = _pairs(of_references, None, n_clusters), _pairs(labels, None, n_clusters)
    return _adjusted(together, in_reference, in_cluster, _all_pairs(labels.shape[1], None))


def stability(partitions: np.ndarray) -> float:
    """Return the mean agreement over all pairs of `partitions` (R, N), such as the repeats of a cell; NaN if R is 1."""
    agreement = agreement_matrix(partitions)
    pairs = agreement[np.triu_indices(len(agreement), 1)]
    return float(pairs.mean()) if len(pairs) else np.nan


def compact(partitions: np.ndarray) -> np.ndarray:
    """Return the partitions (C, N) int32 with the clusters of each row renumbered 1, 2, ...; noise becomes 0.

    The order of the clusters stays. Raises `ValueError` if `partitions` are not integers of shape (C, N).
    """
    partitions = np.asarray(partitions)
    if partitions.ndim != 2 or partitions.dtype.kind not in "iu":
        raise ValueError(
            f"partitions: got {partitions.dtype} of shape {partitions.shape}, expected integers of shape (C, N)"
        )
    labels = np.zeros(partitions.shape, dtype=np.int32)
    for row, partition in zip(labels, partitions, strict=True):
        clustered = partition >= 0
        row[clustered] = np.unique(partition[clustered], return_inverse=True)[1] + 1
    return labels


def _together(row: np.ndarray, others: np.ndarray, counts: np.ndarray | None, n_clusters: int) -> np.ndarray:
    """Count, for each of `others` (R, N), the pairs of images that share a cluster in it and also in `row` (N,).

    Both are partitions with the clusters 1 to `n_clusters` - 1, and 0 for noise. `counts` (N,) is as in
    `agreement_matrix`. The result is (R,) float64.
    """
    step = max(1, _BLOCK // max(len(row), n_clusters**2))
    together = np.empty(len(others))
    for start in range(0, len(others), step):
        some = others[start : start + step]
        both = row.astype(np.int64) * n_clusters + some
        both *= (some > 0) & (row > 0)
        together[start : start + step] = _pairs(both, counts, n_clusters**2)
    return together


def _all_pairs(n_images: int, counts: np.ndarray | None) -> float:
    """Return the number of pairs of different images; each image counts as often as `counts` (N,) says."""
    return float(_pairs(np.ones((1, n_images), dtype=np.int64), counts, 2)[0])


def _pairs(keys: np.ndarray, counts: np.ndarray | None, n_keys: int) -> np.ndarray:
    """Return for each row of `keys` the number of pairs of different images with the same key, (R,) float64.

    `keys` (R, N) are integers 0..n_keys-1; images with key 0 are in no pair. `counts` (N,) says how often each image
    counts; None counts each once.
    """
    if n_keys > _BLOCK:  # `keys` then has a single row
        names, codes = np.unique(np.append(0, keys), return_inverse=True)
        keys, n_keys = codes[None, 1:], len(names)
    n_rows = len(keys)
    flat = (keys + np.arange(n_rows, dtype=np.int64)[:, None] * n_keys).ravel()
    weights = None if counts is None else np.tile(counts, n_rows)
    sums = np.bincount(flat, weights, n_rows * n_keys).reshape(n_rows, n_keys)[:, 1:].astype(np.float64)
    squares = sums.sum(axis=1) if counts is None else (keys > 0) @ np.square(np.asarray(counts, dtype=np.float64))
    return (np.square(sums).sum(axis=1) - squares) / 2


def _adjusted(together: np.ndarray, in_one: np.ndarray, in_other: np.ndarray, n_pairs: float) -> np.ndarray:
    """Return the adjusted Rand index (A, B) of A partitions with B other partitions, from numbers of pairs of images.

    `together` (A, B) are the numbers of pairs that share a cluster in both partitions. `in_one` (A,) and `in_other`
    (B,) are the numbers of pairs that share a cluster in each of the A and of the B partitions. `n_pairs` is the number
    of all pairs.
    """
    mean = (in_one[:, None] + in_other) / 2
    expected = in_one[:, None] * in_other / max(n_pairs, 1)
    excess = mean - expected
    trivial = excess == 0
    index = (together - expected) / np.where(trivial, 1, excess)
    return np.where(trivial, (together == mean).astype(float), index)
