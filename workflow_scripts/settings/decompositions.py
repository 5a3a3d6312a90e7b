"""What features are reduced to."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from workflow_scripts.settings.base import Model


class Pca(Model):
    """Principal components, all that there are or the first `max_components`; readers take the first n of them."""

    method: Literal["pca"] = "pca"
    max_components: int | None = Field(None, ge=1)


class Tsne(Model):
    """t-SNE map (openTSNE) of the first `n_components` unwhitened components of the decomposition `of`."""

    method: Literal["tsne"] = "tsne"
    of: str = "pca"
    n_components: int = Field(50, ge=1)
    perplexity: float = Field(30, gt=1)
    seed: int = 0


Phase = Literal["1_a", "1_b", "1", "2", "g"]
Width = Annotated[int, Field(ge=1)]


def _names_as_text(given: Any) -> Any:
    """YAML takes the phases 1 and 2 for numbers."""
    return {str(name): epochs for name, epochs in given.items()} if isinstance(given, Mapping) else given


def _all_pairs(given: Any) -> Any:
    return (given,) * 3 if isinstance(given, bool) else given


class Autoencoder(Model):
    """The codes of an autoencoder: three pairs of dense layers, trained to give the features back (PyTorch)."""

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


Decomposition = Annotated[Pca | Tsne | Autoencoder, Field(discriminator="method")]
