"""What a job needs, from the sizes that the configuration tells: bytes of each store, memory, threads, minutes.

Rules import this module, so it imports nothing heavy. Memory grows with the attempt, for schedulers that kill a job.
"""

import csv
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from math import ceil, prod
from pathlib import Path
from typing import Any

from workflow_scripts.grid import EVERYTHING, FEATURES_THEMSELVES, Cell, Grid, Layout
from workflow_scripts.intake.listing import scan
from workflow_scripts.settings import (
    AffinityPropagation,
    Autoencoder,
    Dec,
    KMeans,
    Linkage,
    MiniBatchKMeans,
    Settings,
    Tsne,
)

BASE_MB = 1000
"""Python with its libraries and the buffers of a job that streams."""
EMBEDDED_IMAGES = 400
UNKNOWN_WIDTH = 2048
"""Taken for points whose number of columns is not asked for."""
EXACT_SIDE = 8192
"""`reduce.pca.MAX_EXACT`: the largest side of a matrix that PCA decomposes exactly."""
THREADED_RESTARTS = 2000
"""Restarts below which a second thread costs more than it saves."""
CLUSTER_THREADS = 8
BASE_MINUTES = 5
"""Of a job with nothing to do, on a slow file system. Many such jobs are one on a cluster, and then it counts."""
ROUNDS = 50
"""Of k-means until nothing changes, on average."""
FLOP_PER_WEIGHT, FLOPS = 12, 5e9
"""Operations of training for an image and a weight of the encoder (two, in both halves, forward and back), a second."""


def intake_mb(wildcards: Any, attempt: int) -> int:
    return 2 * BASE_MB * attempt


def preprocess_mb(wildcards: Any, attempt: int) -> int:
    return 2 * BASE_MB * attempt


def finetune_mb(wildcards: Any, attempt: int) -> int:
    return 8 * BASE_MB * attempt


def _minutes(seconds: float) -> int:
    return BASE_MINUTES + round(seconds / 60)


def csv_rows(path: str) -> int:
    """Rows below the header; a picture's path may hold a line break inside quotes, so lines are not rows."""
    with open(path, newline="") as stream:
        return sum(1 for _ in csv.reader(stream)) - 1


class Sizes:
    """Bytes, megabytes and minutes of a configuration's jobs on its data."""

    def __init__(self, settings: Settings, layout: Layout, grid: Grid) -> None:
        self.settings = settings
        self.layout = layout
        self.grid = grid

    @cached_property
    def n_images(self) -> int:
        """The rows of images.csv where there is one, else the files that may become them."""
        if Path(self.layout.images).is_file():
            return csv_rows(self.layout.images)
        if self.settings.data == "embedded":
            return EMBEDDED_IMAGES
        return len(scan(self.settings.data, self.settings.intake.include, self.settings.intake.exclude))

    def side(self, backbone: str, preprocess: str) -> int:
        """The longer side of the images that a network gets, pixels."""
        return self.settings.backbones[backbone].size or max(self.settings.preprocess[preprocess].size)

    def width(self, cell: Cell) -> int:
        """Numbers of one image in a layer."""
        return self.settings.backbones[cell.backbone].width(cell.layer, self.side(cell.backbone, cell.preprocess))

    def components(self, cell: Cell) -> int:
        """Components that a cell's decomposition holds."""
        decomposition = self.settings.decompositions[cell.decomposition]
        if isinstance(decomposition, Tsne):
            return 2
        if isinstance(decomposition, Autoencoder):
            return decomposition.widths[-1]
        return min(self.n_images, self.width(cell), decomposition.max_components or self.n_images)

    def dimensions(self, cell: Cell) -> int:
        """Numbers of one image that are clustered."""
        if cell.decomposition == FEATURES_THEMSELVES:
            return self.width(cell)
        components = self.components(cell)
        return min(cell.n_components or components, components)

    def files_of(self, cell: Cell) -> dict[str, int]:
        """Bytes of every store that a cell needs, by path."""
        layout, n = self.layout, self.n_images
        preprocess = self.settings.preprocess[cell.preprocess]
        files = {
            layout.of(layout.preprocessed, cell): n * prod(preprocess.size) * preprocess.channels,
            layout.of(layout.features, cell): 4 * n * self.width(cell),
            layout.of(layout.clusters, cell): self._cluster_bytes(cell),
        }
        if cell.decomposition != FEATURES_THEMSELVES:
            files[layout.of(layout.decomposed, cell)] = 8 * n * self.components(cell)
        return files

    def _cluster_bytes(self, cell: Cell) -> int:
        clusterer = self.settings.clusterers[cell.clusterer]
        repeats, ks = getattr(clusterer, "repeats", 1), getattr(clusterer, "k", [1])
        kept = repeats * (getattr(clusterer, "n_init", 1) if getattr(clusterer, "keep", "best") == "all" else 1)
        rows = sum(self.n_images * (1 if k <= 256 else 2) + 40 for k in ks)
        centers = sum(ks) if isinstance(clusterer, KMeans | MiniBatchKMeans) else 0
        return kept * rows + 8 * repeats * centers * self.dimensions(cell)

    def restarts(self, clusterer: str) -> int:
        """Restarts of all k and repeats of one clustering job; 1 of a method that has none."""
        its = self.settings.clusterers[clusterer]
        return len(getattr(its, "k", [1])) * getattr(its, "repeats", 1) * getattr(its, "n_init", 1)

    def runtime_per_image(self, seconds: float) -> Callable[[Any, int], int]:
        """Minutes for a job that takes `seconds` for an image on a slow core."""

        def minutes(wildcards: Any, attempt: int) -> int:
            return ceil(10 + self.n_images * seconds / 60) * attempt

        return minutes

    def features_mb(self, backbone: str) -> Callable[[Any, int], int]:
        """A network, its weights and the activations of the batches under way, as large as VGG16's."""
        batch_size = self.settings.backbones[backbone].batch_size or 16

        def megabytes(wildcards: Any, attempt: int) -> int:
            activations = batch_size * (self.side(backbone, wildcards.preprocess) / 224) ** 2 * 60
            return int(2 * BASE_MB + activations * 2) * attempt

        return megabytes

    def decompose_mb(self, wildcards: Any, attempt: int) -> int:
        """What PCA takes; an autoencoder also has all features, at first in double precision and centred, and weights,
        their best values, gradients and what Adam keeps of them.
        """
        its = self.settings.decompositions[wildcards.decomposition]
        trained = 0
        if isinstance(its, Autoencoder):
            trained = 24 * self.n_images * self.width(self._some_cell(wildcards)) + 48 * self._weights(wildcards, its)
        return (BASE_MB + self._pca_mb(wildcards, getattr(its, "max_components", None)) + ceil(trained / 1e6)) * attempt

    def _weights(self, wildcards: Any, autoencoder: Autoencoder) -> int:
        """Weights of the encoder; the decoder has as many at most."""
        return sum(prod(pair) for pair in pairwise((self.width(self._some_cell(wildcards)), *autoencoder.widths)))

    def _pca_mb(self, wildcards: Any, max_components: int | None = None) -> int:
        """The matrix that PCA decomposes, its eigenvectors and a copy; the axes and their sums under way."""
        width = self.width(self._some_cell(wildcards))
        side = min(self.n_images, width)
        if side > EXACT_SIDE:
            side = min(side, max_components or EXACT_SIDE)
        return ceil(24 * side * (side + width) / 1e6)

    def model_mb(self, wildcards: Any, attempt: int) -> int:
        """The PCA once more; the features of a block, and their means."""
        return (2 * BASE_MB + self._pca_mb(self.grid.modelled(wildcards.study))) * attempt

    def predict_mb(self, wildcards: Any, attempt: int) -> int:
        """The largest of the models' networks with the images under way, and the models' axes."""
        cells: list[Any] = [cell for study in self.settings.studies if (cell := self.grid.modelled(study))]
        needed = (self.features_mb(cell.backbone)(cell, attempt) + self._pca_mb(cell) * attempt for cell in cells)
        return max(needed, default=BASE_MB)

    def decompose_minutes(self, wildcards: Any, attempt: int) -> int:
        """0.2 s an image; for training, what its products take on a slow core."""
        its = self.settings.decompositions[wildcards.decomposition]
        trained = 0.0
        if isinstance(its, Autoencoder):
            epochs = sum(most for phase in its.phases for most in phase.values())
            trained = epochs * self._weights(wildcards, its) * FLOP_PER_WEIGHT / FLOPS
        return ceil(10 + self.n_images * (0.2 + trained) / 60) * attempt

    def cluster_mb(self, wildcards: Any, attempt: int) -> int:
        """The points in both precisions, and what is kept between all pairs of them: by k-means while they are few."""
        pairs = self.n_images**2
        between = 2000 if self.n_images > 5000 else ceil(12 * pairs / 1e6)
        clusterer = self.settings.clusterers[wildcards.clusterer]
        if isinstance(clusterer, AffinityPropagation):
            between = ceil(40 * pairs / 1e6)
        if isinstance(clusterer, Linkage):  # half of the pairs, twice, unless the linkage does without
            without = clusterer.linkage in ("single", "centroid", "ward") and self.n_images > 20_000
            between = 0 if without else ceil(8 * pairs / 1e6)
        return (BASE_MB + between + self._points_mb(wildcards)) * attempt

    def cluster_minutes(self, wildcards: Any, attempt: int) -> int:
        return _minutes(self._clustering_seconds(wildcards)) * attempt

    def score_minutes(self, wildcards: Any, attempt: int) -> int:
        """The distances of all pairs, for the metrics that need no labels."""
        distances = 10 * self.n_images**2
        return _minutes(self._seconds(distances, wildcards)) * attempt

    def validate_minutes(self, wildcards: Any, attempt: int) -> int:
        """For each fold a PCA (its matrix, and what an eigendecomposition takes) and the clustering."""
        its = self.settings.cross_validations[wildcards.cross_validation]
        width = self.width(self._some_cell(wildcards))
        side = min(self.n_images, width)
        pca = (2 * side * self.n_images * width + 10 * side**3) / FLOPS
        return _minutes(its.folds * (pca + self._clustering_seconds(wildcards))) * attempt

    def _clustering_seconds(self, wildcards: Any) -> float:
        """The distances to all centres in every round of every restart, and those of all pairs, some times."""
        its = self.settings.clusterers[wildcards.clusterer]
        restarts = getattr(its, "repeats", 1) * getattr(its, "n_init", 1)
        centres = ROUNDS * restarts * sum(getattr(its, "k", [1]))
        if isinstance(its, Dec):
            return self._deep_clustering_seconds(its, wildcards)
        return self._seconds(self.n_images * (centres + 10 * self.n_images), wildcards)

    def _deep_clustering_seconds(self, its: Dec, wildcards: Any) -> float:
        """Every weight for every image in every epoch of the pretraining, and of each k."""
        weights = sum(prod(pair) for pair in pairwise((self.width(self._some_cell(wildcards)), *its.widths)))
        epochs = its.pretraining_epochs * (len(its.widths) + 1) + its.max_updates * len(its.k)
        return its.repeats * epochs * self.n_images * weights * FLOP_PER_WEIGHT / FLOPS

    def _seconds(self, distances: float, wildcards: Any) -> float:
        """So many distances between what is clustered, on a slow core."""
        reduction = self.grid.reducers[wildcards.reducer]
        layer = self._some_cell(wildcards)
        cell = replace(reduction, preprocess=layer.preprocess, backbone=layer.backbone, layer=layer.layer)
        return 2 * self.dimensions(cell) * distances / FLOPS

    def validate_mb(self, wildcards: Any, attempt: int) -> int:
        return max((BASE_MB + self._pca_mb(wildcards)) * attempt, self.cluster_mb(wildcards, attempt))

    def score_mb(self, wildcards: Any, attempt: int) -> int:
        """The points, and the distances of the silhouettes, of which a fixed number is held at once."""
        distances = min(24 * self.n_images**2 / 1e6, 800)
        return (BASE_MB + ceil(distances) + self._points_mb(wildcards)) * attempt

    def computed_table_mb(self, wildcards: Any, attempt: int) -> int:
        """The points, a few times, and distances in blocks."""
        return (2 * BASE_MB + ceil(32 * self.n_images * UNKNOWN_WIDTH / 1e6)) * attempt

    def cluster_threads(self, wildcards: Any) -> int:
        """k-means shares out its restarts, deep clustering its repeats."""
        its = self.settings.clusterers[wildcards.clusterer]
        if isinstance(its, Dec):
            return min(its.repeats, CLUSTER_THREADS)
        return CLUSTER_THREADS if self.restarts(wildcards.clusterer) >= THREADED_RESTARTS else 1

    def _points_mb(self, wildcards: Any) -> int:
        """What is clustered, twice in double precision."""
        as_they_are = wildcards.reducer == FEATURES_THEMSELVES
        width = self.width(self._some_cell(wildcards)) if as_they_are else UNKNOWN_WIDTH
        return ceil(16 * self.n_images * width / 1e6)

    def _some_cell(self, wildcards: Any) -> Cell:
        layer = wildcards.layer.partition("@")[0]
        return Cell(wildcards.preprocess, wildcards.backbone, layer, EVERYTHING, "pca", None, False, "")
