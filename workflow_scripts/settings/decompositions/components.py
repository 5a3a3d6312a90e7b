"""The settings of decompositions into components."""

from typing import Literal

from pydantic import Field

from workflow_scripts.settings.base import Seed
from workflow_scripts.settings.costs import FLOAT
from workflow_scripts.settings.decompositions.base import OfFeatures

EXACT_SIDE = 8192
"""The largest number of rows of a square matrix that PCA decomposes exactly; equal to `reduce.pca.MAX_EXACT`."""
FITTED_NUMBERS = 1 << 24
"""The largest number of values on which `yeo-johnson` fits its powers; equal to `reduce.scaling.FITTED_NUMBERS`."""
SCALED = {
    "standard": "standardised",
    "power": "power-transformed [@perronnin2010]",
    "yeo-johnson": "standardised Yeo-Johnson-transformed [@yeo2000]",
    "l2": "L2-normalised",
}
"""The adjective for each scaling of features in the methods paragraph."""


class OfScaledFeatures(OfFeatures):
    """Base class of the settings of decompositions that scale the features first."""

    scale: Literal["standard", "power", "yeo-johnson", "l2"] | None = None
    """How features are scaled first. `standard` divides each feature by its standard deviation. `power` takes the
    square root and keeps the sign. `yeo-johnson` transforms each feature by the power that brings it nearest to a
    normal distribution, and then divides as `standard` does; if there are more than 16 million numbers, it fits the
    powers on evenly spaced images. `l2` divides the features of each image by their Euclidean norm, as the cosine
    similarity does. Null leaves features as they are."""

    @property
    def prose(self) -> str:
        return super().prose + (f" of {SCALED[self.scale]} features" if self.scale else "")

    def scaling_bytes(self, n: int, width: int) -> int:
        """Return the bytes of the features on which `yeo-johnson` fits powers, and of a copy; 0 for other scalings."""
        return 2 * FLOAT * min(n * width, FITTED_NUMBERS) if self.scale == "yeo-johnson" else 0


class Pca(OfScaledFeatures):
    """Principal component analysis. All components are stored, or the first `max_components`; cells take the first
    `n_components` of them."""

    is_ordered = True
    in_prose = "principal component analysis [@jolliffe2016]"
    method: Literal["pca"] = "pca"
    max_components: int | None = Field(None, ge=1)

    def n_stored(self, n: int, width: int) -> int:
        return min(n, width, self.max_components or n)

    def stored_bytes(self, n: int, width: int) -> int:
        """Return the bytes of all scores in double precision, and of the axes in single precision."""
        return super().stored_bytes(n, width) + FLOAT // 2 * self.n_stored(n, width) * width

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the decomposed matrix, its eigenvectors and their copy, and the axes with their copies.

        If scaling the features needs more memory, the bytes of the scaling are returned instead.
        """
        side = min(n, width)
        if side > EXACT_SIDE:
            side = min(side, self.max_components or EXACT_SIDE)
        return max(3 * FLOAT * side * (side + width), self.scaling_bytes(n, width))


class Ica(OfScaledFeatures):
    """Independent component analysis (FastICA of scikit-learn), which rotates the first `n_components` principal
    components. All components have unit variance."""

    in_prose = "independent component analysis [@hyvarinen2000] with {n_components} components"
    method: Literal["ica"] = "ica"
    n_components: int = Field(20, ge=1)
    """Number of components that are computed."""
    max_iter: int = Field(500, ge=1)
    """The largest number of iterations of FastICA."""
    seed: Seed = 0

    def n_stored(self, n: int, width: int) -> int:
        return min(n, width, self.n_components)

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the PCA that comes first, and of the independent components with their copies."""
        of_components = 8 * FLOAT * n * self.n_stored(n, width)
        return Pca(max_components=self.n_components, scale=self.scale).memory(n, width) + of_components


class KernelPca(OfScaledFeatures):
    """Kernel principal component analysis (scikit-learn), of at most 8192 images. A model for new images holds the
    features of all these images."""

    in_prose = "kernel principal component analysis [@scholkopf1998] with {n_components} components"
    method: Literal["kernel_pca"] = "kernel_pca"
    n_components: int = Field(20, ge=1)
    """Number of components that are computed."""
    kernel: Literal["rbf", "poly", "sigmoid", "cosine"] = "rbf"
    """The kernel, as scikit-learn calls it."""
    gamma: float | None = Field(None, gt=0)
    """The coefficient of the kernel; null takes one over the total variance of the features. `cosine` has none."""

    def n_stored(self, n: int, width: int) -> int:
        return min(n, self.n_components)

    def stored_bytes(self, n: int, width: int) -> int:
        """Return the bytes of the components, and of the weights that place new images, which are of the same size."""
        return 2 * super().stored_bytes(n, width)

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the features and their copies, and of the kernel matrix with its copies."""
        return max(FLOAT * (3 * n * width + 4 * n**2), self.scaling_bytes(n, width))
