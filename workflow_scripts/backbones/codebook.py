"""Encode the local features of an image by a codebook (VLAD and Fisher vectors).

A local feature is the vector of channels at one position of a network's output, divided by its length. A codebook has K
typical local features, called words, which are learned on a sample of the images.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import h5py
import numpy as np
from threadpoolctl import threadpool_limits

from workflow_scripts.backbones.layers import parse_layer, parts_of
from workflow_scripts.errors import UserError

PREFIX = "codebook."
"""The beginning of the names of a codebook's arrays in stores and models."""

SAMPLED_IMAGES = 200
"""Largest number of images that a codebook is learned on."""
SAMPLED_POSITIONS = 100
"""Largest number of positions in each of these images."""
VARIANCE_FLOOR = 0.01
"""The smallest variance of a Gaussian in a channel, as a share of the mean variance of the channels."""


class Codebook(ABC):
    """The base class of codebooks. A codebook has K words, learned from local features of C channels.

    Its fields are float32 arrays.
    """

    @property
    @abstractmethod
    def width(self) -> int:
        """Return the number of features of an image."""

    @abstractmethod
    def encode(self, descriptors: np.ndarray) -> np.ndarray:
        """Return the encoding (width,) float64 of one image.

        `descriptors` (positions, C) are its local features.
        """

    def encode_all(self, maps: np.ndarray) -> np.ndarray:
        """Return the encodings of N images, (N, width) float32.

        `maps` (N, positions, C) are the vectors at all positions of a network's output; each is first divided by its
        length.
        """
        return np.stack([self.encode(unit_length(of_image)) for of_image in maps]).astype(np.float32)


@dataclass(frozen=True)
class Vlad(Codebook):
    """A codebook of K `centres` (K, C) for VLAD, vectors of locally aggregated descriptors (Jégou et al. 2010).

    Each local feature belongs to its nearest centre. The encoding has for each centre the sum of the differences
    between its local features and the centre. Each sum is divided by its length, and then the whole vector by its
    length (Arandjelović & Zisserman 2013, section 3.1).
    """

    centres: np.ndarray

    @property
    def width(self) -> int:
        """Return the length of a VLAD vector, K * C."""
        return self.centres.size

    def encode(self, descriptors: np.ndarray) -> np.ndarray:
        """Return the VLAD vector (K * C,) float64 of one image.

        `descriptors` (positions, C) are its local features.
        """
        # the nearest centre has the largest product with the features minus half its squared length
        products = descriptors @ self.centres.T - np.square(self.centres).sum(axis=1) / 2
        members = products.argmax(axis=1)[:, None] == np.arange(len(self.centres))
        sums = members.T.astype(np.float64) @ descriptors - members.sum(axis=0)[:, None] * self.centres
        return unit_length(unit_length(sums).ravel())


@dataclass(frozen=True)
class Fisher(Codebook):
    """A codebook for improved Fisher vectors (Perronnin, Sánchez & Mensink 2010), computed by scikit-image.

    The codebook is a mixture of K Gaussians with `weights` (K,), `means` (K, C) and variances `covariances` (K, C). The
    encoding is the gradient, with respect to these three, of the log-likelihood of an image's local features. Then the
    square root of each number is taken, with its sign kept, and the vector is divided by its length.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    @property
    def width(self) -> int:
        """Return the length of a Fisher vector, K * (2 * C + 1)."""
        return self.weights.size + 2 * self.means.size

    @cached_property
    def mixture(self) -> Any:
        """Return the mixture as scikit-learn's `GaussianMixture`."""
        from sklearn.mixture import GaussianMixture

        mixture = GaussianMixture(len(self.weights), covariance_type="diag")
        for name in ("weights", "means", "covariances"):
            setattr(mixture, f"{name}_", getattr(self, name).astype(np.float64))
        mixture.precisions_cholesky_ = mixture.covariances_**-0.5
        return mixture

    def encode(self, descriptors: np.ndarray) -> np.ndarray:
        """Return the Fisher vector (width,) float64 of one image.

        `descriptors` (positions, C) are its local features.
        """
        from skimage.feature import fisher_vector

        return fisher_vector(descriptors, self.mixture, improved=True)


def sampled(descriptors: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a random sample of an image's local features, at most `SAMPLED_POSITIONS` of them, (n, C) float64.

    `descriptors` (positions, C) are the vectors at all positions; those of the sample are divided by their lengths.
    """
    return unit_length(descriptors[generator.permutation(len(descriptors))[:SAMPLED_POSITIONS]])


def learn(encoding: str, words: int, sample: np.ndarray, seed: int) -> Codebook:
    """Return a codebook with K = `words`, learned on a sample of local features (n, C) of length 1.

    `encoding` is `vlad` (centres of k-means) or `fisher` (a Gaussian mixture). Raises `UserError` if n is smaller than
    `words`.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    if len(sample) < words:
        raise UserError(f"layers: {encoding}{words}: found {len(sample)} positions, allowed: at least {words}")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a codebook need not be the best one
        if encoding == "vlad":
            centres = KMeans(words, n_init=1, random_state=seed).fit(sample).cluster_centers_
            return Vlad(centres.astype(np.float32))
        floor = VARIANCE_FLOOR * float(sample.var(axis=0).mean())
        mixture = GaussianMixture(words, covariance_type="diag", reg_covar=floor, random_state=seed).fit(sample)
        arrays = (mixture.weights_, mixture.means_, mixture.covariances_)
        return Fisher(*(array.astype(np.float32) for array in arrays))


ENCODINGS: dict[str, type[Codebook]] = {"vlad": Vlad, "fisher": Fisher}
"""The class of the codebook for each encoding."""


def named(layer: str, book: Codebook) -> dict[str, np.ndarray]:
    """Return the arrays of a layer's codebook by names such as `codebook.fire5_vlad16.centres`."""
    return {f"{PREFIX}{layer}.{field.name}": getattr(book, field.name) for field in fields(book)}  # type: ignore[arg-type]


def stored(features: h5py.File) -> dict[str, np.ndarray]:
    """Read the arrays of all codebooks in a feature store, by name (see `named`)."""
    return {name: features[name][:] for name in features if name.startswith(PREFIX)}


def of_backbone(backbone: str, name: str) -> str:
    """Return the `name` of a codebook's array with the name of its backbone inserted.

    `codebook.fire5_vlad16.centres` becomes `codebook.net.fire5_vlad16.centres` for the backbone `net`. So the arrays of
    several backbones have different names.
    """
    return f"{PREFIX}{backbone}.{name.removeprefix(PREFIX)}"


def restored(layer: str, arrays: Mapping[str, np.ndarray], backbone: str = "") -> dict[str, Codebook]:
    """Return the codebook of each part of a layer, made from its arrays.

    A joined layer, such as `fire5_vlad16+fire9_avg`, has several parts; parts without a codebook are left out. `arrays`
    are the arrays of codebooks by their names in a feature store (`stored`). If they are of several backbones (see
    `of_backbone`), `backbone` is the one with this layer. Raises `ValueError` if an array is missing or does not have
    one row for each word.
    """
    books = {}
    for part in parts_of(layer):
        if words := (parsed := parse_layer(part)).words:
            encoding = ENCODINGS[parsed.pooling]
            names = [f"{PREFIX}{part}.{field.name}" for field in fields(encoding)]  # type: ignore[arg-type]
            names = [of_backbone(backbone, name) for name in names] if backbone else names
            for name in names:
                if name not in arrays or len(arrays[name]) != words:
                    shape = arrays[name].shape if name in arrays else "nothing"
                    raise ValueError(f"{name}: found {shape}, allowed: {words} rows")
            books[part] = encoding(*(arrays[name] for name in names))
    return books


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Return vectors (..., d), float64, each divided by its length; vectors of zeros stay as they are."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
