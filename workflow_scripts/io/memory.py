"""How much memory processes take to read and to preprocess large images.

Rules import this module, so it uses the standard library only.
"""

READING_BYTES = 10
"""Bytes per pixel, at most, that a process takes to read an image and to convert it; RGB takes the most."""
PREPROCESSING_BYTES = 60
"""Bytes per pixel, at most, that a process takes to preprocess an image; CLAHE of colour images takes the most."""
IMAGES_MEMORY = 7.5e9
"""Bytes that the images of all processes together take, so that a job stays below 8 GiB; one image may take more, if it
has more than 750 million pixels and is cut into tiles, because one process always works."""
LARGEST_IMAGE = int(IMAGES_MEMORY / PREPROCESSING_BYTES)
"""Pixels of the largest image that can be preprocessed; larger ones can only be cut into tiles."""


def processes(workers: int, max_pixels: int | None, bytes_per_pixel: int = READING_BYTES) -> int:
    """Return how many of `workers` processes may hold images of `max_pixels` pixels at once."""
    most = IMAGES_MEMORY // (bytes_per_pixel * max_pixels) if max_pixels else workers
    return int(max(1, min(workers, most)))


def images_bytes(workers: int, max_pixels: int, bytes_per_pixel: int = READING_BYTES) -> int:
    """Return the bytes that images of `max_pixels` pixels take, at most, in as many processes as `processes` allows."""
    return processes(workers, max_pixels, bytes_per_pixel) * bytes_per_pixel * max_pixels
