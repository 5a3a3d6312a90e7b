"""The settings of maps: decompositions into two or three dimensions, to look at."""

from math import ceil
from typing import Literal

from pydantic import Field

from workflow_scripts.settings.base import Seed
from workflow_scripts.settings.costs import FLOAT
from workflow_scripts.settings.decompositions.base import Decomposition

UMAP_COMPILED = 150_000_000
"""Bytes of memory that numba needs to compile UMAP."""


class _Map(Decomposition):
    """Base class of the settings of maps, which are computed from components."""

    of: str = "pca"
    """The decomposition whose components the map is computed from."""
    n_components: int = Field(50, ge=1)
    """Number of components that the map is computed from, the first ones of the decomposition `of`."""
    whiten: bool = False
    """Whether the components are scaled to unit variance first."""
    dimensions: Literal[2, 3] = 2
    """Number of dimensions of the map. Figures draw a map with three dimensions in a box; the explorer can turn it."""

    @property
    def source(self) -> str:
        return self.of

    @property
    def prose(self) -> str:
        """Return `in_prose` with the values of the settings filled in.

        Words are added if the components are scaled, and if the map has three dimensions.
        """
        scaled = ", scaled to unit variance" if self.whiten else ""
        return super().prose + scaled + (", in three dimensions" if self.dimensions == 3 else "")

    def n_stored(self, n: int, width: int) -> int:
        return self.dimensions


class Tsne(_Map):
    """A t-SNE map (openTSNE)."""

    in_prose = (
        "t-SNE [@vandermaaten2008] as in openTSNE [@policar2024] with a perplexity of {perplexity:g} from the first "
        "{n_components} components"
    )
    method: Literal["tsne"] = "tsne"
    perplexity: float = Field(30, gt=1)
    seed: Seed = 0

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the points and their copies, of their neighbours and of the affinities."""
        return FLOAT * n * (4 * self.n_components + 24 * ceil(self.perplexity))


class Umap(_Map):
    """A UMAP map (umap-learn)."""

    in_prose = (
        "UMAP [@mcinnes2018] with {n_neighbors} neighbours and a minimum distance of {min_dist:g} from the first "
        "{n_components} components"
    )
    method: Literal["umap"] = "umap"
    n_neighbors: int = Field(15, ge=2)
    """Number of neighbours of each image in the graph."""
    min_dist: float = Field(0.1, ge=0, le=1)
    """The smallest distance between images on the map."""
    seed: Seed = 0

    def memory(self, n: int, width: int) -> int:
        """Return the bytes that the compilation of UMAP needs, and those of the points and of the graph, with
        copies."""
        return UMAP_COMPILED + FLOAT * n * (4 * self.n_components + 24 * self.n_neighbors)


class Isomap(_Map):
    """An Isomap map (scikit-learn), of at most 8192 images."""

    in_prose = "Isomap [@tenenbaum2000] with {n_neighbors} neighbours from the first {n_components} components"
    method: Literal["isomap"] = "isomap"
    n_neighbors: int = Field(15, ge=2)
    """Number of neighbours of each image in the graph."""

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the points and their copies, and of the distances of all pairs with their copies."""
        return FLOAT * (4 * n * self.n_components + 5 * n**2)
