"""The base classes of the settings of decompositions."""

from abc import abstractmethod
from typing import ClassVar

from workflow_scripts.settings.costs import FLOAT
from workflow_scripts.settings.decompositions.regress_out import FactsOrNone, RegressOut
from workflow_scripts.settings.methods import Method

SECONDS_PER_IMAGE = 0.2
"""Assumed seconds that a decomposition takes for each image, if no better estimate is known."""


class Decomposition(Method):
    """Base class of the settings of decompositions. A decomposition's code is the module of the same name in `reduce/`.

    Estimates are for n images with `width` features. Memory does not count the libraries.
    """

    tag = "method"
    registry: ClassVar[dict[str, type["Decomposition"]]] = {}
    is_ordered: ClassVar[bool] = False
    """Whether the components are ordered, so that cells can take the first `n_components` and whiten them."""

    @property
    def places_new_images(self) -> bool:
        """Return whether the decomposition can place images that it was not computed from; models need this."""
        return False

    @property
    def regressed(self) -> RegressOut | None:
        """Return which facts about the images are first regressed out of the features; None if there are none."""
        return None

    @property
    def source(self) -> str | None:
        """Return the name of the decomposition that this one is computed from; None if it is computed from features."""
        return None

    @abstractmethod
    def n_stored(self, n: int, width: int) -> int:
        """Return how many numbers are stored for each image."""

    def stored_bytes(self, n: int, width: int) -> int:
        """Return the bytes of the store, the HDF5 file with the results."""
        return FLOAT * n * self.n_stored(n, width)

    @abstractmethod
    def memory(self, n: int, width: int) -> int:
        """Return the bytes of memory that the job needs at once, without its libraries."""

    def seconds(self, n: int, width: int) -> float:
        """Return the estimated seconds that the job takes on a slow core."""
        return SECONDS_PER_IMAGE * n


class OfFeatures(Decomposition):
    """Base class of the decompositions that are computed from features and can be applied to features of new images."""

    regress_out: FactsOrNone = None
    """The names of facts about the images. Their linear effect on the features is removed before the decomposition."""

    @property
    def places_new_images(self) -> bool:
        """Return whether new images can be placed. They cannot if facts are regressed out, which are not known for new
        images."""
        return self.regress_out is None

    @property
    def regressed(self) -> RegressOut | None:
        return self.regress_out

    @property
    def prose(self) -> str:
        without = f" without the linear effect of {', '.join(self.regress_out.facts)}" if self.regress_out else ""
        return super().prose + without
