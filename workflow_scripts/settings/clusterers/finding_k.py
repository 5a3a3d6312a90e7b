"""The settings of clusterers that find the number of clusters themselves."""

from typing import Annotated, Literal

from pydantic import Field

from workflow_scripts.settings.clusterers.base import Clusterer
from workflow_scripts.settings.costs import FLOAT

MANY_NEIGHBOURS = 10_000
"""The assumed number of neighbours of an image within a radius `eps` from the settings. It is smaller if there are
fewer images."""


class Dbscan(Clusterer):
    """scikit-learn's DBSCAN. It finds the number of clusters itself; images in no cluster are noise."""

    in_prose = "DBSCAN [@ester1996] with {radius} and {min_samples} images to a core point"
    method: Literal["dbscan"] = "dbscan"
    eps: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Radius of a neighbourhood; `auto` takes the knee of the sorted k-distance curve."""
    min_samples: int = Field(10, ge=2)
    """An image is a core point if at least this many images lie within the radius, itself included."""

    @property
    def prose(self) -> str:
        radius = "the radius at the knee of the sorted k-distance curve" if self.eps == "auto" else f"eps = {self.eps}"
        return self.in_prose.format(radius=radius, min_samples=self.min_samples)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of a copy of the points, and of two lists of the neighbours of all points.

        A point may have very many neighbours if the settings give the radius. It has few if the radius is `auto`.
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
    """The density at an image is measured by the distance to its `min_samples`-th neighbour; null takes
    `min_cluster_size`."""
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
    """Quantile of the pairwise distances from which the bandwidth is estimated."""
    cluster_all: bool = True
    """Whether images outside the bandwidth of every centre go to the nearest cluster; otherwise they are noise."""

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points within the bandwidth of the centre that is being moved, with copies."""
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
        """Return the bytes of five matrices with a value for every pair of points."""
        return 5 * FLOAT * n**2
