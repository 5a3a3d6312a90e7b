"""Make the data set that needs no download: crops of photographs that are in the wheel of scikit-image.

All crops of a photograph are one class. Licences, as scikit-image's documentation states them:

===========  ====================  =====================================================================
class        file                  source and licence
===========  ====================  =====================================================================
brick        brick.png             CC0Textures, CC0
cat          chelsea.png           Stefan van der Walt, CC0
coffee       coffee.png            Rachel Michetti, CC0
coins        coins.png             Brooklyn Museum Collection, no known copyright restrictions
galaxies     hubble_deep_field.jpg NASA, public domain
grass        grass.png             DeviantArt (linolafett), CC0
gravel       gravel.png            CC0Textures, CC0
handwriting  text.png              Wikipedia, public domain
moon         moon.png              part of scikit-image, BSD-3-Clause
print        page.png              part of scikit-image, BSD-3-Clause
retina       retina.jpg            Mikael Häggström, CC0
tissue       ihc.png               Center for Microscopy And Molecular Imaging, no known copyright restrictions
===========  ====================  =====================================================================
"""

from collections.abc import Iterator
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.color import rgb2gray

from workflow_scripts.errors import refusals_of

# The file of each class and the distance of neighbouring crops in pixels, which is smaller in smaller photographs.
PHOTOGRAPHS = {
    "brick": ("brick.png", 84),
    "cat": ("chelsea.png", 56),
    "coffee": ("coffee.png", 76),
    "coins": ("coins.png", 60),
    "galaxies": ("hubble_deep_field.jpg", 140),
    "grass": ("grass.png", 84),
    "gravel": ("gravel.png", 78),
    "handwriting": ("text.png", 52),
    "moon": ("moon.png", 84),
    "print": ("page.png", 52),
    "retina": ("retina.jpg", 190),
    "tissue": ("ihc.png", 84),
}
SIDES = (88, 136)
"""Shortest and longest side of a crop, pixels."""
LEAST_CONTRAST = 0.02
"""The smallest standard deviation of the grey levels, from 0 to 1, of a crop that is not left out as empty."""
PLASTIC = 1.324717957244746
"""The root of x^3 = x + 1, whose powers spread points evenly over a square (the R2 sequence)."""


def write_embedded(folder: str | Path) -> int:
    """Write the crops as `folder/class/class_000.png` and so on, and return their number.

    Every call writes the same bytes.
    """
    number = 0
    for name, (file, step) in PHOTOGRAPHS.items():
        (Path(folder) / name).mkdir(parents=True, exist_ok=True)
        with files("skimage.data").joinpath(file).open("rb") as stream, Image.open(stream) as photograph:
            pixels = np.asarray(photograph)
        for count, crop in enumerate(_crops(pixels, step)):
            path = Path(folder) / name / f"{name}_{count:03d}.png"
            with refusals_of(path):
                Image.fromarray(crop).save(path)
            number += 1
    return number


def _crops(pixels: np.ndarray, step: int) -> Iterator[np.ndarray]:
    """Yield crops at the points of a square lattice; their heights and widths vary evenly and independently.

    Crops that the edge of the photograph makes too small, and crops with hardly any contrast, are left out.
    """
    low, high = SIDES
    rows, columns = (range(0, length - low + 1, step) for length in pixels.shape[:2])
    for count, (top, left) in enumerate(product(rows, columns)):
        height, width = (low + int((high - low + 1) * (count / PLASTIC**axis % 1)) for axis in (1, 2))
        crop = pixels[top : top + height, left : left + width]
        if min(crop.shape[:2]) >= low and _contrast(crop) >= LEAST_CONTRAST:
            yield crop


def _contrast(crop: np.ndarray) -> float:
    grey = rgb2gray(crop) if crop.ndim == 3 else crop / 255
    return float(grey.std())
