"""What the module of every step of preprocessing has."""

from collections.abc import Callable
from typing import Protocol

import numpy as np


class Step(Protocol):
    """A module of this folder that a model of `settings.preprocess` names."""

    @property
    def apply(self) -> Callable[..., np.ndarray]:
        """Change an image (H, W) or (H, W, 3), float32 in [0, 1]; the other arguments are the step's settings."""
