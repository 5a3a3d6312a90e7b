"""scikit-learn's MiniBatchKMeans, for hundreds of thousands of images."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import Progress, Runs
from workflow_scripts.seeds import seed


def cluster(
    points: np.ndarray, settings: Mapping[str, Any], base_seed: int, n_threads: int, progress: Progress
) -> Iterator[tuple[int, Runs]]:
    """Clusters `points` (N, d) for each k of the settings (those of `settings.MiniBatchKMeans`).

    `n_init` is scikit-learn's: so many initialisations are tried on a sample, and the best is run. One thread, since
    more would change the last bits.
    """
    restarts_of_k = settings["repeats"] * settings["n_init"]
    for number, k in enumerate(settings["k"], 1):
        seeds = [seed(base_seed, "minibatch_kmeans", k, repeat) for repeat in range(settings["repeats"])]
        with threadpool_limits(1):
            fits = [_fit(points, k, settings, its) for its in seeds]
        progress(number * restarts_of_k, len(settings["k"]) * restarts_of_k)
        repeats = np.arange(len(fits))
        yield (
            k,
            Runs(
                labels=np.stack([fit.labels_ for fit in fits]).astype(np.min_scalar_type(k - 1)),
                inertia=np.array([fit.inertia_ for fit in fits], dtype=float),
                n_iter=np.array([fit.n_iter_ for fit in fits]),
                converged=np.array([fit.n_iter_ < settings["max_iter"] for fit in fits]),
                repeat=repeats,
                restart=np.zeros_like(repeats),
                seed=np.array(seeds, dtype=np.uint32),
                centers=np.stack([fit.cluster_centers_ for fit in fits]),
            ),
        )


def _fit(points: np.ndarray, k: int, settings: Mapping[str, Any], its_seed: int) -> MiniBatchKMeans:
    estimator = MiniBatchKMeans(
        n_clusters=k,
        n_init=settings["n_init"],
        max_iter=settings["max_iter"],
        batch_size=settings["batch_size"],
        random_state=its_seed,
    )
    return estimator.fit(points)
