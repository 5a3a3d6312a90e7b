"""The settings, traits and cost estimates of all decompositions."""

from abc import abstractmethod
from collections.abc import Mapping
from math import ceil
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from workflow_scripts.settings.base import Model, Seed, UserPath
from workflow_scripts.settings.costs import FLOAT, FLOP_PER_WEIGHT, FLOPS, encoder_weights
from workflow_scripts.settings.methods import Method, OnDevice
from workflow_scripts.wording import listed

EXACT_SIDE = 8192
"""The largest side of a matrix that PCA decomposes exactly; equal to `reduce.pca.MAX_EXACT`."""
FITTED_NUMBERS = 1 << 24
"""The largest number of values that powers are fitted on; equal to `reduce.scaling.FITTED_NUMBERS`."""
SECONDS_PER_IMAGE = 0.2
"""Seconds that a decomposition takes for each image, if nothing better is known."""
SCALED = {
    "standard": "standardised",
    "power": "power-transformed [@perronnin2010]",
    "yeo-johnson": "standardised Yeo-Johnson-transformed [@yeo2000]",
    "l2": "L2-normalised",
}
"""The adjective for each scaling of features in a methods paragraph."""
UMAP_COMPILED = 150_000_000
"""Bytes that numba takes to compile UMAP."""


class Decomposition(Method):
    """Base class of the settings of decompositions; the code is the module of the same name in `reduce/`.

    Estimates are for n images with `width` features. Memory does not count the libraries.
    """

    tag = "method"
    registry: ClassVar[dict[str, type["Decomposition"]]] = {}
    is_ordered: ClassVar[bool] = False
    """Whether the components are ordered, so that the first n can be taken alone and whitened."""

    @property
    def places_new_images(self) -> bool:
        """Return whether it can be applied to images that it was not computed from, as a model has to."""
        return False

    @property
    def regressed(self) -> "RegressOut | None":
        """Return the facts that are regressed out of the features first; None if there are none."""
        return None

    @property
    def source(self) -> str | None:
        """Return the name of the decomposition that this one is computed from; None if it is computed from features."""
        return None

    @abstractmethod
    def n_stored(self, n: int, width: int) -> int:
        """Return how many numbers are stored for each image."""

    def stored_bytes(self, n: int, width: int) -> int:
        """Return the bytes of the store."""
        return FLOAT * n * self.n_stored(n, width)

    @abstractmethod
    def memory(self, n: int, width: int) -> int:
        """Return the bytes that the job holds at once, without its libraries."""

    def seconds(self, n: int, width: int) -> float:
        """Return the seconds that the job takes on a slow core."""
        return SECONDS_PER_IMAGE * n


def _facts_alone(given: Any) -> Any:
    return {"facts": given} if isinstance(given, list) else given


class RegressOut(Model):
    """Known facts about the images whose linear effect on the features is taken out."""

    facts: list[str] = Field(min_length=1)
    """`brightness`, `contrast` and `sharpness` of the preprocessed images, columns of the manifest that say how an
    image was taken or stored (`width`, `format`, ...), `folder, level 1` to 3, and the columns of `table`."""
    table: UserPath | None = None
    """A CSV with further facts, a column each, and a column `path` or `image_id`."""


class _OfFeatures(Decomposition):
    """Base class of the decompositions that are computed from features and can be applied to those of new images."""

    regress_out: Annotated[
        RegressOut | None, BeforeValidator(_facts_alone, json_schema_input_type=list[str] | RegressOut | None)
    ] = None
    """Facts about the images whose linear effect is taken out of the features first: a list of their names."""

    @property
    def places_new_images(self) -> bool:
        """Return whether no facts are regressed out of the features; the facts about new images are not known."""
        return self.regress_out is None

    @property
    def regressed(self) -> RegressOut | None:
        return self.regress_out

    @property
    def prose(self) -> str:
        without = f" without the linear effect of {', '.join(self.regress_out.facts)}" if self.regress_out else ""
        return super().prose + without


class _OfScaledFeatures(_OfFeatures):
    """Base class of the decompositions whose features are scaled first."""

    scale: Literal["standard", "power", "yeo-johnson", "l2"] | None = None
    """How features are scaled first: `standard` divides each by its standard deviation, `power` takes the square root
    and keeps the sign, `yeo-johnson` transforms each by the power that makes it most nearly normal and then divides as
    `standard`, `l2` divides those of each image by their length, as the cosine does; null leaves them as they are. If
    there are more than 16 million numbers, the powers are fitted on evenly spaced images."""

    @property
    def prose(self) -> str:
        return super().prose + (f" of {SCALED[self.scale]} features" if self.scale else "")

    def scaling_bytes(self, n: int, width: int) -> int:
        """Return the bytes of the features from which `yeo-johnson` fits powers, with a copy; 0 for other scalings."""
        return 2 * FLOAT * min(n * width, FITTED_NUMBERS) if self.scale == "yeo-johnson" else 0


class Pca(_OfScaledFeatures):
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
        """Return the bytes of the decomposed matrix, its eigenvectors and a copy of them, and of the axes."""
        side = min(n, width)
        if side > EXACT_SIDE:
            side = min(side, self.max_components or EXACT_SIDE)
        return max(3 * FLOAT * side * (side + width), self.scaling_bytes(n, width))


class Ica(_OfScaledFeatures):
    """Independent components, which the first `n_components` principal components are rotated to (FastICA of
    scikit-learn). All have unit variance."""

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
        """Return the bytes of the PCA, and of the components with their copies."""
        of_components = 8 * FLOAT * n * self.n_stored(n, width)
        return Pca(max_components=self.n_components, scale=self.scale).memory(n, width) + of_components


class KernelPca(_OfScaledFeatures):
    """Kernel principal component analysis (scikit-learn), of at most 8192 images. A model for new images holds the
    features of all of them."""

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
        """Return the bytes of the components, and of the weights that place new images."""
        return 2 * super().stored_bytes(n, width)

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the features and their copies, and of the kernel with its copies."""
        return max(FLOAT * (3 * n * width + 4 * n**2), self.scaling_bytes(n, width))


class _Map(Decomposition):
    """Base class of the settings of maps, which are computed from components."""

    of: str = "pca"
    """The decomposition whose components the map is computed from."""
    n_components: int = Field(50, ge=1)
    """Number of components, the first of `of`."""
    whiten: bool = False
    """Whether the components are scaled to unit variance first."""
    dimensions: Literal[2, 3] = 2
    """Number of dimensions of the map. Figures draw a map of three in a box from one side; the explorer can turn it."""

    @property
    def source(self) -> str:
        return self.of

    @property
    def prose(self) -> str:
        """Return `in_prose` with the settings filled in, whether the components are scaled, and a third dimension."""
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
        """Return the bytes of compiled code, of the points and their copies, and of the graph with its copies."""
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


Phase = Literal["1_a", "1_b", "1", "2", "g"]
Width = Annotated[int, Field(ge=1)]


def _names_as_text(given: Any) -> Any:
    """Return a phase with its name as a text, because YAML reads the names 1 and 2 as numbers."""
    return {str(name): epochs for name, epochs in given.items()} if isinstance(given, Mapping) else given


def _all_pairs(given: Any) -> Any:
    return (given,) * 3 if isinstance(given, bool) else given


class Autoencoder(OnDevice, _OfFeatures):
    """The codes of an autoencoder of three pairs of dense layers, trained to reconstruct the features (PyTorch)."""

    in_prose = (
        "an autoencoder [@hinton2006] with an encoder of {widths[0]}-{widths[1]}-{widths[2]} units in PyTorch "
        "[@paszke2019]"
    )
    method: Literal["autoencoder"] = "autoencoder"
    widths: tuple[Width, Width, Width] = (500, 150, 10)
    """Numbers of units of the encoder's layers; the last is the dimension of the codes."""
    tied: Annotated[
        tuple[bool, bool, bool], BeforeValidator(_all_pairs, json_schema_input_type=bool | tuple[bool, bool, bool])
    ] = (False, False, False)
    """Whether the two layers of a pair share their weights: one value for all pairs, or one for each, the outermost
    first."""
    activation: Literal["elu", "tanh", "sigmoid", "linear"] = "elu"
    """Activation of every layer except the last, which is linear."""
    phases: list[
        Annotated[
            dict[Phase, Annotated[int, Field(ge=1)]],
            Field(min_length=1, max_length=1),
            BeforeValidator(_names_as_text),
        ]
    ] = Field([{"g": 100}], min_length=1)
    """The phases of training in order, each with its largest number of epochs. `1_a` trains the outer pair of layers,
    `1_b` the middle pair, `1` both, `2` the pair of the codes, and `g` all."""
    patience: int = Field(10, ge=1)
    """Number of epochs without a lower error on held-out images after which a phase ends."""
    learning_rate: float = Field(1e-3, gt=0)
    """Learning rate of Adam."""
    l2: float = Field(1e-3, ge=0)
    """Weight of the penalty, which is half the sum of the squared weights. It is added to the mean squared error of
    features that were scaled to a mean variance of 1."""
    batch_size: int = Field(300, ge=1)
    held_out: float = Field(0.2, gt=0, lt=1)
    """Share of the images that is not trained on: one half decides when a phase ends, the other half measures the
    reported error."""
    seed: Seed = 0

    @property
    def prose(self) -> str:
        """Return `in_prose` with the settings filled in, and which pairs of layers share their weights."""
        pairs = [name for name, tied in zip(("outer", "middle", "inner"), self.tied, strict=True) if tied]
        return super().prose + (f", with tied weights in the {listed(pairs)} layers" if pairs else "")

    @property
    def takes_torch(self) -> bool:
        return True

    def n_stored(self, n: int, width: int) -> int:
        return self.widths[-1]

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the features and their centred copy, of the weights with their best values, gradients and
        Adam's moments, and of the PCA that the errors are compared with."""
        weights = encoder_weights(width, self.widths)
        return 24 * n * width + 48 * weights + Pca(max_components=self.widths[-1]).memory(n, width)

    def seconds(self, n: int, width: int) -> float:
        """Return the seconds on a slow core: those of every decomposition, and the matrix products of all epochs."""
        epochs = sum(most for phase in self.phases for most in phase.values())
        training = epochs * encoder_weights(width, self.widths) * FLOP_PER_WEIGHT / FLOPS
        return n * (SECONDS_PER_IMAGE + training)
