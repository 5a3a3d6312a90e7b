"""Define the interface of the modules of preprocessing steps."""

from collections.abc import Callable
from typing import Protocol

import numpy as np


class Step(Protocol):
    """The interface of a preprocessing step: a module of this folder that has the name of the step.

    The step's settings are a model in `settings.preprocess`. The module has the attribute `AS_TAKEN` if the step needs
    the image as it was taken, before any other change.
    """

    @property
    def apply(self) -> Callable[..., np.ndarray]:
        """The function that carries out the step.

        It takes an image, (H, W) or (H, W, 3) float32 in [0, 1], and the settings as keywords, and returns an image.
        """
