"""Score thousands of partitions against the labels at once, without a loop over scikit-learn calls."""

from math import prod

import numpy as np
import numpy.typing as npt

from workflow_scripts.metrics.contingency import as_partitions, cluster_count, contingency_tables, encode_classes

_CHUNK_CELLS = 1 << 22  # labels or counts in memory at once: 32 MiB of int64
_TERM_CUTOFF = 45.0  # terms of the expected mutual information below exp(-45) are skipped


def score_restarts(
    labels: npt.ArrayLike, y: npt.ArrayLike, *, chunk_cells: int = _CHUNK_CELLS
) -> dict[str, np.ndarray]:
    """Score every partition of the same images against their labels.

    Each value of the result depends, to the last bit, only on its own partition and on `y`.

    **Noise** (a negative number) is neither a cluster nor a class. In the accuracies it counts as wrong, because no
    class is predicted for it. In all other indices it is left out, so read them together with `noise_fraction`.
    **Images without a label** (None, NaN, "") count only in `n_clusters`, `noise_fraction` and `largest_cluster`.

    - `n_clusters`: number of clusters with at least one image, not counting noise.
    - `noise_fraction`: share of noise among all images.
    - `accuracy_majority`: accuracy if every cluster predicts its most frequent class. It grows with k.
    - `accuracy_matched`: accuracy if clusters and classes are matched one to one in the best way (Kuhn 1955); images of
      clusters without a class are wrong.
    - `ari`: adjusted Rand index (Hubert & Arabie 1985).
    - `ami`: adjusted mutual information, arithmetic mean (Vinh, Epps & Bailey 2010).
    - `nmi_arithmetic`, `nmi_geometric`: mutual information divided by the arithmetic or the geometric mean of the
      entropies of clusters and classes.
    - `purity`: share of the clustered images in the most frequent class of their cluster; equals `accuracy_majority` if
      there is no noise.
    - `homogeneity`: mutual information divided by the entropy of the classes (Rosenberg & Hirschberg 2007).
    - `completeness`: mutual information divided by the entropy of the clusters.
    - `largest_cluster`: share of all images in the largest cluster.
    - `largest_class`: share of the largest class among the labelled images, which is the accuracy of a single cluster.

    Parameters
    ----------
    labels : (R, N) integers, one partition per row; negative is noise.
    y : (N,) strings or integers; missing values are allowed.
    chunk_cells : number of labels or counts that are in memory at once; it does not change the result.

    Returns
    -------
    The metrics by name, (R,) each. If no image has a label, every metric that needs labels is NaN. If all labelled
    images are noise, the accuracies are 0 and the other indices NaN.

    Raises
    ------
    ValueError
        If `labels` are not integers of shape (R, N).
    """
    codes, classes = encode_classes(y)
    partitions = as_partitions(labels, len(codes))
    n_clusters, n_classes = cluster_count(partitions), max(len(classes), 1)
    rows = max(1, chunk_cells // max(len(codes), (1 + n_clusters) * (n_classes + 1)))
    chunks = [
        _score_tables(contingency_tables(partitions[start : start + rows], codes, n_clusters, n_classes))
        for start in range(0, max(len(partitions), 1), rows)
    ]
    columns = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    return columns | {"n_clusters": columns["n_clusters"].astype(np.int64)}


def _score_tables(tables: np.ndarray) -> dict[str, np.ndarray]:
    """Return all metrics of R partitions by name, (R,) each, from the `contingency_tables` (R, 1 + K, C + 1)."""
    sizes = tables.sum(axis=2)
    counts = tables[:, 1:, :-1]
    n_labelled = tables[:, :, :-1].sum(axis=(1, 2))
    n_voted = counts.max(axis=2, initial=0).sum(axis=1)
    return {
        "n_clusters": np.count_nonzero(sizes[:, 1:], axis=1),
        "noise_fraction": _ratio(sizes[:, 0], sizes.sum(axis=1)),
        "accuracy_majority": _ratio(n_voted, n_labelled),
        "accuracy_matched": _ratio(_matched(counts), n_labelled),
        "purity": _ratio(n_voted, counts.sum(axis=(1, 2))),
        "ari": _adjusted_rand(counts),
        **_information(counts),
        "largest_cluster": _ratio(sizes[:, 1:].max(axis=1), sizes.sum(axis=1)),
        "largest_class": _ratio(tables[:, :, :-1].sum(axis=1).max(axis=1), n_labelled),
    }


def _matched(counts: np.ndarray) -> np.ndarray:
    """Return the number of images that are right if clusters and classes are matched one to one in the best way, (R,).

    `counts` (R, K, C) are the numbers of images by cluster and class.
    """
    from scipy.optimize import linear_sum_assignment

    return np.array([table[linear_sum_assignment(table, maximize=True)].sum() for table in counts], dtype=np.int64)


def _adjusted_rand(counts: np.ndarray) -> np.ndarray:
    """Return the adjusted Rand index (R,) from the numbers of images by cluster and class (R, K, C).

    It is 1 if clusters and classes are the same partition, and NaN if there are no images.
    """
    n = counts.sum(axis=(1, 2))
    together = _pairs(counts).sum(axis=(1, 2))
    in_cluster = _pairs(counts.sum(axis=2)).sum(axis=1)
    in_class = _pairs(counts.sum(axis=1)).sum(axis=1)
    expected = _ratio(in_cluster.astype(float) * in_class, _pairs(n), otherwise=0.0)
    ari = _ratio(together - expected, (in_cluster + in_class) / 2 - expected)
    return np.where((together == in_cluster) & (together == in_class), np.where(n > 0, 1.0, np.nan), ari)


def _pairs(n: np.ndarray) -> np.ndarray:
    """Return the number of pairs that n elements form."""
    return n * (n - 1) // 2


def _information(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the metrics (R,) that normalise the mutual information of clusters and classes.

    `counts` (R, K, C) are the numbers of images by cluster and class. Special cases, such as a single cluster, have the
    values of scikit-learn; a partition without images has NaN.
    """
    cluster_sizes, class_sizes = counts.sum(axis=2), counts.sum(axis=1)
    n = class_sizes.sum(axis=1)
    cells = counts.reshape(len(counts), prod(counts.shape[1:]))  # reshape(..., -1) fails if R is 0
    clusters, classes, joint = (_entropy(sizes, n) for sizes in (cluster_sizes, class_sizes, cells))
    information = np.maximum(clusters + classes - joint, 0.0)
    expected = expected_information(cluster_sizes, class_sizes, n)
    mean = (clusters + classes) / 2

    n_clusters, n_classes = (np.count_nonzero(sizes, axis=1) for sizes in (cluster_sizes, class_sizes))
    n_cells = np.count_nonzero(cells, axis=1)
    identical = (n_cells == n_clusters) & (n_cells == n_classes)

    def normalised(value: np.ndarray, by: np.ndarray, perfect: np.ndarray) -> np.ndarray:
        return np.where(n > 0, np.where(perfect, 1.0, _ratio(value, by, otherwise=0.0)), np.nan)

    return {
        "ami": normalised(information - expected, mean - expected, identical),
        "nmi_arithmetic": normalised(information, mean, identical),
        "nmi_geometric": normalised(information, np.sqrt(clusters * classes), identical),
        "homogeneity": normalised(information, classes, n_classes == 1),
        "completeness": normalised(information, clusters, n_clusters == 1),
    }


def _entropy(counts: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the entropy in nats of each row of `counts` (R, M), (R,); exactly 0 if one count has all images.

    `n` (R,) are the sums of the rows.
    """
    size = np.arange(n.max(initial=0) + 1)
    n_log_n = size * np.log(np.maximum(size, 1))
    return (n_log_n[n] - _sum_in_order(n_log_n[counts])) / np.maximum(n, 1)


def expected_information(cluster_sizes: np.ndarray, class_sizes: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the mean mutual information of random partitions, in nats, (R,).

    The random partitions of n (R,) images have clusters of the sizes `cluster_sizes` (R, K) and classes of the sizes
    `class_sizes` (R, C) (Vinh, Epps & Bailey 2010, eq. 24a). The value is a sum over all pairs of a cluster and a
    class, and each term depends only on the two sizes. Most pairs of sizes occur in many restarts, so the term is
    computed once for each distinct pair.
    """
    base = n.max(initial=0) + 1
    distinct_n, which_n = np.unique(n, return_inverse=True)
    keys = (which_n[:, None, None] * base + cluster_sizes[:, :, None]) * base + class_sizes[:, None, :]
    distinct, inverse = np.unique(keys.reshape(len(n), prod(keys.shape[1:])), return_inverse=True)
    rest, b = np.divmod(distinct, base)
    which, a = np.divmod(rest, base)
    pairs = np.stack([a, b, distinct_n[which]])
    from scipy.special import gammaln

    log_factorial = gammaln(np.arange(base) + 1.0)
    batches = [_pair_information(pairs[:, i : i + 256], log_factorial) for i in range(0, pairs.shape[1], 256)]
    return _sum_in_order(np.concatenate([np.empty(0), *batches])[inverse])


def _pair_information(pairs: np.ndarray, log_factorial: np.ndarray) -> np.ndarray:
    """Return the term that a cluster of size a and a class of size b add to the expected mutual information, (P,).

    `pairs` (3, P) holds a, b and the number of images n. `log_factorial` (max(n) + 1,) are the logarithms of 0!, 1!,
    ...

    The number m of images that the cluster and the class share is hypergeometric. The sum over m leaves out values far
    from the mean ab/n. By Bernstein's inequality their probability is at most 2 exp(-_TERM_CUTOFF) (for draws without
    replacement: Hoeffding 1963, section 6).
    """
    a, b, n = pairs
    share = b / np.maximum(n, 1)
    mean = a * share
    reach = _TERM_CUTOFF / 3 + np.sqrt((_TERM_CUTOFF / 3) ** 2 + 2 * _TERM_CUTOFF * mean * (1 - share))
    low = np.maximum(np.maximum(1, a + b - n), np.floor(mean - reach).astype(np.int64))
    high = np.minimum(np.minimum(a, b), np.ceil(mean + reach).astype(np.int64))
    n_terms = np.maximum(high - low + 1, 0)
    pair = np.repeat(np.arange(len(a)), n_terms)
    m = np.arange(len(pair)) + (low - (np.cumsum(n_terms) - n_terms))[pair]
    margins = log_factorial[a] + log_factorial[b] + log_factorial[n - a] + log_factorial[n - b] - log_factorial[n]
    a, b, n = a[pair], b[pair], n[pair]
    log_probability = margins[pair] - (
        log_factorial[m] + log_factorial[a - m] + log_factorial[b - m] + log_factorial[n - a - b + m]
    )
    information = m / n * (np.log(n * m) - np.log(a * b))
    return np.bincount(pair, weights=information * np.exp(log_probability), minlength=len(n_terms))


def _sum_in_order(values: np.ndarray) -> np.ndarray:
    """Return the sum over the last axis, added from left to right, so that zeros at the end change no bit."""
    return np.add.accumulate(values, axis=-1)[..., -1]


def _ratio(numerator: np.ndarray, denominator: np.ndarray, otherwise: float = np.nan) -> np.ndarray:
    """Return numerator / denominator, and `otherwise` where the denominator is 0."""
    valid = denominator != 0
    return np.where(valid, numerator / np.where(valid, denominator, 1), otherwise)
