"""Distances between images, against the definition written out and what the measure is made for."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import convolve2d
from skimage.filters import gabor_kernel

from workflow_scripts.metrics import similarity


def textures(n, seed=0):
    return np.stack([gaussian_filter(noise, 2) for noise in np.random.default_rng(seed).random((n, 64, 64))])


def test_similarity_is_the_mean_over_windows_of_the_definition(monkeypatch):
    monkeypatch.setattr(similarity, "FREQUENCIES", (1 / 4,))
    monkeypatch.setattr(similarity, "ORIENTATIONS", 2)
    one, other = images = textures(2)[:, :20, :20]
    values = []
    for theta in (0, np.pi / 2):
        wavelet = gabor_kernel(1 / 4, theta=theta)
        wavelet = wavelet - np.abs(wavelet) * wavelet.sum() / np.abs(wavelet).sum()
        a, b = (convolve2d(image, wavelet, mode="same") for image in (one, other))
        for i in range(0, 14, similarity.STEP):
            for j in range(0, 14, similarity.STEP):
                x, y = a[i : i + 7, j : j + 7].ravel(), b[i : i + 7, j : j + 7].ravel()
                above = 2 * abs(sum(x * y.conj())) + similarity.SMALL
                values.append(above / (sum(abs(x) ** 2) + sum(abs(y) ** 2) + similarity.SMALL))
    distances = similarity.structural_distances(images)
    np.testing.assert_allclose(distances, [[0, 1 - np.mean(values)], [1 - np.mean(values), 0]], atol=1e-10)


def test_an_image_stays_like_itself_when_it_is_shifted_or_brighter_and_pixels_do_not():
    image, another = textures(2)
    shifted, brighter = np.roll(image, 1, axis=1), image + 0.3
    four = np.stack([image, shifted, brighter, another])
    to_itself, to_another = similarity.structural_distances(four)[0, 1:3], similarity.structural_distances(four)[0, 3]
    assert to_itself.max() < 0.5 * to_another
    pixels = np.linalg.norm((four - image).reshape(4, -1), axis=1)
    assert pixels[2] > pixels[3]


def test_colours_become_brightness_of_the_stated_size():
    image = np.full((1, 128, 96, 3), (0, 51, 102), dtype=np.uint8)
    small = similarity.small_grey(image)
    assert small.shape == (1, 64, 64)
    np.testing.assert_allclose(small, 0.2, atol=1e-9)
