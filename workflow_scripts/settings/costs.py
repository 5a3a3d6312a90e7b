"""Constants for the estimates of time and memory in the settings models."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

FLOPS = 5e9
"""Floating-point operations per second of a slow core."""
FLOP_PER_WEIGHT = 12
"""Operations per image and weight of the encoder in training: 2 operations, times 2 halves, times 3 for gradients."""
CLUSTER_THREADS = 8
"""Most threads of a clustering job."""
THREADED_SECONDS = 60
"""The fewest seconds of k-means, estimated for a slow core without the kernels, for which a job takes several threads.
With the kernels these are one or two seconds; shorter jobs, of which there are many, run side by side instead."""
ROUNDS = 50
"""Iterations of k-means until convergence, on average."""
FLOAT = 8
"""Bytes of a number in double precision."""
PAIRS_COPIES = 2.5
"""Number of matrices of all pairwise distances held at once, counting copies and intermediate results."""
DISTANCES_AT_ONCE = 10**9
"""Bytes held at once, counting intermediate results, when the distances of all pairs are computed in blocks."""
LABEL_COPIES = 40
"""Bytes per label where all cells are compared, with their repeats; 1.1 GB were measured for 30 million labels."""
LABELS_AT_ONCE = 4_000_000
"""Number of labels counted at once."""
PAIRS_OF_CELLS_COPIES = 20
"""Number of matrices of all pairs of cells held at once, counting copies and tables of pairs."""
SILHOUETTE_POINTS = 20_000
"""Largest number of points whose distances all clusterings share, as `metrics.internal.MAX_POINTS`; of more points each
clustering has a sample of its own."""
SILHOUETTE_SECONDS = 2.5e-8
"""Seconds for each pair of points, besides the product; 1.4e-8 to 2.4e-8 were measured for 5000 to 20 000 x 50."""
PARTITION_SECONDS = 1.5e-9
"""Seconds for each pair of points and clustering that the distances are summed for; 1e-9 to 1.5e-9 were measured for
6000 x 50."""
SIMILARITIES_AT_ONCE = 512
"""Number of points whose similarities to all others are held at once, as `temi.neighbours.ROWS`."""
FACTS = 500
"""Bytes in memory for each image: its row of the manifest, and the facts about it."""


def encoder_weights(d: int, widths: Sequence[int]) -> int:
    """Return the number of weights of dense layers with `widths` units on d inputs (a decoder has no more)."""
    return sum(prod(pair) for pair in pairwise((d, *widths)))


def partitions_bytes(n: int, stored: Sequence[int]) -> int:
    """Return the bytes that a comparison of cells holds: one cell as stored, all with repeats, those counted at once.

    The cells have n images; `stored` holds for each cell the number of partitions stored for one k.
    """
    labels = n * len(stored)
    return n * max(stored) + LABEL_COPIES * (labels + min(labels, LABELS_AT_ONCE))
