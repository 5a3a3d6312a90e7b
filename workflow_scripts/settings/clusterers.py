"""The clusterers, one model each; those without a field `k` find their number of clusters themselves."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from workflow_scripts.settings.base import Model

Number = Annotated[int, Field(ge=1)]
Numbers = Annotated[list[Number], Field(min_length=1)]


def _listed(given: Any) -> Any:
    """A number alone, or a range such as `2-500`, as a list."""
    if isinstance(given, str) and len(ends := given.split("-")) == 2 and all(end.isdigit() for end in ends):
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
    n_neighbors: int = Field(30, ge=1)
    """Also among which a denser point is looked for first; of that the result does not depend."""
    fraction: float = Field(0.02, gt=0, lt=1)
    """cutoff: of all pairs, so many are nearer than the distance (the paper: 0.01 to 0.02)."""


CLUSTERERS = {model.model_fields["method"].default: model for model in (KMeans, MiniBatchKMeans, Linkage, DensityPeaks)}
Clusterer = Annotated[KMeans | MiniBatchKMeans | Linkage | DensityPeaks, Field(discriminator="method")]
