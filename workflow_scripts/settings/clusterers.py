"""The settings, traits and cost estimates of all clusterers."""

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
    SIMILARITIES_AT_ONCE,
    THREADED_SECONDS,
    encoder_weights,
)
from workflow_scripts.settings.methods import Method, OnDevice
from workflow_scripts.wording import listed

Number = Annotated[int, Field(ge=1)]
Numbers = Annotated[list[Number], Field(min_length=1)]
MANY_NEIGHBOURS = 10_000
"""The number of neighbours assumed within a radius `eps` that the settings give, if there are more images."""
MOST_NUMBERS = 10_000
"""The most numbers in a range of k; a mistyped range would fill the memory."""


def _listed(given: Any) -> Any:
    """Return the list for a single number or for a range such as `2-500`."""
    if isinstance(given, str) and len(ends := given.split("-")) == 2 and all(end.isdecimal() for end in ends):
        first, last = map(int, ends)
        if last < first:
            raise ValueError(f"found {given}, allowed: a range that begins with the smaller number")
        if last - first > MOST_NUMBERS:
            raise ValueError(f"found {given}, allowed: a range of {MOST_NUMBERS:,} numbers at most")
        return list(range(first, last + 1))
    return given if isinstance(given, list) else [given]


Range = Annotated[str, Field(pattern=r"^\d+-\d+$")]
Ks = Annotated[Numbers, BeforeValidator(_listed, json_schema_input_type=Number | Range | Numbers)]


class Clusterer(Method):
    """Base class of the settings of clusterers; the code is the module of the same name in `clusterers/`.

    Estimates are for n points in d dimensions. Memory does not count the libraries.
    """

    tag = "method"
    registry: ClassVar[dict[str, type["Clusterer"]]] = {}
    finds_k: ClassVar[bool] = True
    """Whether the method finds the number of clusters itself."""
    keeps_centers: ClassVar[bool] = False
    """Whether the centre of each cluster, a point in d dimensions, is stored."""
    numbers_per_image: ClassVar[int] = 0
    """How many numbers in double precision are stored for each image besides its labels."""

    @property
    def ks(self) -> list[int]:
        """Return the numbers of clusters in the settings; an empty list if the method finds the number itself."""
        return []

    @property
    def study_read(self) -> str | None:
        """Return the study whose consensus gives the clusters; None if the method clusters the points."""
        return None

    @property
    def columns(self) -> int | None:
        """Return the number of columns that the points must have; None for any number."""
        return None

    @property
    def n_repeats(self) -> int:
        """Return the number of repeats of each k, each with its own seed; 1 if the method is not random."""
        return 1

    @property
    def starts(self) -> int:
        """Return the number of starts of each repeat, of which the best is kept."""
        return 1

    @property
    def n_stored(self) -> int:
        """Return the number of clusterings that are stored for each k."""
        return self.n_repeats

    @property
    def n_restarts(self) -> int:
        """Return the number of restarts of k-means for all k and repeats together; 0 for other methods."""
        return 0

    def threads(self, n: int, d: int) -> int:
        """Return the number of threads that the job can make use of."""
        return 1

    def stored_bytes(self, n: int, d: int) -> int:
        """Return the bytes of the store without compression; a method that finds k may find up to n clusters."""
        return FLOAT * self.numbers_per_image * n + sum(self._bytes_of(k, n, d) for k in self.ks or [n])

    def _bytes_of(self, k: int, n: int, d: int) -> int:
        """Return the bytes of all clusterings of one k: labels, centres, and the numbers about each clustering."""
        rows = n * (1 if k <= 256 else 2) + 40
        return self.n_stored * rows + (self.n_repeats * FLOAT * k * d if self.keeps_centers else 0)

    def memory(self, n: int, d: int) -> int:
        """Return the bytes of the points and two copies, of the clusterings of one k, and of `working_memory`."""
        return 3 * FLOAT * n * d + self._bytes_of(max(self.ks, default=n), n, d) + self.working_memory(n, d)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes that the method needs besides the points, their copies and the results."""
        return 0

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds on a slow core: ten times those for the distances of all pairs."""
        return 2 * d * 10 * n**2 / FLOPS


class OfK(Clusterer):
    """Base class of the settings of clusterers that need the number of clusters."""

    finds_k = False
    k: Ks
    """Numbers of clusters: one number, a list, or a range such as `2-500`. The default is the configuration's
    `n_clusters`."""

    @model_validator(mode="after")
    def _each_k_once(self) -> "OfK":
        if len(set(self.k)) < len(self.k):
            raise ValueError(f"k: found {self.k}, allowed: each number once")
        return self

    @property
    def ks(self) -> list[int]:
        return self.k


class _Repeated(OfK):
    """Base class of the settings of random clusterers, which compute `repeats` clusterings of each k."""

    repeats: int = Field(3, ge=1)
    """Number of clusterings of each k, each with its own seed."""

    @property
    def n_repeats(self) -> int:
        return self.repeats

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds on a slow core: those for the distances to all centres in all iterations of all starts,
        and ten times those for the distances of all pairs."""
        centers = ROUNDS * self.repeats * self.starts * sum(self.k)
        return 2 * d * n * (centers + 10 * n) / FLOPS


class _BestOf(_Repeated):
    """Base class of the settings of clusterers whose repeats are each the best of `n_init` starts."""

    n_init: int = Field(3, ge=1)

    @property
    def starts(self) -> int:
        return self.n_init


class _Restarted(_BestOf):
    """Base class of the settings of k-means, whose restarts the plan counts."""

    keeps_centers = True
    n_init: int = Field(100, ge=1)
    """Restarts of each repeat, of which the best is kept."""
    repeats: int = Field(3, ge=1)
    max_iter: int = Field(300, ge=1)

    @property
    def n_restarts(self) -> int:
        return len(self.k) * self.repeats * self.n_init


class KMeans(OnDevice, _Restarted):
    """Lloyd's k-means. Each of the `repeats` is the restart with the lowest inertia of `n_init`."""

    method: Literal["kmeans"] = "kmeans"
    init: Literal["k-means++", "k-means++-plain", "random"] = "k-means++"
    keep: Literal["best", "all"] = "best"
    """`all` stores every restart, `best` the best of each repeat."""

    @property
    def prose(self) -> str:
        centers = "random first centres" if self.init == "random" else f"{self.init} first centres [@arthur2007]"
        kept = ", keeping the restart with the lowest inertia of each repeat" if self.keep == "best" else ""
        return f"k-means [@lloyd1982] with {centers} and at most {self.max_iter} iterations{kept}"

    def threads(self, n: int, d: int) -> int:
        """Return the number of threads: several if the restarts take much longer than the start of the job."""
        return CLUSTER_THREADS if self.seconds(n, d) >= THREADED_SECONDS else 1

    @property
    def n_stored(self) -> int:
        return self.repeats * (self.n_init if self.keep == "all" else 1)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points in the kernel's layout, of the distances and inner products of some thousands
        of points, and of each thread's products of points and centres."""
        pairs = 4 * (min(n, 5000) ** 2 + min(n, 4000) ** 2) + FLOAT * 512 * min(n, 4000)
        products = self.threads(n, d) * min(16 * n * max(self.k), 2**28)
        return FLOAT * n * d + pairs + products


class MiniBatchKMeans(_Restarted):
    """scikit-learn's MiniBatchKMeans, for hundreds of thousands of images."""

    in_prose = "mini-batch k-means [@sculley2010] with batches of {batch_size} images"
    method: Literal["minibatch_kmeans"] = "minibatch_kmeans"
    n_init: int = Field(3, ge=1)
    batch_size: int = Field(4096, ge=1)


class Linkage(OfK):
    """Agglomerative clustering with Euclidean distances (fastcluster). k clusters are what is left when the last k - 1
    merges are undone. Complete and average linkage need the distances of all pairs: 8 bytes each, which is 1.6 GB for
    20 000 images."""

    in_prose = "agglomerative clustering with {linkage} linkage and Euclidean distances [@mullner2013]"
    method: Literal["linkage"] = "linkage"
    linkage: Literal["single", "complete", "average", "centroid", "ward"] = "ward"

    @property
    def prose(self) -> str:
        return self.in_prose.format(linkage="Ward" if self.linkage == "ward" else self.linkage)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the tree, and of the distances of all pairs if the linkage needs them."""
        matrix = all_pairs.matrix_bytes(n) if all_pairs.needs_matrix(self.linkage, n, d) else 0
        return matrix + 10 * FLOAT * n


class DensityPeaks(OfK):
    """Density Peaks (Rodriguez & Laio 2014). The centres are the k images with the largest product of density and
    distance to the nearest denser image."""

    numbers_per_image = 2
    method: Literal["density_peaks"] = "density_peaks"
    density: Literal["knn", "cutoff"] = "knn"
    """The density of an image. `knn`: one over the distance to its neighbour number `n_neighbors`; `cutoff`: the number
    of images nearer than a distance, as in the paper."""
    n_neighbors: int = Field(20, ge=1)
    """The number of the neighbour that `knn` uses. With `cutoff` it changes only the time: a denser image is looked for
    among so many neighbours first."""
    fraction: float = Field(0.02, gt=0, lt=1)
    """For `cutoff`: the share of all pairs of images that are nearer than the distance (0.01 to 0.02 in the paper)."""

    @property
    def prose(self) -> str:
        density = (
            f"neighbour {self.n_neighbors}" if self.density == "knn" else f"a cut-off of {self.fraction:g} of all pairs"
        )
        return f"Density Peaks [@rodriguez2014] with the density from {density}"

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the neighbours and their distances, and of the distances of all pairs in blocks."""
        block = 2**27 if self.density == "knn" else 2**28 + 2**27
        return 4 * FLOAT * n * self.n_neighbors + min(3 * FLOAT * n**2, block)


class BisectingKMeans(_BestOf):
    """scikit-learn's BisectingKMeans, which splits one cluster in two until there are k."""

    keeps_centers = True
    in_prose = "bisecting k-means [@steinbach2000]"
    method: Literal["bisecting_kmeans"] = "bisecting_kmeans"
    n_init: int = Field(10, ge=1)
    """Restarts of each split, of which the best is kept."""
    max_iter: int = Field(300, ge=1)
    bisecting_strategy: Literal["biggest_inertia", "largest_cluster"] = "biggest_inertia"

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points of the cluster that is split."""
        return FLOAT * n * (d + 16)


class GaussianMixture(_BestOf):
    """scikit-learn's GaussianMixture. The tables also have the criteria `bic` and `aic`, by which k can be chosen."""

    in_prose = "Gaussian mixtures with {covariance_type} covariances fitted by expectation maximisation [@dempster1977]"
    method: Literal["gaussian_mixture"] = "gaussian_mixture"
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "full"
    n_init: int = Field(3, ge=1)
    max_iter: int = Field(200, ge=1)
    reg_covar: float = Field(1e-6, ge=0)
    """Number added to the diagonal of the covariances, in the squared units of the points."""

    @property
    def prose(self) -> str:
        kind = "diagonal" if self.covariance_type == "diag" else self.covariance_type
        return self.in_prose.format(covariance_type=kind)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the squared points, of the responsibilities, and of six sets of covariances: the current
        and the best ones, with their precisions."""
        k = max(self.k)
        matrices = {"full": 6 * k, "tied": 6}.get(self.covariance_type, 0)
        return FLOAT * (n * d + 4 * n * k + matrices * d**2)


class Spectral(_Repeated):
    """scikit-learn's SpectralClustering on the graph of nearest neighbours."""

    in_prose = "spectral clustering [@vonluxburg2007] of the graph of the {n_neighbors} nearest neighbours"
    method: Literal["spectral"] = "spectral"
    n_neighbors: int = Field(10, ge=1)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the symmetric graph and of its eigenvectors."""
        return FLOAT * n * (12 * self.n_neighbors + 6 * max(self.k))


class Birch(OfK):
    """scikit-learn's Birch: a tree of subclusters, which Ward linkage then joins to k clusters."""

    in_prose = "BIRCH [@zhang1996] with a branching factor of {branching_factor}"
    method: Literal["birch"] = "birch"
    threshold: float | None = Field(None, gt=0)
    """Largest radius of a subcluster; null takes the median distance of an image to its nearest neighbour."""
    branching_factor: int = Field(50, ge=2)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the distances between subclusters and of a copy; there are fewer subclusters than
        images."""
        return FLOAT * n**2 // 2


class _Trained(OnDevice, _Repeated):
    """Base class of the settings of clusterers that train a network, on the CPU or a GPU."""

    @property
    def takes_torch(self) -> bool:
        return True

    def threads(self, n: int, d: int) -> int:
        """Return the number of threads: one for each repeat, up to a limit."""
        return min(self.repeats, CLUSTER_THREADS)


class Dec(_Trained):
    """Deep embedded clustering (Xie et al. 2016; with `idec` Guo et al. 2017). An autoencoder is pretrained, then its
    codes are trained to form k clusters. All k of a repeat start from the same pretrained network."""

    method: Literal["dec"] = "dec"
    variant: Literal["dec", "idec"] = "dec"
    """`idec` keeps the reconstruction error in the loss; `dec` does not."""
    gamma: float = Field(0.1, gt=0)
    """For `idec`: weight of the clustering loss relative to the reconstruction error."""
    widths: list[Number] = Field([500, 500, 2000, 10], min_length=1)
    """Numbers of units of the encoder's layers; the last is the dimension of the codes."""
    pretraining: Literal["joint", "layerwise"] = "joint"
    """`joint` trains all layers together. `layerwise` first trains each pair of layers as a denoising autoencoder, as
    in the paper."""
    pretraining_epochs: int = Field(20, ge=1)
    """Epochs for each pair of layers, and for all layers together. There are at least as many as make 200 batches."""
    learning_rate: float = Field(1e-3, gt=0)
    """Highest learning rate of the pretraining."""
    clustering_learning_rate: float = Field(3e-4, gt=0)
    batch_size: int = Field(256, ge=2)
    update_interval: int | None = Field(None, ge=1)
    """Number of batches between two updates of the target distribution; null takes an epoch, but at least 8."""
    max_updates: int = Field(30, ge=1)
    """Largest number of updates of the target distribution."""
    tolerance: float = Field(1e-3, ge=0, lt=1)
    """The training ends when at most this share of the labels has changed since the last update."""
    n_init: int = Field(20, ge=1)
    """Restarts of the k-means that finds the first centres."""

    @property
    def starts(self) -> int:
        return self.n_init

    @property
    def prose(self) -> str:
        name = {
            "dec": "deep embedded clustering [@xie2016",
            "idec": "improved deep embedded clustering [@xie2016; @guo2017",
        }
        widths = "-".join(map(str, self.widths))
        return f"{name[self.variant]}] with an encoder of {widths} units in PyTorch [@paszke2019]"

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes that the running repeats hold: the weights of encoder and decoder, their gradients and
        Adam's moments, a copy for each k, and the codes and assignments of all points."""
        weights = 2 * encoder_weights(d, self.widths)
        return self.threads(n, d) * (4 * 8 * weights + FLOAT * n * (3 * max(self.k) + sum(self.widths[-1:])))

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds on a slow core: those of the matrix products in all epochs of the pretraining and of each
        k."""
        epochs = self.pretraining_epochs * (len(self.widths) + 1) + self.max_updates * len(self.k)
        return self.repeats * epochs * n * encoder_weights(d, self.widths) * FLOP_PER_WEIGHT / FLOPS


class Temi(_Trained):
    """Clustering heads on fixed features (TEMI, Adaloglou et al. 2023). An image and one of its nearest neighbours
    should be in one cluster: the heads maximise the mutual information of such pairs, weighted by how sure the teacher
    is that they belong together. The head with the lowest loss gives the labels. It favours clusters of similar size.
    The defaults are for some hundreds or thousands of images; the paper's are for 50 000 (16 heads or more, widths 512
    and 256, 50 neighbours, momentum 0.996)."""

    in_prose = "TEMI [@adaloglou2023] with {n_heads} heads and {n_neighbors} neighbours in PyTorch [@paszke2019]"
    method: Literal["temi"] = "temi"
    n_heads: int = Field(8, ge=1)
    """Number of heads, which train side by side. They differ in their first weights only."""
    widths: tuple[Number, Number] = (128, 64)
    """Numbers of units of both layers of a head."""
    n_neighbors: int = Field(10, ge=1)
    """Number of nearest neighbours, by cosine, of which an image is paired with one in each epoch. Take fewer than a
    cluster has images."""
    beta: float = Field(0.6, gt=0, le=1)
    """Exponent of the probabilities. 1 is the mutual information; less keeps the heads from using few clusters."""
    temperature: float = Field(0.1, gt=0)
    """Divides the cosines of an image and the clusters before the softmax. Less makes assignments harder."""
    momentum: float = Field(0.95, ge=0, lt=1)
    """Share of its weights that the teacher keeps at every step."""
    steps: int = Field(1000, ge=1)
    """Number of steps, each with a batch of pairs; the last epoch is finished."""
    learning_rate: float = Field(3e-3, gt=0)
    """Learning rate after a linear rise during the first fifth of the epochs."""
    batch_size: int = Field(256, ge=2)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes that the running repeats hold: weights of student and teacher, gradients and moments, and
        the layers of a batch of pairs; and those of the neighbours, with the similarities of a block of points."""
        weights = self.n_heads * encoder_weights(d, [*self.widths, max(self.k)])
        units = self.n_heads * (sum(self.widths) + max(self.k)) * min(n, self.batch_size)
        neighbours = n * (FLOAT * self.n_neighbors + 4 * SIMILARITIES_AT_ONCE)
        return self.threads(n, d) * 4 * (8 * weights + 20 * units) + neighbours

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds on a slow core: those of the matrix products in all steps of each k, and those of the
        similarities of all pairs of points."""
        weights = self.n_heads * encoder_weights(d, [*self.widths, max(self.k)])
        pairs = self.repeats * len(self.k) * self.steps * min(n, self.batch_size)
        return (pairs * weights * 16 + 2 * d * n**2) / FLOPS


class Turtle(_Trained):
    """The labelling that linear classifiers learn best (TURTLE, Gadetsky et al. 2024), in one space of features or in
    several. A large margin between the clusters makes it easy to learn; the entropy of their sizes keeps it from being
    one cluster, and makes clusters of similar size. The paper has 6000 steps at a learning rate of 0.001 in spaces of
    768 dimensions and more."""

    in_prose = "TURTLE [@gadetsky2024] with gamma = {gamma:g} in PyTorch [@paszke2019]"
    method: Literal["turtle"] = "turtle"
    gamma: float = Field(10.0, ge=0)
    """Weight of the entropy of the clusters' sizes; large values make clusters of one size."""
    steps: int = Field(1000, ge=1)
    """Number of steps of the labelling."""
    inner_steps: int = Field(10, ge=1)
    """Number of steps of the classifier, which begins anew at every step of the labelling."""
    learning_rate: float = Field(1e-2, gt=0)
    """Learning rate of the labelling and of the classifier."""
    batch_size: int = Field(10_000, ge=2)
    spaces: Numbers | None = Field(None, min_length=2)
    """Numbers of columns of the spaces that the points consist of, such as the widths of the parts of joined features
    that are clustered as they are (`decomposition: none`). Each space has its own linear layers, and the labels are the
    mean over them; null takes all columns as one space."""

    @property
    def prose(self) -> str:
        several = f", in spaces of {listed(self.spaces)} columns" if self.spaces else ""
        return super().prose + several

    @property
    def columns(self) -> int | None:
        return sum(self.spaces) if self.spaces else None

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes that the running repeats hold: a batch of points with its logits and labels, or in the end
        the labels, logits and gradients of all points."""
        k, batch = max(self.k) * len(self.spaces or [d]), min(n, self.batch_size)
        return self.threads(n, d) * 4 * max(batch * (d + 12 * k), n * 5 * k)

    def seconds(self, n: int, d: int) -> float:
        """Return the seconds on a slow core: those of the matrix products in all steps of each k, and of a thousand
        operations for each step."""
        products = 6 * min(n, self.batch_size) * d * sum(self.k)
        return self.repeats * self.steps * (self.inner_steps + 1) * (products / FLOPS + 5e-4 * len(self.k))


class Dbscan(Clusterer):
    """scikit-learn's DBSCAN. It finds the number of clusters itself; images in no cluster are noise."""

    in_prose = "DBSCAN [@ester1996] with {radius} and {min_samples} images to a core point"
    method: Literal["dbscan"] = "dbscan"
    eps: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Radius of a neighbourhood; `auto` takes the knee of the sorted k-distance curve."""
    min_samples: int = Field(10, ge=2)
    """Number of images within the radius, counting the image itself, that make it a core point."""

    @property
    def prose(self) -> str:
        radius = "the radius at the knee of the sorted k-distance curve" if self.eps == "auto" else f"eps = {self.eps}"
        return self.in_prose.format(radius=radius, min_samples=self.min_samples)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of two lists of the neighbours of all points.

        A radius from the settings may contain very many points; a radius at the knee contains few.
        """
        neighbours = min(n, MANY_NEIGHBOURS if self.eps != "auto" else 10 * self.min_samples)
        return FLOAT * n * (d + 2 * neighbours)


class Hdbscan(Clusterer):
    """scikit-learn's HDBSCAN. It finds the number of clusters itself; images in no cluster are noise."""

    numbers_per_image = 1
    in_prose = "HDBSCAN [@campello2013] with at least {min_cluster_size} images to a cluster"
    method: Literal["hdbscan"] = "hdbscan"
    min_cluster_size: int = Field(10, ge=2)
    min_samples: int | None = Field(None, ge=1)
    """Number of neighbours that define the density at an image; null takes `min_cluster_size`."""
    cluster_selection_method: Literal["eom", "leaf"] = "eom"


class Optics(Clusterer):
    """scikit-learn's OPTICS, with clusters extracted by steepness (xi). It finds the number of clusters itself; images
    in no cluster are noise."""

    numbers_per_image = 2
    in_prose = "OPTICS [@ankerst1999] with {min_samples} images to a core point and a steepness of {xi:g}"
    method: Literal["optics"] = "optics"
    min_samples: int = Field(10, ge=2)
    xi: float = Field(0.05, gt=0, lt=1)
    min_cluster_size: int | None = Field(None, ge=2)
    """Smallest number of images of a cluster; null takes `min_samples`."""

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of a copy of the points in the order of their reachability."""
        return FLOAT * n * d


class MeanShift(Clusterer):
    """scikit-learn's MeanShift. It finds the number of clusters itself."""

    keeps_centers = True
    in_prose = "mean shift [@comaniciu2002]"
    method: Literal["mean_shift"] = "mean_shift"
    bandwidth: float | None = Field(None, gt=0)
    """Bandwidth of the kernel; null takes scikit-learn's estimate_bandwidth."""
    quantile: float = Field(0.1, gt=0, le=1)
    """Quantile of the distances that the bandwidth is estimated from."""
    cluster_all: bool = True
    """Whether images outside the bandwidth of every centre go to the nearest cluster; otherwise they are noise."""

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points within the bandwidth of the current centres."""
        return 3 * FLOAT * n * d


class AffinityPropagation(Clusterer):
    """scikit-learn's AffinityPropagation. It finds the number of clusters itself."""

    keeps_centers = True
    in_prose = "affinity propagation [@frey2007] with a damping of {damping:g}"
    method: Literal["affinity_propagation"] = "affinity_propagation"
    damping: float = Field(0.9, ge=0.5, lt=1)
    preference: float | None = None
    """Preference of each image to become the centre of a cluster; larger values give more clusters. null takes the
    median similarity; the similarity is minus the squared distance."""
    max_iter: int = Field(500, ge=1)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of five matrices of all pairs."""
        return 5 * FLOAT * n**2


class Consensus(Clusterer):
    """The groups on which the cells of a study agree. The points of its cell, which it does not cluster, are used to
    show and score the groups and to assign new images to them."""

    in_prose = "the consensus of the cells of the study {study} by co-association [@fred2005]"
    method: Literal["consensus"] = "consensus"
    study: Name
    """The name of the study. Its cells with this clusterer do not count, so the study may contain such cells itself."""

    @property
    def study_read(self) -> str:
        return self.study

    def seconds(self, n: int, d: int) -> float:
        """Return 0, because the job only reads."""
        return 0.0
