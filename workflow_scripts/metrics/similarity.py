"""Compute distances between images without features, from their pixels or from the structure of their texture."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import fftconvolve
from skimage.filters import gabor_kernel
from skimage.transform import resize
from threadpoolctl import threadpool_limits

SIDE = 64
"""Side in pixels of the reduced images."""
FREQUENCIES = (1 / 4, 1 / 8, 1 / 16)
"""Frequencies of the wavelets in cycles per pixel."""
ORIENTATIONS = 8
"""Number of orientations of the wavelets."""
WINDOW = 7
"""Side of a window of wavelet coefficients, as in Sampat et al. 2009."""
STEP = 4
"""Distance between neighbouring windows, counted in coefficients."""
SMALL = 1e-3
"""Constant that makes windows without structure similar: about the sum of squared coefficients of such a window."""


def small_grey(images: np.ndarray) -> np.ndarray:
    """Return images (n, H, W) or (n, H, W, 3) uint8 as small grey images (n, SIDE, SIDE) float64, from 0 to 1."""
    grey = images.mean(axis=3) if images.ndim == 4 else images
    return np.stack([resize(image / 255.0, (SIDE, SIDE), anti_aliasing=True) for image in grey])


def structural_distances(images: np.ndarray) -> np.ndarray:
    """Return one minus the complex wavelet structural similarity of each pair of images.

    The similarity (CW-SSIM, Sampat et al. 2009) compares the coefficients of complex wavelets in each window. A small
    shift of an image turns all phases by the same angle, which hardly changes the similarity. The wavelets are Gabor
    wavelets with zero mean, and not the steerable pyramid of the paper. Lower frequencies are sampled at every second
    or fourth pixel. The similarity is averaged over windows, frequencies and orientations.

    Parameters
    ----------
    images : (n, H, W) float64.

    Returns
    -------
    (n, n) float64 in 0..1, symmetric, with zeros on the diagonal.
    """
    total, n_windows = np.zeros((len(images), len(images))), 0
    with threadpool_limits(1):  # the last bits depend on the number of threads
        for window in _windows(images):
            products = np.abs(window @ window.conj().T)
            powers = np.diag(products)
            total += (2 * products + SMALL) / (powers[:, None] + powers + SMALL)
            n_windows += 1
    distances = 1 - total / n_windows
    np.fill_diagonal(distances, 0)
    return np.clip(distances, 0, 1)


def _windows(images: np.ndarray) -> Iterator[np.ndarray]:
    """Yield for every window, frequency and orientation the coefficients of all images, (n, WINDOW**2) complex."""
    for frequency in FREQUENCIES:
        every = round(FREQUENCIES[0] / frequency)
        for turn in range(ORIENTATIONS):
            wavelet = gabor_kernel(frequency, theta=np.pi * turn / ORIENTATIONS)
            wavelet -= np.abs(wavelet) * wavelet.sum() / np.abs(wavelet).sum()
            coefficients = fftconvolve(images, wavelet[None], mode="same", axes=(1, 2))[:, ::every, ::every]
            views = sliding_window_view(coefficients, (WINDOW, WINDOW), axis=(1, 2))[:, ::STEP, ::STEP]
            for row in range(views.shape[1]):
                for column in range(views.shape[2]):
                    yield views[:, row, column].reshape(len(images), -1)
