"""Define the functions that the module of a decomposition must have.

To place an image means to compute its point: its reduced features in the space of the decomposition.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

Place = Callable[[np.ndarray], np.ndarray]
"""The type of functions that turn features (n, d) into points (n, C) float64."""


class Decomposition(Protocol):
    """The interface of a decomposition's module. The module's name is the setting `method` of the decomposition."""

    def decompose(
        self, source: str, path: str, settings: Mapping[str, Any], code: str, progress: Callable[[int, int], None]
    ) -> None:
        """Decompose the store `source` and write the result to the store `path`.

        `settings` are the settings of the decomposition as a dictionary. `code` is the digest of the code; it becomes
        an attribute of the result. `progress` is called with the number of images that are done and the number of all
        images.
        """


@runtime_checkable
class Placing(Protocol):
    """The interface of the module of a decomposition that can place new images.

    The settings of such a decomposition have the trait `places_new_images`. The argument `reduction` is the entry
    `reduction` of a saved model's facts. It has `whiten`, `n_components` and the `settings` of the decomposition.
    """

    def read_tensors(self, features: str, points: str, n_components: int | None) -> dict[str, np.ndarray]:
        """Return the arrays by name that a model keeps to place new images.

        `features` is the path of the feature store, and `points` is the path of the store that `decompose` made from
        it. The arrays compute the first `n_components` components, or all if this is None.
        """

    def tensor_shapes(
        self, reduction: Mapping[str, Any], width: int, tensors: Mapping[str, np.ndarray]
    ) -> dict[str, tuple[int, ...]]:
        """Return the shapes by name that the arrays must have in a model with `width` features.

        Raises `ValueError` if the shapes depend on arrays that are not in `tensors`.
        """

    def placing(self, reduction: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Place:
        """Return the function that computes the points of new images with the arrays of a model."""
