"""Micrographs of two phases with a known share: photographs of real textures, put together along a random border.

python -m tests.mosaics FOLDER
"""

import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

SHARE = 0.35
"""The share of grass in every micrograph."""


def two_phases(side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image (side, side) uint8 of grass in gravel, and the mask of the grass, (side, side) bool."""
    phases = []
    for name in ("grass", "gravel"):
        with files("skimage.data").joinpath(f"{name}.png").open("rb") as stream, Image.open(stream) as photograph:
            texture = np.asarray(photograph.convert("L"))
        mirrored = np.block([[texture, texture[:, ::-1]], [texture[::-1], texture[::-1, ::-1]]])
        phases.append(np.tile(mirrored, (2, 2))[:side, :side])
    field = gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), 60)
    is_grass = field > np.quantile(field, 1 - SHARE)
    return np.where(is_grass, *phases), is_grass


def write_two_phases(folder: Path, side: int, n_images: int) -> list[np.ndarray]:
    """Write micrographs `0.png`, `1.png`, ... of `side` x `side` pixels, and return the masks of their grass."""
    folder.mkdir(parents=True, exist_ok=True)
    masks = []
    for seed in range(n_images):
        image, is_grass = two_phases(side, seed)
        Image.fromarray(image).save(folder / f"{seed}.png")
        masks.append(is_grass)
    return masks


if __name__ == "__main__":
    write_two_phases(Path(sys.argv[1]), 768, 4)
