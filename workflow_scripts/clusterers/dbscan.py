"""scikit-learn's DBSCAN, its radius at the knee of the k-distance curve unless it is given; finds its number."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import DBSCAN
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import found_k
from workflow_scripts.clusterers.k_distance import find_knee
from workflow_scripts.clusterers.memory import need_memory
from workflow_scripts.io.runs import Runs

log = logging.getLogger("clustergrid")
SAMPLE = 200
"""Points whose neighbours are counted to know the memory."""


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[None, Runs]]:
    """Cluster `points` (N, d) with the settings of `settings.Dbscan`; nothing is random.

    With `eps: auto` the radius is that of the knee. Where there is no density gap to cut on, the log says so and the
    clusters at the knee are stored all the same, mostly one; the diagnostics `confidence`, `height` and `eps` say how
    sure the cut is (`k_distance.Knee`). Raises `UserError` with the bytes or the time needed if that is too much.
    """
    facts = {"eps": settings["eps"]} if settings["eps"] != "auto" else _knee(points, settings["min_samples"])
    _check_memory(points, facts["eps"])
    with threadpool_limits(1):
        fit = DBSCAN(eps=facts["eps"], min_samples=settings["min_samples"]).fit(points)
    progress(1, 1)
    yield found_k(fit.labels_, **facts)


def _knee(points: np.ndarray, min_samples: int) -> dict[str, float]:
    knee = find_knee(points, min_samples)
    if not knee.is_gap:
        log.warning(
            "DBSCAN: no density gap to cut on: at the knee of the k-distance curve, eps = %.4g, the confidence is %.2f",
            *(knee.eps, knee.confidence),
        )
    return {"eps": knee.eps, "confidence": knee.confidence, "height": knee.height}


def _check_memory(points: np.ndarray, eps: float) -> None:
    """Count the neighbours of some points, as DBSCAN keeps those of all at once."""
    search = NearestNeighbors(radius=eps).fit(points)
    some = points[:: max(1, len(points) // SAMPLE)]
    neighbours = np.mean([len(rows) for rows in search.radius_neighbors(some, return_distance=False)])
    needed = int(2 * 8 * neighbours * len(points))
    need_memory(f"DBSCAN of {len(points)} images at eps {eps:.4g}", needed, "try fewer images or a smaller eps")
