"""The settings of figures that show features, their reductions, and maps."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from workflow_scripts.grid.axes import axes_of
from workflow_scripts.settings.base import Seed
from workflow_scripts.settings.costs import FLOAT
from workflow_scripts.settings.figures.base import COLUMN, Figure, OfOneK, Width


class ExplainedVariance(Figure):
    """The cumulative explained variance of each PCA of the study."""

    sources = ("decomposed",)
    of_cells = axes_of("decomposed")
    of_method = "pca"
    kind: Literal["explained_variance"] = "explained_variance"
    width: Width = COLUMN


class IntrinsicDimension(Figure):
    """The intrinsic dimension of the features, estimated from the two nearest neighbours in samples of many sizes."""

    sources = ("features",)
    of_cells = axes_of("features")
    computes = True
    copies_of_points = 0
    copies_of_features = 4
    in_prose = "the intrinsic dimension of the features by TwoNN [@facco2017]"
    kind: Literal["intrinsic_dimension"] = "intrinsic_dimension"
    fractions: list[Annotated[float, Field(gt=0, le=1)]] = Field([1.0, 0.9, 0.7, 0.5], min_length=1, max_length=6)
    """Shares of the images to which the line is fitted. Each share takes the images with the smallest ratio of the
    distances to their two nearest neighbours."""
    smallest: int = Field(50, ge=20)
    """Smallest allowed number of images in a sample."""
    seed: Seed = 0


class ThickLine(Figure):
    """An example that shows why the intrinsic dimension depends on the size of the sample: few points and many points,
    drawn from the same line with noise across it."""

    sources = ()
    of_cells = "one"
    computes = True
    kind: Literal["thick_line"] = "thick_line"
    n_points: tuple[Annotated[int, Field(ge=100)], Annotated[int, Field(ge=100)]] = (1000, 50_000)
    noise: float = Field(0.001, gt=0)
    """Standard deviation across the line, whose length is 100."""
    smallest: int = Field(50, ge=20)
    """Smallest allowed number of points in a sample."""
    seed: Seed = 0

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the points on the line and of their nearest neighbours, including temporary copies."""
        return 40 * FLOAT * max(self.n_points)


class Reconstruction(Figure):
    """The reconstruction error on held-out images of each autoencoder of the study, and of a PCA with as many
    components."""

    sources = ("decomposed",)
    of_cells = axes_of("decomposed")
    of_method = "autoencoder"
    kind: Literal["reconstruction"] = "reconstruction"


class Training(Figure):
    """The learning curves of each autoencoder of the study."""

    sources = ("decomposed",)
    of_cells = axes_of("decomposed")
    of_method = "autoencoder"
    kind: Literal["training"] = "training"


class Distances(Figure):
    """The distances between the images of a sample, before and after reduction, and their correlation with a distance
    that is 0 within a class and 1 between classes. The sample is sorted and balanced by class."""

    sources = ("manifest", "features", "points")
    of_cells = axes_of("points")
    computes = True
    copies_of_points = 2
    copies_of_features = 2
    kind: Literal["distances"] = "distances"
    n_images: int = Field(240, ge=10, le=2000)
    """Number of images in the sample, divided equally between the classes; a class with fewer images gives all."""
    of_images: bool = False
    """Whether distances of the images themselves are shown too: those of their pixels, and those by the structural
    similarity of complex wavelets (CW-SSIM)."""
    n_bootstrap: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0, lt=1)
    seed: Seed = 0

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.sources, "preprocessed") if self.of_images else self.sources

    @property
    def prose(self) -> str:
        """Return the name of CW-SSIM with its source if the figure shows distances of the images themselves, otherwise
        "". The other distances need no source."""
        return "the structural similarity of images by complex wavelets [@sampat2009]" if self.of_images else ""

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the points and features, and of the wavelet coefficients of the images if the figure
        compares images."""
        of_images = 6 * FLOAT * self.n_images * 64**2 if self.of_images else 0
        return super().memory(n, width, d, stored) + of_images


class _OfMap(Figure):
    """Base class of the settings of figures of a map."""

    map: str = "tsne"
    """The decomposition that gives the coordinates of the images: two, or three if it has `dimensions: 3`."""

    @property
    def decomposition_shown(self) -> str:
        return self.map


class Embedding(_OfMap, OfOneK):
    """A map of the images in two or three dimensions, coloured by label and by cluster."""

    sources = ("manifest", "map", "points", "clusters", "scores")
    shows_images = True
    kind: Literal["embedding"] = "embedding"
    insets: list[str] = Field([], max_length=6)
    """Names of clusters (such as `Sc`, `Sc-2`) whose images nearest the centre are shown."""
    images: list[str] = Field([], max_length=6)
    """Paths or ids, as in the manifest, of further images that are shown."""


class Maps(_OfMap):
    """The maps of the study's cells side by side, coloured by label."""

    sources = ("manifest", "map")
    of_cells = axes_of("features")
    kind: Literal["maps"] = "maps"


class Islands(_OfMap):
    """One image of each island (separate group of points) of one class on the map, with the histogram of its
    intensities."""

    sources = ("manifest", "map", "preprocessed")
    of_cells = "one"
    shows_images = True
    kind: Literal["islands"] = "islands"
    label: str | None = None
    """The class; null takes that of `images`, or the one with most islands."""
    n_islands: int = Field(4, ge=1, le=6)
    """Largest number of islands that are shown, the largest first."""
    images: list[str] = Field([], max_length=6)
    """Paths or ids, as in the manifest, of images of the class that are shown instead of one image of each island."""
