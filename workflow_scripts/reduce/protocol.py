"""The interfaces of the modules of decompositions."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

Place = Callable[[np.ndarray], np.ndarray]
"""Type of a function from features (n, d) to points (n, C) float64."""


class Decomposition(Protocol):
    """A module of this folder with the name of a settings model of `settings.decompositions`."""

    def decompose(
        self, source: str, path: str, settings: Mapping[str, Any], code: str, progress: Callable[[int, int], None]
    ) -> None:
        """Decompose the store `source` and write the result to the store `path`, with the digest `code` of the code.

        `progress` is called with (done, total).
        """


@runtime_checkable
class Placing(Protocol):
    """Describe the module of a decomposition that can place new images: `places_new_images` of its settings is true.

    `reduction` is the entry of that name in the facts of a saved model: `whiten`, `n_components` and the `settings` of
    the decomposition.
    """

    def read_tensors(self, features: str, points: str, n_components: int | None) -> dict[str, np.ndarray]:
        """Return the arrays by name that a model keeps to place new images.

        They give the first `n_components` (all if None). `features` is the path of the feature store, `points` that of
        the store that `decompose` made from it.
        """

    def tensor_shapes(
        self, reduction: Mapping[str, Any], width: int, tensors: Mapping[str, np.ndarray]
    ) -> dict[str, tuple[int, ...]]:
        """Return the shapes that arrays of a model with `width` features must have; raises `ValueError` without any."""

    def placing(self, reduction: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Place:
        """Return the function that places new images with the arrays of a model."""
