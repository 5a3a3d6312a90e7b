"""Find the nearest neighbours of all points, on the CPU or the GPU."""

import torch
from torch import Tensor

ROWS = 512
"""Number of points whose similarities to all others are in memory at once; it is fixed because last bits depend on
it."""


def nearest(X: Tensor, n_neighbors: int) -> Tensor:
    """Return for each point of X (N, d) the indices of the other points with the highest cosine similarity to it.

    Returns
    -------
    (N, n_neighbors) int64, on the device of X.
    """
    unit = torch.nn.functional.normalize(X, dim=1)
    blocks = []
    for start in range(0, len(X), ROWS):
        similarity = unit[start : start + ROWS] @ unit.T
        similarity.diagonal(start).fill_(-torch.inf)
        blocks.append(similarity.topk(n_neighbors, dim=1).indices)
    return torch.cat(blocks)
