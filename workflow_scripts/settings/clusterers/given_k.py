"""The settings of clusterers to which the number of clusters is given, except k-means and those that train a
network."""

from typing import Literal

from pydantic import Field

from workflow_scripts import all_pairs
from workflow_scripts.settings.clusterers.base import BestOf, OfK, Repeated, RestartCount
from workflow_scripts.settings.costs import FLOAT


class Linkage(OfK):
    """Agglomerative clustering with Euclidean distances (fastcluster). Undoing the last k - 1 merges gives k clusters.
    Complete and average linkage need the distances of all pairs: 8 bytes each, which is 1.6 GB for 20 000 images."""

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
    """How the density at an image is measured. `knn`: one over the distance to neighbour number `n_neighbors`.
    `cutoff`: the number of images that are nearer than a cut-off distance, as in the paper."""
    n_neighbors: int = Field(20, ge=1)
    """For `knn`: which neighbour is used, counted from the nearest. For `cutoff` it changes only the computing time:
    the nearest denser image is searched for first among this many neighbours."""
    fraction: float = Field(0.02, gt=0, lt=1)
    """For `cutoff`: the share of all pairs of images that are nearer than the cut-off distance (0.01 to 0.02 in the
    paper)."""

    @property
    def prose(self) -> str:
        density = (
            f"neighbour {self.n_neighbors}" if self.density == "knn" else f"a cut-off of {self.fraction:g} of all pairs"
        )
        return f"Density Peaks [@rodriguez2014] with the density from {density}"

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the neighbours and their distances, and of one block of the distances of all pairs."""
        block = 2**27 if self.density == "knn" else 2**28 + 2**27
        return 4 * FLOAT * n * self.n_neighbors + min(3 * FLOAT * n**2, block)


class BisectingKMeans(BestOf):
    """scikit-learn's BisectingKMeans. It splits one cluster after another in two until there are k."""

    keeps_centers = True
    in_prose = "bisecting k-means [@steinbach2000]"
    method: Literal["bisecting_kmeans"] = "bisecting_kmeans"
    n_init: RestartCount = 10
    """Number of restarts of each split; the best is kept."""
    max_iter: int = Field(300, ge=1)
    bisecting_strategy: Literal["biggest_inertia", "largest_cluster"] = "biggest_inertia"

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the points of the cluster that is split."""
        return FLOAT * n * (d + 16)


class GaussianMixture(BestOf):
    """scikit-learn's GaussianMixture. The table of scores also has `bic` and `aic`, criteria by which k can be
    chosen."""

    in_prose = "Gaussian mixtures with {covariance_type} covariances fitted by expectation maximisation [@dempster1977]"
    method: Literal["gaussian_mixture"] = "gaussian_mixture"
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "full"
    max_iter: int = Field(200, ge=1)
    reg_covar: float = Field(1e-6, ge=0)
    """Number added to the diagonal of the covariances, in the squared units of the points."""

    @property
    def prose(self) -> str:
        kind = "diagonal" if self.covariance_type == "diag" else self.covariance_type
        return self.in_prose.format(covariance_type=kind)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of the squared points, of the responsibilities, and of six sets of covariance matrices (the
        current and the best ones, with their inverses)."""
        k = max(self.k)
        matrices = {"full": 6 * k, "tied": 6}.get(self.covariance_type, 0)
        return FLOAT * (n * d + 4 * n * k + matrices * d**2)


class Spectral(Repeated):
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
        """Return the bytes of the distances between subclusters, and of a copy. Subclusters are fewer than images."""
        return FLOAT * n**2 // 2
