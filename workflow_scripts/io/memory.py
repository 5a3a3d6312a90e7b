"""How much memory processes take to read and to preprocess large images.

Rules import this module, so it uses the standard library only.
"""

from collections.abc import Iterable, Mapping
from typing import Any

BASE_MB = 400
"""Memory of Python with the libraries of most jobs, and of the Snakemake process that runs a job on a cluster."""
READING_BYTES = 10
"""Bytes per pixel, at most, that a process takes to read an image of 8 bits and to convert it; RGB takes the most."""
DEEP_BYTES = 24
"""The same for more bits: RGB of 16 bits, and grey values of 32 or 64 bits."""
DEEP_COLOURS_BYTES = 75
"""The same for colours of 32 or 64 bits, which are compressed and have transparency."""
PREPROCESSING_BYTES = 60
"""Bytes per pixel, at most, that a process takes to preprocess an image; CLAHE of colour images takes the most."""
IMAGES_MEMORY = 7.5e9
"""Bytes that the images of all processes together take, so that a job stays below 8 GiB; one image may take more, if it
has more than 750 million pixels and is cut into tiles, because one process always works."""
LARGEST_IMAGE = int(IMAGES_MEMORY / PREPROCESSING_BYTES)
"""Pixels of the largest image that can be preprocessed; larger ones can only be cut into tiles."""


def reading_bytes(mode: str) -> int:
    """Return the bytes per pixel, at most, that a process takes to read an image with a `mode` of `images.csv`."""
    if mode.startswith("RGB;") and "16" not in mode:
        return DEEP_COLOURS_BYTES
    return DEEP_BYTES if ";" in mode or mode == "F" else READING_BYTES


def counted_pixels(image: Mapping[str, Any]) -> int:
    """Return how many pixels of 8 bits take as much memory to read as an image, a row of `images.csv`."""
    return int(image["width"]) * int(image["height"]) * reading_bytes(image.get("mode", "")) // READING_BYTES


def processes(workers: int, max_pixels: int | None, bytes_per_pixel: int = READING_BYTES) -> int:
    """Return how many of `workers` processes may hold images of `max_pixels` pixels at once."""
    most = IMAGES_MEMORY // (bytes_per_pixel * max_pixels) if max_pixels else workers
    return int(max(1, min(workers, most)))


def reading_processes(workers: int, pages: Iterable[Mapping[str, Any]], memory_mb: float) -> int:
    """Return how many of `workers` processes may read pages of images at once in a job that has `memory_mb` MB.

    The largest page decides. `pages` are rows of `images.csv`, or of `tiff_rows.page_headers`.
    """
    most = (memory_mb - BASE_MB) * 1e6 // (READING_BYTES * max(map(counted_pixels, pages)))
    return int(max(1, min(workers, most)))


def images_bytes(workers: int, max_pixels: int, bytes_per_pixel: int = READING_BYTES) -> int:
    """Return the bytes that images of `max_pixels` pixels take, at most, in as many processes as `processes` allows."""
    return processes(workers, max_pixels, bytes_per_pixel) * bytes_per_pixel * max_pixels
