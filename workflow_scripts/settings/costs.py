"""What computations cost on a slow core: constants that the models' estimates of time and memory share."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

FLOPS = 5e9
"""Floating-point operations of a core a second."""
FLOP_PER_WEIGHT = 12
"""Operations of training for an image and a weight of the encoder: two, in both halves, forward and back."""
CLUSTER_THREADS = 8
THREADED_RESTARTS = 2000
"""Restarts below which a second thread costs more than it saves."""
ROUNDS = 50
"""Of k-means until nothing changes, on average."""
FLOAT = 8
"""Bytes of a number in double precision."""
PAIRS_COPIES = 2.5
"""How many times the distances of all pairs are there at once: themselves, turned, and what is made of them."""
DISTANCES_AT_ONCE = 10**9
"""Bytes of the distances of all pairs that are held at once where they come in blocks, with what is made of them."""


def encoder_weights(d: int, widths: Sequence[int]) -> int:
    """Return the number of weights of dense layers with `widths` units on d inputs; a decoder has as many at most."""
    return sum(prod(pair) for pair in pairwise((d, *widths)))
