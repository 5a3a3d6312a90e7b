"""Count images by cluster and class, for many partitions of the same images at once."""

from numbers import Real

import numpy as np
import numpy.typing as npt


def encode_classes(y: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the class of each image as a number, and the classes, sorted.

    Parameters
    ----------
    y : (N,) strings or integers; None, NaN and "" are missing labels.

    Returns
    -------
    codes : (N,) intp, the index of the image's class in `classes`; -1 for a missing label.
    classes : (C,) object, the classes in sorted order.
    """
    labels = np.asarray(y, dtype=object).tolist()
    classes = sorted(label for label in set(labels) if isinstance(label, str | Real) and label == label and label != "")
    number = {label: code for code, label in enumerate(classes)}
    codes = np.array([number.get(label, -1) for label in labels], dtype=np.intp)
    # None keeps numpy from making an array of numbers or texts
    return codes, np.array([*classes, None], dtype=object)[:-1]


def as_partitions(labels: npt.ArrayLike, n_images: int) -> np.ndarray:
    """Return `labels` as an array (R, n_images) of integers.

    Raises
    ------
    ValueError
        If `labels` has another shape or another type.
    """
    partitions = np.asarray(labels)
    if partitions.ndim != 2 or partitions.shape[1] != n_images or partitions.dtype.kind not in "iu":
        raise ValueError(
            f"labels: got {partitions.dtype} of shape {partitions.shape}, expected integers of shape (R, {n_images})"
        )
    return partitions


def cluster_count(labels: np.ndarray) -> int:
    """Return one more than the highest number in `labels` (R, N), and at least 1."""
    return max(int(labels.max()) + 1, 1) if labels.size else 1


def contingency_tables(labels: np.ndarray, codes: np.ndarray, n_clusters: int, n_classes: int) -> np.ndarray:
    """Count the images of every (cluster, class) pair in every partition, with one `bincount`.

    Parameters
    ----------
    labels : (R, N) integers below `n_clusters`, one partition per row; negative is noise.
    codes : (N,) integers below `n_classes`, the class of each image; -1 is a missing label.

    Returns
    -------
    (R, 1 + n_clusters, n_classes + 1) int64, one table for each partition. Row 0 of a table counts the noise, row
    i + 1 the images of cluster i; the last column counts the images without a label.
    """
    n_partitions = len(labels)
    shape = (n_partitions, 1 + n_clusters, n_classes + 1)
    cells = np.maximum(labels.astype(np.intp), -1)
    cells += 1 + np.arange(n_partitions, dtype=np.intp)[:, None] * shape[1]
    cells *= shape[2]
    cells += np.where(codes < 0, n_classes, codes)
    return np.bincount(cells.ravel(), minlength=int(np.prod(shape))).reshape(shape)
