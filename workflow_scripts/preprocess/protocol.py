"""The interface of the modules of preprocessing steps."""

from collections.abc import Callable
from typing import Protocol

import numpy as np


class Step(Protocol):
    """A module of this folder with the name of a settings model of `settings.preprocess`.

    A step that needs the image as it was taken has `AS_TAKEN`.
    """

    @property
    def apply(self) -> Callable[..., np.ndarray]:
        """Function of an image, (H, W) or (H, W, 3) float32 in [0, 1], and the step's settings; returns an image."""
