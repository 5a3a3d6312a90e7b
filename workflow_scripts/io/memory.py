"""Estimate how much memory processes need to read and to preprocess large images.

Rules import this module, so it uses the standard library only.
"""

from collections.abc import Iterable, Mapping
from typing import Any

BASE_MB = 400
"""Memory (MB) of Python with the libraries of most jobs, and of the Snakemake process that runs a job on a cluster."""
READING_BYTES = 10
"""Largest number of bytes per pixel that a process needs to read an image of 8 bits and to convert it; RGB needs
most."""
DEEP_BYTES = 24
"""The same for images of more bits: RGB of 16 bits, and grey values of 16, 32 or 64 bits."""
DEEP_COLOURS_BYTES = 75
"""The same for RGB of 32 or 64 bits; images that are compressed and have transparency need most."""
PREPROCESSING_BYTES = 60
"""Largest number of bytes per pixel that a process needs to preprocess an image; CLAHE of colour images needs most."""
IMAGES_MEMORY = 7.5e9
"""Largest number of bytes of the images in all processes together, so that a job stays below 8 GiB. A single image may
need more if it has more than 750 million pixels and is cut into tiles, because one process always works."""
LARGEST_IMAGE = int(IMAGES_MEMORY / PREPROCESSING_BYTES)
"""Largest number of pixels of an image that can be preprocessed; larger images can only be cut into tiles."""


def reading_bytes(mode: str) -> int:
    """Return the largest number of bytes per pixel that a process needs to read an image.

    `mode` is the pixel format of the image, as in the column `mode` of `images.csv`.
    """
    if mode.startswith("RGB;") and "16" not in mode:
        return DEEP_COLOURS_BYTES
    return DEEP_BYTES if ";" in mode or mode == "F" else READING_BYTES


def counted_pixels(image: Mapping[str, Any]) -> int:
    """Return the number of pixels of an image, weighted by the memory that reading them needs.

    A pixel of an 8-bit image counts as one, and a pixel that needs twice as much memory counts as two. `image` is a row
    of `images.csv`.
    """
    return int(image["width"]) * int(image["height"]) * reading_bytes(image.get("mode", "")) // READING_BYTES


def processes(workers: int, max_pixels: int | None, bytes_per_pixel: int = READING_BYTES) -> int:
    """Return how many processes may hold images of `max_pixels` pixels at once: at least 1, and at most `workers`.

    Their images together need at most `IMAGES_MEMORY` bytes, unless one image needs more.
    """
    most = IMAGES_MEMORY // (bytes_per_pixel * max_pixels) if max_pixels else workers
    return int(max(1, min(workers, most)))


def reading_processes(workers: int, pages: Iterable[Mapping[str, Any]], memory_mb: float) -> int:
    """Return how many processes, at least 1 and at most `workers`, may read pages of images at once.

    The largest page decides. `pages` are rows of `images.csv`, or of `tiff_rows.page_headers`. `memory_mb` is the
    memory of the job in MB. Also in a job that has more, the images together need at most `IMAGES_MEMORY` bytes.
    """
    largest = max(map(counted_pixels, pages))
    most = (memory_mb - BASE_MB) * 1e6 // (READING_BYTES * largest)
    return int(max(1, min(processes(workers, largest), most)))


def images_bytes(workers: int, max_pixels: int, bytes_per_pixel: int = READING_BYTES) -> int:
    """Return the bytes of memory that the images of all processes need together. Each process holds one image of
    `max_pixels` pixels; the function `processes` gives the number of processes."""
    return processes(workers, max_pixels, bytes_per_pixel) * bytes_per_pixel * max_pixels
