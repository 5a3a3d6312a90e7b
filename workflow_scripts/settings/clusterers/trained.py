"""The settings of clusterers that train a network."""

from typing import Literal

from pydantic import Field

from workflow_scripts.settings.clusterers.base import Count, Counts, Repeated, RestartCount
from workflow_scripts.settings.costs import (
    CLUSTER_THREADS,
    FLOAT,
    FLOP_PER_WEIGHT,
    FLOPS,
    SIMILARITIES_AT_ONCE,
    encoder_weights,
)
from workflow_scripts.settings.methods import OnDevice
from workflow_scripts.wording import listed


class Trained(OnDevice, Repeated):
    """Base class of the settings of clusterers that train a network, on the CPU or a GPU."""

    @property
    def takes_torch(self) -> bool:
        return True

    def threads(self, n: int, d: int) -> int:
        """Return the number of threads: one for each repeat, up to a limit."""
        return min(self.repeats, CLUSTER_THREADS)


class Dec(Trained):
    """Deep embedded clustering (Xie et al. 2016; with `idec` Guo et al. 2017). An autoencoder is pretrained, then its
    codes are trained to form k clusters. All k of a repeat start from the same pretrained network."""

    method: Literal["dec"] = "dec"
    variant: Literal["dec", "idec"] = "dec"
    """`idec` keeps the reconstruction error in the loss; `dec` does not."""
    gamma: float = Field(0.1, gt=0)
    """For `idec`: weight of the clustering loss relative to the reconstruction error."""
    widths: list[Count] = Field([500, 500, 2000, 10], min_length=1)
    """Numbers of units of the encoder's layers; the last is the dimension of the codes."""
    pretraining: Literal["joint", "layerwise"] = "joint"
    """`joint` trains all layers together. `layerwise` first trains each pair of layers as a denoising autoencoder, as
    in the paper."""
    pretraining_epochs: int = Field(20, ge=1)
    """Number of epochs for each pair of layers, and for all layers together. It is increased if it makes fewer than 200
    batches."""
    learning_rate: float = Field(1e-3, gt=0)
    """Highest learning rate of the pretraining."""
    clustering_learning_rate: float = Field(3e-4, gt=0)
    batch_size: int = Field(256, ge=2)
    update_interval: int | None = Field(None, ge=1)
    """Number of batches between two updates of the target distribution; null takes an epoch, but at least 8."""
    max_updates: int = Field(30, ge=1)
    """Largest number of updates of the target distribution."""
    tolerance: float = Field(1e-3, ge=0, lt=1)
    """The training ends when at most this share of the labels has changed since the last update."""
    n_init: RestartCount = 20
    """Number of restarts of the k-means that finds the first centres."""

    @property
    def restarts_per_repeat(self) -> int:
        return self.n_init

    @property
    def prose(self) -> str:
        name = {
            "dec": "deep embedded clustering [@xie2016",
            "idec": "improved deep embedded clustering [@xie2016; @guo2017",
        }
        widths = "-".join(map(str, self.widths))
        return f"{name[self.variant]}] with an encoder of {widths} units in PyTorch [@paszke2019]"

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of memory for all repeats that run at the same time.

        Each holds the weights of encoder and decoder with gradients and Adam's moments, a copy of the weights for each
        k, and the codes and assignments of all points.
        """
        weights = 2 * encoder_weights(d, self.widths)
        return self.threads(n, d) * (4 * 8 * weights + FLOAT * n * (3 * max(self.k) + sum(self.widths[-1:])))

    def seconds(self, n: int, d: int) -> float:
        """Return the estimated seconds on a slow core.

        The estimate counts the matrix products in all epochs of the pretraining and of each k.
        """
        epochs = self.pretraining_epochs * (len(self.widths) + 1) + self.max_updates * len(self.k)
        return self.repeats * epochs * n * encoder_weights(d, self.widths) * FLOP_PER_WEIGHT / FLOPS


class Temi(Trained):
    """Clustering heads, which are small networks, on fixed features (TEMI, Adaloglou et al. 2023). An image and one of
    its nearest neighbours should be in one cluster, so the heads maximise the mutual information of such pairs. A pair
    has a higher weight if the teacher, a moving average of the heads, is surer that both images belong together. The
    head with the lowest loss gives the labels. TEMI favours clusters of similar size. The defaults are for some
    hundreds or thousands of images. The paper's values are for 50 000 (16 heads or more, widths 512 and 256, 50
    neighbours, momentum 0.996)."""

    in_prose = "TEMI [@adaloglou2023] with {n_heads} heads and {n_neighbors} neighbours in PyTorch [@paszke2019]"
    method: Literal["temi"] = "temi"
    n_heads: int = Field(8, ge=1)
    """Number of heads, which train side by side. They differ in their first weights only."""
    widths: tuple[Count, Count] = (128, 64)
    """Numbers of units of both layers of a head."""
    n_neighbors: int = Field(10, ge=1)
    """Number of nearest neighbours of an image, by cosine. In each epoch, the image is paired with one of them. Choose
    fewer than a cluster has images."""
    beta: float = Field(0.6, gt=0, le=1)
    """Exponent of the probabilities. 1 is the mutual information; with a smaller exponent the heads use more
    clusters."""
    temperature: float = Field(0.1, gt=0)
    """Temperature of the softmax: the cosines of an image and the clusters are divided by it. A lower one makes
    assignments more certain."""
    momentum: float = Field(0.95, ge=0, lt=1)
    """Share of its own weights that the teacher keeps at every step; the rest comes from the student."""
    steps: int = Field(1000, ge=1)
    """Number of steps, each with a batch of pairs. An epoch that has begun is completed."""
    learning_rate: float = Field(3e-3, gt=0)
    """Learning rate, which rises linearly to this value during the first fifth of the epochs."""
    batch_size: int = Field(256, ge=2)

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of memory for all repeats that run at the same time.

        Each holds the weights of student and teacher with gradients and Adam's moments, and the outputs of all layers
        for a batch of pairs. The neighbours, and the similarities of a block of points, are in memory once.
        """
        weights = self.n_heads * encoder_weights(d, [*self.widths, max(self.k)])
        units = self.n_heads * (sum(self.widths) + max(self.k)) * min(n, self.batch_size)
        neighbours = n * (FLOAT * self.n_neighbors + 4 * SIMILARITIES_AT_ONCE)
        return self.threads(n, d) * 4 * (8 * weights + 20 * units) + neighbours

    def seconds(self, n: int, d: int) -> float:
        """Return the estimated seconds on a slow core.

        The estimate counts the matrix products in all steps of each k, and the similarities of all pairs of points.
        """
        weights = self.n_heads * encoder_weights(d, [*self.widths, max(self.k)])
        pairs = self.repeats * len(self.k) * self.steps * min(n, self.batch_size)
        return (pairs * weights * 16 + 2 * d * n**2) / FLOPS


class Turtle(Trained):
    """The labelling that linear classifiers learn best (TURTLE, Gadetsky et al. 2024), in one space of features or in
    several. A labelling is easy to learn if the margin between its clusters is large. The entropy of the clusters'
    sizes is maximised too, so that not all images are in one cluster; clusters get similar sizes. The paper takes 6000
    steps at a learning rate of 0.001, in spaces of 768 dimensions and more."""

    in_prose = "TURTLE [@gadetsky2024] with gamma = {gamma:g} in PyTorch [@paszke2019]"
    method: Literal["turtle"] = "turtle"
    gamma: float = Field(10.0, ge=0)
    """Weight of the entropy of the clusters' sizes; large values make clusters of equal size."""
    steps: int = Field(1000, ge=1)
    """Number of steps in which the labelling is changed."""
    inner_steps: int = Field(10, ge=1)
    """Number of steps for which the classifier is trained at every step of the labelling, each time from the
    beginning."""
    learning_rate: float = Field(1e-2, gt=0)
    """Learning rate of the labelling and of the classifier."""
    batch_size: int = Field(10_000, ge=2)
    spaces: Counts | None = Field(None, min_length=2)
    """The number of columns of each space, if the columns of the points are several spaces of features side by side.
    They are so for joined features without decomposition (`decomposition: none`). Each space has its own linear layers,
    and the labels are the mean over the spaces. Null takes all columns as one space."""

    @property
    def prose(self) -> str:
        several = f", in spaces of {listed(self.spaces)} columns" if self.spaces else ""
        return super().prose + several

    @property
    def columns(self) -> int | None:
        return sum(self.spaces) if self.spaces else None

    def working_memory(self, n: int, d: int) -> int:
        """Return the bytes of memory for all repeats that run at the same time.

        Each step needs a batch of points with its logits and labels. The end of a repeat needs the labels, logits and
        gradients of all points. The larger of the two counts.
        """
        k, batch = max(self.k) * len(self.spaces or [d]), min(n, self.batch_size)
        return self.threads(n, d) * 4 * max(batch * (d + 12 * k), n * 5 * k)

    def seconds(self, n: int, d: int) -> float:
        """Return the estimated seconds on a slow core.

        The estimate counts the matrix products in all steps of each k, and half a millisecond for each step.
        """
        products = 6 * min(n, self.batch_size) * d * sum(self.k)
        return self.repeats * self.steps * (self.inner_steps + 1) * (products / FLOPS + 5e-4 * len(self.k))
