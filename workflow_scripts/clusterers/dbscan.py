"""Cluster with scikit-learn's `DBSCAN`; by default, its radius is the distance at the knee of the k-distance curve."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import DBSCAN
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress
from workflow_scripts.clusterers.fits import single_run
from workflow_scripts.clusterers.k_distance import find_knee
from workflow_scripts.clusterers.memory import need_memory
from workflow_scripts.io.runs import Runs

log = logging.getLogger("clustergrid")
SAMPLE = 200
"""Number of points whose neighbours are counted to estimate the memory that DBSCAN needs."""


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[None, Runs]]:
    """Cluster `points` (N, d) with the settings of `settings.Dbscan`; yields (None, the runs) once.

    The method is not random. With `eps: auto` the radius is the k-distance at the knee of the curve. If there is no
    density gap at the knee, a warning is logged, and the clusters (often only one) are stored nevertheless. The
    diagnostic `eps` is the radius; with `eps: auto`, `confidence` and `height` describe the knee (see
    `k_distance.Knee`). Raises `UserError` if the clustering needs too much memory or time.
    """
    diagnostics = {"eps": settings["eps"]} if settings["eps"] != "auto" else _knee(points, settings["min_samples"])
    _check_memory(points, diagnostics["eps"])
    with threadpool_limits(1):
        fit = DBSCAN(eps=diagnostics["eps"], min_samples=settings["min_samples"]).fit(points)
    progress(1, 1)
    yield single_run(fit.labels_, **diagnostics)


def _knee(points: np.ndarray, min_samples: int) -> dict[str, float]:
    knee = find_knee(points, min_samples)
    if not knee.is_gap:
        log.warning(
            "DBSCAN: found no density gap to cut on: at the knee of the k-distance curve (eps = %.4g) the confidence "
            "is %.2f; take its clusters with care",
            *(knee.eps, knee.confidence),
        )
    return {"eps": knee.eps, "confidence": knee.confidence, "height": knee.height}


def _check_memory(points: np.ndarray, eps: float) -> None:
    """Raise `UserError` if the neighbours of all points (N, d) do not fit into memory: DBSCAN keeps all of them.

    Their number is estimated from about `SAMPLE` points.
    """
    search = NearestNeighbors(radius=eps).fit(points)
    some = points[:: max(1, len(points) // SAMPLE)]
    neighbours = np.mean([len(rows) for rows in search.radius_neighbors(some, return_distance=False)])
    needed = int(2 * 8 * neighbours * len(points))
    need_memory(f"DBSCAN of {len(points)} images at eps {eps:.4g}", needed, "try fewer images or a smaller eps")
