"""The clusterers, one model each; those without a field `k` find their number of clusters themselves."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from workflow_scripts.settings.base import Model

Number = Annotated[int, Field(ge=1)]
Numbers = Annotated[list[Number], Field(min_length=1)]


def _listed(given: Any) -> Any:
    """A number alone, or a range such as `2-500`, as a list."""
    if isinstance(given, str) and len(ends := given.split("-")) == 2 and all(end.strip().isdigit() for end in ends):
        return list(range(int(ends[0]), int(ends[1]) + 1))
    return given if isinstance(given, list) else [given]


Ks = Annotated[Numbers, BeforeValidator(_listed, json_schema_input_type=Number | str | Numbers)]


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


CLUSTERERS = {model.model_fields["method"].default: model for model in (KMeans, MiniBatchKMeans)}
Clusterer = Annotated[KMeans | MiniBatchKMeans, Field(discriminator="method")]
