"""Find the class of ImageNet that a trained network gives to each image."""

import numpy as np

from workflow_scripts.io import store

ROWS = 4096
"""Number of images whose scores are read at once."""


def imagenet_names(scores: str) -> np.ndarray:
    """Return for each image the name of the ImageNet-1k class with the highest score, (N,) str.

    `scores` is the path of a feature store whose 1000 features are the scores of the classes, in torchvision's order.
    """
    from workflow_scripts.backbones.torchvision_import import torchvision  # takes seconds to import

    names = np.array(torchvision.models.ResNet50_Weights.DEFAULT.meta["categories"])
    with store.reading(scores) as file:
        values = file["features"]
        best = [values[start : start + ROWS].argmax(axis=1) for start in range(0, len(values), ROWS)]
    return names[np.concatenate(best)]
