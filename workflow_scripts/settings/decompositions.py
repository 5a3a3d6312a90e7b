"""The decompositions of features, one model each: settings, and what the rest of the workflow needs to know."""

from abc import abstractmethod
from collections.abc import Mapping
from math import ceil
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from workflow_scripts.settings.costs import FLOAT, FLOP_PER_WEIGHT, FLOPS, encoder_weights
from workflow_scripts.settings.methods import Method

EXACT_SIDE = 8192
"""`reduce.pca.MAX_EXACT`: the largest side of a matrix that PCA decomposes exactly."""
SECONDS_PER_IMAGE = 0.2


class Decomposition(Method):
    """A decomposition; the module of the same name in `reduce/` has a function `decompose`.

    Sizes are of n images and `width` features. Memory is in bytes, of what the job holds at once beside its libraries.
    """

    tag = "method"
    registry: ClassVar[dict[str, type["Decomposition"]]] = {}
    is_ordered: ClassVar[bool] = False
    """Whether the first components are a decomposition too, so that `n_components` and whitening apply."""
    places_new_images: ClassVar[bool] = False
    """Whether images that were not there have a place in it, so that a model can be made."""

    @property
    def source(self) -> str | None:
        """Return the name of the decomposition that this one is made of; None if it is made of the features."""
        return None

    @abstractmethod
    def n_stored(self, n: int, width: int) -> int:
        """Return the numbers that are stored of an image."""

    def stored_bytes(self, n: int, width: int) -> int:
        """Return the bytes of the store."""
        return FLOAT * n * self.n_stored(n, width)

    @abstractmethod
    def memory(self, n: int, width: int) -> int:
        """Return the bytes that the job holds at once."""

    def seconds(self, n: int, width: int) -> float:
        """Return the seconds on a slow core."""
        return SECONDS_PER_IMAGE * n


class Pca(Decomposition):
    """Principal components, all that there are or the first `max_components`; readers take the first n of them."""

    is_ordered = True
    places_new_images = True
    method: Literal["pca"] = "pca"
    max_components: int | None = Field(None, ge=1)

    def n_stored(self, n: int, width: int) -> int:
        return min(n, width, self.max_components or n)

    def stored_bytes(self, n: int, width: int) -> int:
        """Return the bytes of all scores, and of the axes in single precision."""
        return super().stored_bytes(n, width) + FLOAT // 2 * self.n_stored(n, width) * width

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the matrix that is decomposed, its eigenvectors and a copy, of the axes and their sums
        under way."""
        side = min(n, width)
        if side > EXACT_SIDE:
            side = min(side, self.max_components or EXACT_SIDE)
        return 3 * FLOAT * side * (side + width)


class Tsne(Decomposition):
    """t-SNE map (openTSNE) of the first `n_components` unwhitened components of the decomposition `of`."""

    method: Literal["tsne"] = "tsne"
    of: str = "pca"
    n_components: int = Field(50, ge=1)
    perplexity: float = Field(30, gt=1)
    seed: int = 0

    @property
    def source(self) -> str:
        return self.of

    def n_stored(self, n: int, width: int) -> int:
        return 2

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the points and their copies, of the neighbours and of their affinities."""
        return FLOAT * n * (4 * self.n_components + 24 * ceil(self.perplexity))


Phase = Literal["1_a", "1_b", "1", "2", "g"]
Width = Annotated[int, Field(ge=1)]


def _names_as_text(given: Any) -> Any:
    """YAML takes the phases 1 and 2 for numbers."""
    return {str(name): epochs for name, epochs in given.items()} if isinstance(given, Mapping) else given


def _all_pairs(given: Any) -> Any:
    return (given,) * 3 if isinstance(given, bool) else given


class Autoencoder(Decomposition):
    """The codes of an autoencoder: three pairs of dense layers, trained to give the features back (PyTorch)."""

    places_new_images = True
    method: Literal["autoencoder"] = "autoencoder"
    widths: tuple[Width, Width, Width] = (500, 150, 10)
    """Units of the encoder's layers; the last is the dimension of the codes."""
    tied: Annotated[
        tuple[bool, bool, bool], BeforeValidator(_all_pairs, json_schema_input_type=bool | tuple[bool, bool, bool])
    ] = (False, False, False)
    """Whether the layers of a pair share their weights: for each pair, outermost first, or one for all."""
    activation: Literal["elu", "tanh", "sigmoid", "linear"] = "elu"
    """Of every layer but the last, which is linear."""
    phases: list[
        Annotated[
            dict[Phase, Annotated[int, Field(ge=1)]],
            Field(min_length=1, max_length=1),
            BeforeValidator(_names_as_text),
        ]
    ] = Field([{"g": 100}], min_length=1)
    """What is trained, in this order, and for how many epochs at most: 1_a the outer pair, 1_b the middle one, 1 both,
    2 the pair of the codes, g all."""
    patience: int = Field(10, ge=1)
    """Epochs without a lower error on held-out images after which a phase ends."""
    learning_rate: float = Field(1e-3, gt=0)
    """Of Adam."""
    l2: float = Field(1e-3, ge=0)
    """Times half the sum of the squared weights, added to the mean squared error of features of mean variance 1."""
    batch_size: int = Field(300, ge=1)
    held_out: float = Field(0.2, gt=0, lt=1)
    """Share of the images that it does not learn from: one half ends the training early, the other judges it."""
    seed: int = 0
    device: Literal["cpu", "cuda"] = "cpu"

    @property
    def takes_torch(self) -> bool:
        return True

    @property
    def takes_gpu(self) -> bool:
        return self.device == "cuda"

    def n_stored(self, n: int, width: int) -> int:
        return self.widths[-1]

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of all features, at first in double precision and centred too, of the weights, their best
        values, gradients and what Adam keeps of them, and of a PCA that the errors are compared with."""
        weights = encoder_weights(width, self.widths)
        return 24 * n * width + 48 * weights + Pca(max_components=self.widths[-1]).memory(n, width)

    def seconds(self, n: int, width: int) -> float:
        """Return the seconds on a slow core: those of any decomposition, and the products of every epoch."""
        epochs = sum(most for phase in self.phases for most in phase.values())
        training = epochs * encoder_weights(width, self.widths) * FLOP_PER_WEIGHT / FLOPS
        return n * (SECONDS_PER_IMAGE + training)
