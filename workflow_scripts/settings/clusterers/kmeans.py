"""The settings of k-means."""

from typing import Literal

from pydantic import Field

from workflow_scripts.kmeans_kernels import kernels
from workflow_scripts.settings.clusterers.base import BestOf, RestartCount
from workflow_scripts.settings.costs import CLUSTER_THREADS, FLOAT, THREADED_SECONDS
from workflow_scripts.settings.methods import OnDevice


class Restarted(BestOf):
    """Base class of the settings of k-means and mini-batch k-means. The dry run prints the number of restarts."""

    keeps_centers = True
    n_init: RestartCount = 100
    """Number of restarts of each repeat; the restart with the lowest inertia is kept."""
    max_iter: int = Field(300, ge=1)

    @property
    def n_restarts(self) -> int:
        return len(self.k) * self.repeats * self.n_init


class KMeans(OnDevice, Restarted):
    """Lloyd's k-means. Each of the `repeats` is the restart with the lowest inertia among `n_init` restarts."""

    method: Literal["kmeans"] = "kmeans"
    init: Literal["k-means++", "k-means++-plain", "random"] = "k-means++"
    keep: Literal["best", "all"] = "best"
    """`all` stores every restart, `best` the best of each repeat."""

    @property
    def prose(self) -> str:
        centers = "random first centres" if self.init == "random" else f"{self.init} first centres [@arthur2007]"
        kept = ", keeping the restart with the lowest inertia of each repeat" if self.keep == "best" else ""
        return f"k-means [@lloyd1982] with {centers} and at most {self.max_iter} iterations{kept}"

    @property
    def takes_torch(self) -> bool:
        """Return whether the restarts run in PyTorch: on a GPU, and where no kernel was compiled."""
        return self.takes_gpu or not kernels()

    def threads(self, n: int, d: int) -> int:
        """Return the number of threads: several if the restarts take much longer than the start of the job."""
        return CLUSTER_THREADS if self.seconds(n, d) >= THREADED_SECONDS else 1

    @property
    def n_stored(self) -> int:
        return self.repeats * (self.n_init if self.keep == "all" else 1)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of three parts: copies of the points, one for the compiled kernel or a GPU, and eight for
        PyTorch on the CPU, which splits each number into exact parts; distances and inner products between some
        thousands of points; and the inner products of points and centres in each thread."""
        copies = 1 if self.takes_gpu or kernels() else 8
        pairs = 4 * (min(n, 5000) ** 2 + min(n, 4000) ** 2) + FLOAT * 512 * min(n, 4000)
        products = self.threads(n, d) * min(16 * n * max(self.k), 2**28)
        return copies * FLOAT * n * d + pairs + products


class MiniBatchKMeans(Restarted):
    """scikit-learn's MiniBatchKMeans, for hundreds of thousands of images."""

    in_prose = "mini-batch k-means [@sculley2010] with batches of {batch_size} images"
    method: Literal["minibatch_kmeans"] = "minibatch_kmeans"
    n_init: RestartCount = 3
    batch_size: int = Field(4096, ge=1)
