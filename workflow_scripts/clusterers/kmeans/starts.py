"""Choose the first centres of every restart of k-means: random points, k-means++, or given points or centres."""

from dataclasses import dataclass

import numpy as np

from workflow_scripts.clusterers.kmeans import streams
from workflow_scripts.clusterers.kmeans.problem import Batch, Problem
from workflow_scripts.clusterers.kmeans.results import Part


@dataclass(frozen=True)
class Starts:
    """The choice of the first centres of all restarts.

    Attributes
    ----------
    problem : the points.
    seeds : the seed of each repeat.
    init : how the first centres are chosen, or the given points or centres, as in `restarts.run_restarts`.
    """

    problem: Problem
    seeds: list[int]
    init: str | np.ndarray

    def batch(self, part: Part, max_iter: int, tol: float) -> Batch:
        """Return the batch that a backend runs for a part, that is for some restarts of one k and one seed.

        It has what the backend needs for the first centres: points, centres or random numbers.
        """
        k, some, seed = part.of_k.k, part.restarts, self.seeds[part.row]
        batch = Batch(len(some), k, max_iter, tol, part.labels, part.of_k.keep_all)
        if isinstance(self.init, np.ndarray):
            given = self.init[some.start : some.stop]
            if given.ndim == 2:
                return batch._replace(start_points=np.ascontiguousarray(given, np.int32))
            return batch._replace(start_centers=self.problem.inside(given))
        if self.init == "random":
            return batch._replace(start_points=streams.random_points(seed, some, k, len(self.problem.X)))
        trials = 2 + int(np.log(k)) if self.init == "k-means++" else 1
        return batch._replace(trials=trials, draws=streams.uniforms(seed, some, 1 + (k - 1) * trials))
