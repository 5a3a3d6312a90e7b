"""The clusterers, one model each: settings, and what the rest of the workflow needs to know of the method."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from workflow_scripts import all_pairs
from workflow_scripts.settings.base import Name
from workflow_scripts.settings.costs import (
    CLUSTER_THREADS,
    FLOAT,
    FLOP_PER_WEIGHT,
    FLOPS,
    ROUNDS,
    THREADED_RESTARTS,
    encoder_weights,
)
from workflow_scripts.settings.methods import Method

Number = Annotated[int, Field(ge=1)]
Numbers = Annotated[list[Number], Field(min_length=1)]


MOST_NUMBERS = 10_000
"""Of a range of k; a mistyped one would fill the memory."""


def _listed(given: Any) -> Any:
    """Return a number alone, or a range such as `2-500`, as a list."""
    if isinstance(given, str) and len(ends := given.split("-")) == 2 and all(end.isdigit() for end in ends):
        if int(ends[1]) - int(ends[0]) > MOST_NUMBERS:
            raise ValueError(f"found {given}, allowed: a range of {MOST_NUMBERS:,} numbers at most")
        return list(range(int(ends[0]), int(ends[1]) + 1))
    return given if isinstance(given, list) else [given]


Range = Annotated[str, Field(pattern=r"^\d+-\d+$")]
Ks = Annotated[Numbers, BeforeValidator(_listed, json_schema_input_type=Number | Range | Numbers)]


class Clusterer(Method):
    """A clusterer; the module of the same name in `clusterers/` has a function `cluster`.

    Sizes are of n points in d dimensions. Memory is in bytes, of what the job holds at once beside its libraries.
    """

    tag = "method"
    registry: ClassVar[dict[str, type["Clusterer"]]] = {}
    finds_k: ClassVar[bool] = True
    """Whether the method finds the number of clusters itself."""
    keeps_centers: ClassVar[bool] = False
    """Whether a centre of each cluster, in the space of the points, is stored."""
    numbers_per_image: ClassVar[int] = 0
    """Numbers in double precision that are stored of each image beside the labels."""

    @property
    def ks(self) -> list[int]:
        """Return the numbers of clusters that were asked for; none of a method that finds the number."""
        return []

    @property
    def study_read(self) -> str | None:
        """Return the study whose consensus are the clusters; None of a method that clusters the points."""
        return None

    @property
    def n_repeats(self) -> int:
        """Return how many clusterings of one k there are, each with a seed of its own; 1 if nothing is random."""
        return 1

    @property
    def n_stored(self) -> int:
        """Return how many clusterings of one k are stored."""
        return self.n_repeats

    @property
    def n_restarts(self) -> int:
        """Return the restarts of k-means of all k and repeats together; 0 of another method."""
        return 0

    @property
    def threads(self) -> int:
        """Return the threads that shorten the job."""
        return 1

    def stored_bytes(self, n: int, d: int) -> int:
        """Return the bytes of all clusterings in a store, uncompressed; a method that finds k may find n clusters."""
        return FLOAT * self.numbers_per_image * n + sum(self._bytes_of(k, n, d) for k in self.ks or [n])

    def _bytes_of(self, k: int, n: int, d: int) -> int:
        """Return the bytes of the labels, centres and facts of all clusterings of one k."""
        rows = n * (1 if k <= 256 else 2) + 40
        return self.n_stored * rows + (self.n_repeats * FLOAT * k * d if self.keeps_centers else 0)

    def memory(self, n: int, d: int) -> int:
        """Return the bytes of the points, of two copies of them, of the clusterings of one k, and of what the method
        itself takes."""
        return 3 * FLOAT * n * d + self._bytes_of(max(self.ks, default=n), n, d) + self.working_memory(n, d)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes that the method itself takes beside the points and their copies."""
        return 0

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds on a slow core: ten times the distances of all pairs."""
        return 2 * d * 10 * n**2 / FLOPS


class OfK(Clusterer):
    """A clusterer of a given number of clusters."""

    finds_k = False
    k: Ks
    """Numbers of clusters: one, a list, or a range as `2-500`. Left out, it is the configuration's `n_clusters`."""

    @model_validator(mode="after")
    def _each_k_once(self) -> "OfK":
        if len(set(self.k)) < len(self.k):
            raise ValueError(f"k: found {self.k}, allowed: each number once")
        return self

    @property
    def ks(self) -> list[int]:
        return self.k


class _Repeated(OfK):
    """A clusterer that draws at random: `repeats` clusterings of each k."""

    repeats: int = Field(3, ge=1)
    """With seeds of their own."""

    @property
    def n_repeats(self) -> int:
        return self.repeats

    @property
    def starts(self) -> int:
        """Return from how many starts a repeat is the best."""
        return 1

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds on a slow core: the distances to all centres in every round of every start, and ten times
        those of all pairs."""
        centers = ROUNDS * self.repeats * self.starts * sum(self.k)
        return 2 * d * n * (centers + 10 * n) / FLOPS


class _BestOf(_Repeated):
    """A clusterer of which a repeat is the best of `n_init` starts."""

    n_init: int = Field(3, ge=1)

    @property
    def starts(self) -> int:
        return self.n_init


class _Restarted(_BestOf):
    """k-means, whose restarts the plan counts."""

    keeps_centers = True
    n_init: int = Field(100, ge=1)
    """Restarts of a repeat."""
    repeats: int = Field(3, ge=1)
    max_iter: int = Field(300, ge=1)

    @property
    def n_restarts(self) -> int:
        return len(self.k) * self.repeats * self.n_init


class KMeans(_Restarted):
    """Lloyd's k-means, the lowest inertia of `n_init` restarts, `repeats` times with seeds of their own."""

    method: Literal["kmeans"] = "kmeans"
    init: Literal["k-means++", "k-means++-plain", "random"] = "k-means++"
    keep: Literal["best", "all"] = "best"
    """`all` stores every restart, `best` the best of each repeat."""
    device: Literal["cpu", "cuda"] = "cpu"

    @property
    def takes_gpu(self) -> bool:
        return self.device == "cuda"

    @property
    def threads(self) -> int:
        """Return the threads that shorten the job: restarts are shared out, where there are enough of them."""
        return CLUSTER_THREADS if self.n_restarts >= THREADED_RESTARTS else 1

    @property
    def n_stored(self) -> int:
        return self.repeats * (self.n_init if self.keep == "all" else 1)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points in the kernel's layout, of the distances and inner products of the pairs of
        thousands of points, and of each thread's products of points and centres."""
        pairs = 4 * (min(n, 5000) ** 2 + min(n, 4000) ** 2) + FLOAT * 512 * min(n, 4000)
        products = self.threads * min(16 * n * max(self.k), 2**28)
        return FLOAT * n * d + pairs + products


class MiniBatchKMeans(_Restarted):
    """scikit-learn's MiniBatchKMeans, for hundreds of thousands of images."""

    method: Literal["minibatch_kmeans"] = "minibatch_kmeans"
    n_init: int = Field(3, ge=1)
    batch_size: int = Field(4096, ge=1)


class Linkage(OfK):
    """Agglomerative clustering by Euclidean distance (fastcluster); the tree is cut by the order of its merges.

    Complete and average linkage need the distances of all pairs: 8 bytes for each, 1.6 GB for 20 000 images.
    """

    method: Literal["linkage"] = "linkage"
    linkage: Literal["single", "complete", "average", "centroid", "ward"] = "ward"

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the distances of all pairs, where the linkage needs them, and of the tree."""
        matrix = all_pairs.matrix_bytes(n) if all_pairs.needs_matrix(self.linkage, n, d) else 0
        return matrix + 10 * FLOAT * n


class DensityPeaks(OfK):
    """Density Peaks (Rodriguez & Laio 2014); centres have the largest density times distance to a denser one."""

    numbers_per_image = 2
    method: Literal["density_peaks"] = "density_peaks"
    density: Literal["knn", "cutoff"] = "knn"
    """`knn`: one over the distance to neighbour number `n_neighbors`; `cutoff`: the points nearer than a distance, the
    paper's."""
    n_neighbors: int = Field(20, ge=1)
    """Also among which a denser point is looked for first, which changes nothing but the time."""
    fraction: float = Field(0.02, gt=0, lt=1)
    """cutoff: of all pairs, so many are nearer than the distance (the paper: 0.01 to 0.02)."""

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the neighbours and their distances, and of differences and distances in blocks."""
        block = 2**27 if self.density == "knn" else 2**28 + 2**27
        return 4 * FLOAT * n * self.n_neighbors + min(3 * FLOAT * n**2, block)


class BisectingKMeans(_BestOf):
    """scikit-learn's BisectingKMeans: a hierarchy from the top, one cluster split in two at a time."""

    keeps_centers = True
    method: Literal["bisecting_kmeans"] = "bisecting_kmeans"
    n_init: int = Field(10, ge=1)
    """Restarts of each split."""
    max_iter: int = Field(300, ge=1)
    bisecting_strategy: Literal["biggest_inertia", "largest_cluster"] = "biggest_inertia"

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points of the cluster that is split."""
        return FLOAT * n * (d + 16)


class GaussianMixture(_BestOf):
    """scikit-learn's GaussianMixture; the table has its criteria `bic` and `aic`, which weigh k."""

    method: Literal["gaussian_mixture"] = "gaussian_mixture"
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "full"
    n_init: int = Field(3, ge=1)
    max_iter: int = Field(200, ge=1)
    reg_covar: float = Field(1e-6, ge=0)
    """Added to the covariances' diagonal, in the units of the points."""

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the squares, of the responsibilities, and of the covariances of all components, six
        times: those under way and the best, with their precisions."""
        k = max(self.k)
        matrices = {"full": 6 * k, "tied": 6}.get(self.covariance_type, 0)
        return FLOAT * (n * d + 4 * n * k + matrices * d**2)


class Spectral(_Repeated):
    """scikit-learn's SpectralClustering on the graph of nearest neighbours."""

    method: Literal["spectral"] = "spectral"
    n_neighbors: int = Field(10, ge=1)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the graph, made symmetric, and of its eigenvectors."""
        return FLOAT * n * (12 * self.n_neighbors + 6 * max(self.k))


class Birch(OfK):
    """scikit-learn's Birch: a tree of subclusters, then Ward linkage of these."""

    method: Literal["birch"] = "birch"
    threshold: float | None = Field(None, gt=0)
    """Radius of a subcluster; null is the median distance to the nearest image."""
    branching_factor: int = Field(50, ge=2)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the distances between subclusters, of which there are fewer than images, and a copy."""
        return FLOAT * n**2 // 2


class Dec(_BestOf):
    """Deep embedded clustering (Xie et al. 2016; with `idec` Guo et al. 2017): an autoencoder is pretrained, then its
    code is trained to form k clusters. A repeat shares its pretrained network between all k."""

    method: Literal["dec"] = "dec"
    variant: Literal["dec", "idec"] = "dec"
    """`idec` keeps the reconstruction in the loss."""
    gamma: float = Field(0.1, gt=0)
    """idec: weight of the clustering beside the reconstruction."""
    widths: list[Number] = Field([500, 500, 2000, 10], min_length=1)
    """Units of the encoder's layers, the last those of the code."""
    pretraining: Literal["joint", "layerwise"] = "joint"
    """All layers together, or first each pair of layers as a denoising autoencoder, as in the paper."""
    pretraining_epochs: int = Field(20, ge=1)
    """Of each pair of layers, and of all together; more where they would be fewer than 200 batches."""
    learning_rate: float = Field(1e-3, gt=0)
    """Of the pretraining, at its highest."""
    clustering_learning_rate: float = Field(3e-4, gt=0)
    batch_size: int = Field(256, ge=2)
    update_interval: int | None = Field(None, ge=1)
    """Batches between two target distributions; null is an epoch, and 8 at least."""
    max_updates: int = Field(30, ge=1)
    """Of the target distribution."""
    tolerance: float = Field(1e-3, ge=0, lt=1)
    """It ends when no larger share of the labels has changed since the last update."""
    n_init: int = Field(20, ge=1)
    """Restarts of the k-means that gives the first centres."""
    device: Literal["cpu", "cuda"] = "cpu"

    @property
    def takes_torch(self) -> bool:
        return True

    @property
    def takes_gpu(self) -> bool:
        return self.device == "cuda"

    @property
    def threads(self) -> int:
        """Return the threads that shorten the job: repeats run beside each other."""
        return min(self.repeats, CLUSTER_THREADS)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of what the repeats under way hold: weights of both halves, their gradients, what Adam keeps
        of them, a copy for each k; codes and assignments of all points."""
        weights = 2 * encoder_weights(d, self.widths)
        return self.threads * (4 * 8 * weights + FLOAT * n * (3 * max(self.k) + sum(self.widths[-1:])))

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds on a slow core: every weight for every image in every epoch of the pretraining and of each
        k."""
        epochs = self.pretraining_epochs * (len(self.widths) + 1) + self.max_updates * len(self.k)
        return self.repeats * epochs * n * encoder_weights(d, self.widths) * FLOP_PER_WEIGHT / FLOPS


MANY_NEIGHBOURS = 10_000
"""Within a radius that is given, taken where there are more images."""


class Dbscan(Clusterer):
    """scikit-learn's DBSCAN; it finds its number of clusters, and what is in none is noise."""

    method: Literal["dbscan"] = "dbscan"
    eps: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Radius of a neighbourhood; `auto` is the knee of the sorted k-distance curve."""
    min_samples: int = Field(10, ge=2)
    """Images within the radius that make a core point, itself among them."""

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the neighbours of all points, twice: up to all of them within a radius that is given, few
        at the knee."""
        neighbours = min(n, MANY_NEIGHBOURS if self.eps != "auto" else 10 * self.min_samples)
        return FLOAT * n * (d + 2 * neighbours)


class Hdbscan(Clusterer):
    """scikit-learn's HDBSCAN; it finds its number of clusters, and what is in none is noise."""

    numbers_per_image = 1
    method: Literal["hdbscan"] = "hdbscan"
    min_cluster_size: int = Field(10, ge=2)
    min_samples: int | None = Field(None, ge=1)
    """null is `min_cluster_size`."""
    cluster_selection_method: Literal["eom", "leaf"] = "eom"


class Optics(Clusterer):
    """scikit-learn's OPTICS with clusters by steepness (xi); it finds their number, and what is in none is noise."""

    numbers_per_image = 2
    method: Literal["optics"] = "optics"
    min_samples: int = Field(10, ge=2)
    xi: float = Field(0.05, gt=0, lt=1)
    min_cluster_size: int | None = Field(None, ge=2)
    """null is `min_samples`."""

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points in order of their reachability."""
        return FLOAT * n * d


class MeanShift(Clusterer):
    """scikit-learn's MeanShift; it finds its number of clusters."""

    keeps_centers = True
    method: Literal["mean_shift"] = "mean_shift"
    bandwidth: float | None = Field(None, gt=0)
    """null estimates it (scikit-learn's estimate_bandwidth)."""
    quantile: float = Field(0.1, gt=0, le=1)
    """Of the distances, for the estimate."""
    cluster_all: bool = True
    """Whether images out of every bandwidth go to the nearest cluster, or are noise."""

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points within the bandwidth of the seeds under way."""
        return 3 * FLOAT * n * d


class AffinityPropagation(Clusterer):
    """scikit-learn's AffinityPropagation; it finds its number of clusters."""

    keeps_centers = True
    method: Literal["affinity_propagation"] = "affinity_propagation"
    damping: float = Field(0.9, ge=0.5, lt=1)
    preference: float | None = None
    """How much each image wants to be an exemplar; null is the median similarity (minus the squared distance)."""
    max_iter: int = Field(500, ge=1)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of five matrices of all pairs."""
        return 5 * FLOAT * n**2


class Consensus(Clusterer):
    """The groups on which the cells of a study agree, as a clusterer like the others; the reduction of its cell is
    where they are looked at, scored, and given new images."""

    method: Literal["consensus"] = "consensus"
    study: Name
    """The study. Cells with a consensus have no part in it, so that it may also stand among its `cells`."""

    @property
    def study_read(self) -> str:
        return self.study

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds of a job that only reads."""
        return 0.0
