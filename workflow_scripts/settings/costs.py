"""Constants and functions for the estimates of time and memory in the classes of settings."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

FLOPS = 5e9
"""Floating-point operations per second of a slow core."""
FLOP_PER_WEIGHT = 12
"""Floating-point operations for each image and weight of the encoder in an epoch of training: a product and a sum, in
encoder and decoder (x 2), for the forward pass and for gradients that cost twice as much (x 3)."""
CLUSTER_THREADS = 8
"""Largest number of threads of a clustering job."""
THREADED_SECONDS = 60
"""A job of k-means takes several threads if its estimated time, in seconds, is this or longer. The estimate is for a
slow core without the compiled kernels; with them, 60 seconds become one or two. There are many shorter jobs, which run
side by side instead."""
ROUNDS = 50
"""Assumed number of iterations of k-means until convergence."""
FLOAT = 8
"""Bytes of a number in double precision."""
PAIRS_COPIES = 2.5
"""Number of matrices of all pairwise distances that are held in memory at once, with copies and intermediate
results."""
DISTANCES_AT_ONCE = 10**9
"""Bytes held in memory at once, with intermediate results, when the distances of all pairs are computed in blocks."""
LINKED_IMAGES = 4000
"""Largest number of images whose pairs the consensus compares; equal to `consensus.MAX_LINKED`."""
LABEL_COPIES = 40
"""Bytes held in memory for each image and cell when the clusterings of all cells are compared. The stored repeats of a
cell are included. Measured: 1.1 GB for 30 million pairs of an image and a cell."""
LABELS_AT_ONCE = 4_000_000
"""Number of labels (one for each image of a clustering) that are counted at once."""
PAIRS_OF_CELLS_COPIES = 20
"""Number of matrices of all pairs of cells that are held in memory at once, with copies and tables of pairs."""
SILHOUETTE_POINTS = 20_000
"""Largest number of points for which the distances are computed once for all clusterings; equal to
`metrics.internal.MAX_POINTS`. If there are more points, each clustering is scored on a sample of its own."""
SILHOUETTE_SECONDS = 2.5e-8
"""Seconds to compute one distance between two points, without the inner product. Measured: 1.4e-8 to 2.4e-8 for 5000 to
20 000 points in 50 dimensions."""
PARTITION_SECONDS = 1.5e-9
"""Seconds to add up one distance for one clustering. Measured: 1e-9 to 1.5e-9 for 6000 points in 50 dimensions."""
SIMILARITIES_AT_ONCE = 512
"""Number of points whose similarities to all others are held in memory at once; equal to `temi.neighbours.ROWS`."""
FACTS = 500
"""Bytes in memory for each image: its row of the manifest, and the facts about it."""


def encoder_weights(d: int, widths: Sequence[int]) -> int:
    """Return the number of weights, without biases, of an encoder of dense layers with `widths` units on d inputs. A
    decoder has the same number."""
    return sum(prod(pair) for pair in pairwise((d, *widths)))


def partitions_bytes(n: int, stored: Sequence[int]) -> int:
    """Return the bytes that a comparison of the clusterings of all cells holds in memory.

    These are the stored clusterings of one cell (the one with the most), one clustering of every cell, and a block of
    at most `LABELS_AT_ONCE` labels for counting. Of the last two there are several copies. A clustering has n labels.
    `stored` has, for each cell, the number of stored clusterings for each k.
    """
    labels = n * len(stored)
    return n * max(stored) + LABEL_COPIES * (labels + min(labels, LABELS_AT_ONCE))
