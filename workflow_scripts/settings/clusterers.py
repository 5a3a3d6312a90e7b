"""The clusterers, one model each; those without a field `k` find their number of clusters themselves."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from workflow_scripts.settings.base import Model

Number = Annotated[int, Field(ge=1)]
Numbers = Annotated[list[Number], Field(min_length=1)]


MOST_NUMBERS = 10_000
"""Of a range of k; a mistyped one would fill the memory."""


def _listed(given: Any) -> Any:
    """A number alone, or a range such as `2-500`, as a list."""
    if isinstance(given, str) and len(ends := given.split("-")) == 2 and all(end.isdigit() for end in ends):
        if int(ends[1]) - int(ends[0]) > MOST_NUMBERS:
            raise ValueError(f"found {given}, allowed: a range of {MOST_NUMBERS:,} numbers at most")
        return list(range(int(ends[0]), int(ends[1]) + 1))
    return given if isinstance(given, list) else [given]


Range = Annotated[str, Field(pattern=r"^\d+-\d+$")]
Ks = Annotated[Numbers, BeforeValidator(_listed, json_schema_input_type=Number | Range | Numbers)]


class OfK(Model):
    """A clusterer that is told the number of clusters."""

    k: Ks
    """Numbers of clusters: one, a list, or a range as `2-500`. Left out, it is the configuration's `n_clusters`."""

    @model_validator(mode="after")
    def _each_k_once(self) -> "OfK":
        if len(set(self.k)) < len(self.k):
            raise ValueError(f"k: found {self.k}, allowed: each number once")
        return self


class _Restarted(OfK):
    n_init: int = Field(100, ge=1)
    """Restarts of a repeat."""
    repeats: int = Field(3, ge=1)
    max_iter: int = Field(300, ge=1)


class KMeans(_Restarted):
    """Lloyd's k-means, the lowest inertia of `n_init` restarts, `repeats` times with seeds of their own."""

    method: Literal["kmeans"] = "kmeans"
    init: Literal["k-means++", "k-means++-plain", "random"] = "k-means++"
    keep: Literal["best", "all"] = "best"
    """`all` stores every restart, `best` the best of each repeat."""
    device: Literal["cpu", "cuda"] = "cpu"


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


class DensityPeaks(OfK):
    """Density Peaks (Rodriguez & Laio 2014); centres have the largest density times distance to a denser one."""

    method: Literal["density_peaks"] = "density_peaks"
    density: Literal["knn", "cutoff"] = "knn"
    """`knn`: one over the distance to neighbour number `n_neighbors`; `cutoff`: the points nearer than a distance, the
    paper's."""
    n_neighbors: int = Field(20, ge=1)
    """Also among which a denser point is looked for first, which changes nothing but the time."""
    fraction: float = Field(0.02, gt=0, lt=1)
    """cutoff: of all pairs, so many are nearer than the distance (the paper: 0.01 to 0.02)."""


class _Repeated(OfK):
    repeats: int = Field(3, ge=1)
    """With seeds of their own."""


class BisectingKMeans(_Repeated):
    """scikit-learn's BisectingKMeans: a hierarchy from the top, one cluster split in two at a time."""

    method: Literal["bisecting_kmeans"] = "bisecting_kmeans"
    n_init: int = Field(10, ge=1)
    """Restarts of each split."""
    max_iter: int = Field(300, ge=1)
    bisecting_strategy: Literal["biggest_inertia", "largest_cluster"] = "biggest_inertia"


class GaussianMixture(_Repeated):
    """scikit-learn's GaussianMixture; the table has its criteria `bic` and `aic`, which weigh k."""

    method: Literal["gaussian_mixture"] = "gaussian_mixture"
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "full"
    n_init: int = Field(3, ge=1)
    max_iter: int = Field(200, ge=1)
    reg_covar: float = Field(1e-6, ge=0)
    """Added to the covariances' diagonal, in the units of the points."""


class Spectral(_Repeated):
    """scikit-learn's SpectralClustering on the graph of nearest neighbours."""

    method: Literal["spectral"] = "spectral"
    n_neighbors: int = Field(10, ge=1)


class Birch(OfK):
    """scikit-learn's Birch: a tree of subclusters, then Ward linkage of these."""

    method: Literal["birch"] = "birch"
    threshold: float | None = Field(None, gt=0)
    """Radius of a subcluster; null is the median distance to the nearest image."""
    branching_factor: int = Field(50, ge=2)


class Dec(_Repeated):
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


class Dbscan(Model):
    """scikit-learn's DBSCAN; it finds its number of clusters, and what is in none is noise."""

    method: Literal["dbscan"] = "dbscan"
    eps: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Radius of a neighbourhood; `auto` is the knee of the sorted k-distance curve."""
    min_samples: int = Field(10, ge=2)
    """Images within the radius that make a core point, itself among them."""


class Hdbscan(Model):
    """scikit-learn's HDBSCAN; it finds its number of clusters, and what is in none is noise."""

    method: Literal["hdbscan"] = "hdbscan"
    min_cluster_size: int = Field(10, ge=2)
    min_samples: int | None = Field(None, ge=1)
    """null is `min_cluster_size`."""
    cluster_selection_method: Literal["eom", "leaf"] = "eom"


class Optics(Model):
    """scikit-learn's OPTICS with clusters by steepness (xi); it finds their number, and what is in none is noise."""

    method: Literal["optics"] = "optics"
    min_samples: int = Field(10, ge=2)
    xi: float = Field(0.05, gt=0, lt=1)
    min_cluster_size: int | None = Field(None, ge=2)
    """null is `min_samples`."""


class MeanShift(Model):
    """scikit-learn's MeanShift; it finds its number of clusters."""

    method: Literal["mean_shift"] = "mean_shift"
    bandwidth: float | None = Field(None, gt=0)
    """null estimates it (scikit-learn's estimate_bandwidth)."""
    quantile: float = Field(0.1, gt=0, le=1)
    """Of the distances, for the estimate."""
    cluster_all: bool = True
    """Whether images out of every bandwidth go to the nearest cluster, or are noise."""


class AffinityPropagation(Model):
    """scikit-learn's AffinityPropagation; it finds its number of clusters."""

    method: Literal["affinity_propagation"] = "affinity_propagation"
    damping: float = Field(0.9, ge=0.5, lt=1)
    preference: float | None = None
    """How much each image wants to be an exemplar; null is the median similarity (minus the squared distance)."""
    max_iter: int = Field(500, ge=1)


AnyClusterer = (
    KMeans
    | MiniBatchKMeans
    | BisectingKMeans
    | Linkage
    | Birch
    | DensityPeaks
    | GaussianMixture
    | Spectral
    | Dec
    | Dbscan
    | Hdbscan
    | Optics
    | MeanShift
    | AffinityPropagation
)
CLUSTERERS = {model.model_fields["method"].default: model for model in get_args(AnyClusterer)}
Clusterer = Annotated[AnyClusterer, Field(discriminator="method")]
