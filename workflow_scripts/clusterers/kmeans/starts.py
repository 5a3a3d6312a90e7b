"""The starts of k-means: random points, k-means++, or given ones."""

from dataclasses import dataclass

import numpy as np

from workflow_scripts.clusterers.kmeans import streams
from workflow_scripts.clusterers.kmeans.problem import Batch, Problem
from workflow_scripts.clusterers.kmeans.results import Part


@dataclass(frozen=True)
class Starts:
    """The starting points of all restarts."""

    problem: Problem
    seeds: list[int]
    init: str | np.ndarray

    def batch(self, part: Part, max_iter: int, tol: float) -> Batch:
        """Return the part in the form that a backend takes."""
        k, some, seed = part.study.k, part.restarts, self.seeds[part.row]
        batch = Batch(len(some), k, max_iter, tol, part.labels, part.study.keep_all)
        if isinstance(self.init, np.ndarray):
            given = self.init[some.start : some.stop]
            if given.ndim == 2:
                return batch._replace(start_points=np.ascontiguousarray(given, np.int32))
            return batch._replace(start_centers=self.problem.inside(given))
        if self.init == "random":
            return batch._replace(start_points=streams.random_points(seed, some, k, len(self.problem.X)))
        trials = 2 + int(np.log(k)) if self.init == "k-means++" else 1
        return batch._replace(trials=trials, draws=streams.uniforms(seed, some, 1 + (k - 1) * trials))
