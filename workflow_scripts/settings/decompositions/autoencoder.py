"""The settings of the autoencoder."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from workflow_scripts.settings.base import Seed
from workflow_scripts.settings.costs import FLOP_PER_WEIGHT, FLOPS, encoder_weights
from workflow_scripts.settings.decompositions.base import SECONDS_PER_IMAGE, OfFeatures
from workflow_scripts.settings.decompositions.components import Pca
from workflow_scripts.settings.methods import OnDevice
from workflow_scripts.wording import listed

Phase = Literal["1_a", "1_b", "1", "2", "g"]
Width = Annotated[int, Field(ge=1)]


def _names_as_text(given: Any) -> Any:
    """Return a phase with its name as a text. YAML reads the names 1 and 2 as numbers."""
    return {str(name): epochs for name, epochs in given.items()} if isinstance(given, Mapping) else given


def _all_pairs(given: Any) -> Any:
    return (given,) * 3 if isinstance(given, bool) else given


class Autoencoder(OnDevice, OfFeatures):
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
    """Activation function of every layer except the last, which is linear."""
    phases: list[
        Annotated[
            dict[Phase, Annotated[int, Field(ge=1)]],
            Field(min_length=1, max_length=1),
            BeforeValidator(_names_as_text),
        ]
    ] = Field([{"g": 100}], min_length=1)
    """The phases of training in order, each with its largest number of epochs. `1_a` trains the outer pair of layers,
    `1_b` the middle pair, `1` both of these, `2` the inner pair, which makes the codes, and `g` all three."""
    patience: int = Field(10, ge=1)
    """A phase ends after this many epochs in which the error on held-out images has not become lower."""
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
        """Return `in_prose` with the settings filled in. It names the pairs of layers that share their weights."""
        pairs = [name for name, tied in zip(("outer", "middle", "inner"), self.tied, strict=True) if tied]
        return super().prose + (f", with tied weights in the {listed(pairs)} layers" if pairs else "")

    @property
    def takes_torch(self) -> bool:
        return True

    def n_stored(self, n: int, width: int) -> int:
        return self.widths[-1]

    def memory(self, n: int, width: int) -> int:
        """Return the bytes of the training and of a PCA. The training holds the features, their centred copy, the
        weights, the best weights, the gradients and Adam's moments. The error of the PCA is compared with that of the
        autoencoder."""
        weights = encoder_weights(width, self.widths)
        return 24 * n * width + 48 * weights + Pca(max_components=self.widths[-1]).memory(n, width)

    def seconds(self, n: int, width: int) -> float:
        """Return the estimated seconds on a slow core. They are the seconds that every decomposition takes, plus the
        seconds of the matrix products in all epochs."""
        epochs = sum(most for phase in self.phases for most in phase.values())
        training = epochs * encoder_weights(width, self.widths) * FLOP_PER_WEIGHT / FLOPS
        return n * (SECONDS_PER_IMAGE + training)
