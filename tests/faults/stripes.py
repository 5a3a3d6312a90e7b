"""Images of two classes that are told apart at once."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_images(folder: Path, per_class: int = 12) -> None:
    """Write images of two classes: noise on stripes across, and on stripes down."""
    draw = np.random.default_rng(0)
    stripes = 60 * (np.arange(40) // 5 % 2)
    for label, pattern in (("across", stripes[:, None]), ("down", stripes[None])):
        (folder / label).mkdir(parents=True)
        for number in range(per_class):
            pixels = draw.integers(0, 120, (40, 40)) + pattern
            Image.fromarray(pixels.astype(np.uint8)).save(folder / label / f"{number}.png")
