"""Encodings of the local features of a map over a codebook that is learned on a sample of the images.

Local features are the vectors of channels at the positions of a map, each divided by its length.
"""

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError

SAMPLED_IMAGES = 200
SAMPLED_POSITIONS = 100
"""Largest number of images that a codebook is learned on, and of positions of each."""
VARIANCE_FLOOR = 0.01
"""The smallest variance that a mixture gets in a channel, as a share of the mean variance of the channels."""


class Codebook(ABC):
    """A learned codebook."""

    @property
    @abstractmethod
    def width(self) -> int:
        """The number of features of an image."""

    @abstractmethod
    def encode(self, descriptors: np.ndarray) -> np.ndarray:
        """Return the encoding of the local features of one image (positions, C), (width,) float64."""

    def encode_all(self, maps: np.ndarray) -> np.ndarray:
        """Return the encodings (N, width) float32 of the vectors at all positions of maps (N, positions, C)."""
        return np.stack([self.encode(unit_length(of_image)) for of_image in maps]).astype(np.float32)


@dataclass(frozen=True)
class Vlad(Codebook):
    """Sums of the differences of local features from the nearest of `centres` (K, C): Jégou et al. 2010.

    The sums of each centre are divided by their length, and then all are (Arandjelović & Zisserman 2013, section 3.1).
    """

    centres: np.ndarray

    @property
    def width(self) -> int:
        """Return the number of sums, K * C."""
        return self.centres.size

    def encode(self, descriptors: np.ndarray) -> np.ndarray:
        """Return the sums of one image: descriptors (positions, C) to (K * C,) float64."""
        # the nearest centre has the largest product with the features minus half its squared length
        products = descriptors @ self.centres.T - np.square(self.centres).sum(axis=1) / 2
        members = products.argmax(axis=1)[:, None] == np.arange(len(self.centres))
        sums = members.T.astype(np.float64) @ descriptors - members.sum(axis=0)[:, None] * self.centres
        return unit_length(unit_length(sums).ravel())


@dataclass(frozen=True)
class Fisher(Codebook):
    """Improved Fisher vectors (Perronnin, Sánchez & Mensink 2010) by scikit-image.

    They are the gradients of the logarithmic likelihood of a diagonal Gaussian `mixture`, with the square root of each
    and length 1.
    """

    mixture: Any

    @property
    def width(self) -> int:
        """Return the length of a Fisher vector."""
        return self.mixture.weights_.size + 2 * self.mixture.means_.size

    def encode(self, descriptors: np.ndarray) -> np.ndarray:
        """Return the Fisher vector of one image: descriptors (positions, C) to (width,) float64."""
        from skimage.feature import fisher_vector

        return fisher_vector(descriptors, self.mixture, improved=True)


def sampled(descriptors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return at most `SAMPLED_POSITIONS` of the local features of an image (positions, C), each of length 1."""
    return unit_length(descriptors[generator.permutation(len(descriptors))[:SAMPLED_POSITIONS]])


def learn(encoding: str, words: int, sample: np.ndarray, seed: int) -> Codebook:
    """Return a codebook with `words` centres, learned on local features of length 1, (n, C).

    `encoding` is `vlad` or `fisher`. Raises `UserError` if n is smaller than `words`.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    if len(sample) < words:
        raise UserError(f"layers: {encoding}{words}: found {len(sample)} positions, allowed: at least {words}")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a codebook need not be the best one
        if encoding == "vlad":
            return Vlad(KMeans(words, n_init=1, random_state=seed).fit(sample).cluster_centers_)
        floor = VARIANCE_FLOOR * float(sample.var(axis=0).mean())
        return Fisher(GaussianMixture(words, covariance_type="diag", reg_covar=floor, random_state=seed).fit(sample))


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Return vectors (..., d), float64, each divided by its length; vectors of zeros stay as they are."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
