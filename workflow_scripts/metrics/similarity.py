"""Distances between images themselves, without features: of their pixels, and of the structure of their texture."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import fftconvolve
from skimage.filters import gabor_kernel
from skimage.transform import resize
from threadpoolctl import threadpool_limits

SIDE = 64
"""Side in pixels to which images are reduced."""
FREQUENCIES = (1 / 4, 1 / 8, 1 / 16)
"""Frequencies of the wavelets in cycles per pixel."""
ORIENTATIONS = 8
"""Number of orientations of the wavelets."""
WINDOW = 7
"""Side of a window in coefficients, as in Sampat et al. 2009."""
STEP = 4
"""Distance between windows in coefficients."""
SMALL = 1e-3
"""Constant that makes windows without structure alike: a window's squared coefficients when it has hardly any."""


def small_grey(images: np.ndarray) -> np.ndarray:
    """Return images (n, H, W) or (n, H, W, 3) uint8 as brightness in 0..1, (n, SIDE, SIDE) float64."""
    grey = images.mean(axis=3) if images.ndim == 4 else images
    return np.stack([resize(image / 255.0, (SIDE, SIDE), anti_aliasing=True) for image in grey])


def structural_distances(images: np.ndarray) -> np.ndarray:
    """Return one minus the complex wavelet structural similarity of every two images.

    The similarity (CW-SSIM, Sampat et al. 2009) compares the coefficients of complex wavelets in each window. A small
    shift of the image turns the phases of all of them alike, and hardly changes it. Here the wavelets are those of
    Gabor, with zero mean, instead of a steerable pyramid; lower frequencies are sampled at every second and fourth
    pixel. The similarity is averaged over windows, frequencies and orientations.

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
    """Yield the coefficients (n, WINDOW**2) complex of every window, frequency and orientation."""
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
