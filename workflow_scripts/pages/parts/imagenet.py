"""The names that a network trained on ImageNet gives to images."""

import numpy as np

from workflow_scripts.io import store

ROWS = 4096
"""Number of images whose scores are read together."""


def imagenet_names(scores: str) -> np.ndarray:
    """Return for each image the name of the class of ImageNet-1k that scores highest, (N,) str.

    `scores` is the feature store of a layer with a score for each of the 1000 classes, in torchvision's order.
    """
    from workflow_scripts.backbones.torchvision_import import torchvision  # takes seconds to import

    names = np.array(torchvision.models.ResNet50_Weights.DEFAULT.meta["categories"])
    with store.reading(scores) as file:
        values = file["features"]
        best = [values[start : start + ROWS].argmax(axis=1) for start in range(0, len(values), ROWS)]
    return names[np.concatenate(best)]
