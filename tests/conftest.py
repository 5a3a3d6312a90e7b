"""Where tests find real images and weights that are not part of the project; they skip with a reason without them."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("CLUSTERGRID_SHARED", ROOT.parent / "shared"))


def _shared(path: str, what: str) -> Path:
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"{what} not found; set CLUSTERGRID_SHARED to a folder that holds {path}")
    return found


@pytest.fixture(scope="session")
def neu_images() -> Path:
    """The folder of the 1800 NEU steel-defect images."""
    return _shared("data/neu", "the NEU steel-defect images are")


@pytest.fixture(scope="session")
def vgg16_weights() -> Path:
    """VGG16's convolutions with Keras's ImageNet weights, under torchvision's names."""
    return _shared("weights/vgg16_conv_keras_imagenet.safetensors", "VGG16's weights were")
