"""What a job needs, from the sizes that the configuration says: bytes of each store, memory, threads, minutes.

Rules import this module, so it imports nothing heavy. The methods' own needs are those of their settings models. Memory
grows with the attempt, for schedulers that kill a job.
"""

import csv
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from math import ceil, prod
from pathlib import Path
from typing import Any

from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.axes import AXES, FEATURES_THEMSELVES
from workflow_scripts.grid.cells import Cell, split_layer
from workflow_scripts.grid.expand import Grid
from workflow_scripts.intake.listing import scan
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.configuration import Settings
from workflow_scripts.settings.costs import DISTANCES_AT_ONCE, FLOAT, FLOPS, PAIRS_COPIES
from workflow_scripts.settings.decompositions import Decomposition, Pca

BASE_MB = 400
"""Python with the libraries of most jobs, and on a cluster the Snakemake that runs the job."""
TORCH_MB = 400
"""PyTorch beside them."""
STREAM_MB = 2000
"""A job that streams images, with the largest ones under way."""
EMBEDDED_IMAGES = 400
LABEL_COPIES = 40
"""Bytes of a label of a cell in a consensus, of all cells at once: 1.1 GB were measured of 30 million."""
BASE_MINUTES = 5
"""Of a job with nothing to do, on a slow file system. Many such jobs are one on a cluster, and then it counts."""


def intake_mb(wildcards: Any, attempt: int) -> int:
    """Return the memory of a job that reads images, MB."""
    return STREAM_MB * attempt


def preprocess_mb(wildcards: Any, attempt: int) -> int:
    """Return the memory of a preprocessing, MB."""
    return STREAM_MB * attempt


def finetune_mb(wildcards: Any, attempt: int) -> int:
    """Return the memory of a fine-tuning, MB."""
    return 4 * STREAM_MB * attempt


def _minutes(seconds: float) -> int:
    return BASE_MINUTES + round(seconds / 60)


def _megabytes(n_bytes: float, attempt: int, base: int = BASE_MB) -> int:
    return (base + ceil(n_bytes / 1e6)) * attempt


def csv_rows(path: str) -> int:
    """Return the rows below the header; an image's path may hold a line break inside quotes, so lines are not rows."""
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
        """Return the longer side of the images that a network gets, pixels."""
        return self.settings.backbones[backbone].size or max(self.settings.preprocess[preprocess].size)

    def width(self, cell: Cell) -> int:
        """Return the numbers of one image in a layer."""
        return self.settings.backbones[cell.backbone].width(cell.layer, self.side(cell.backbone, cell.preprocess))

    def dimensions(self, cell: Cell) -> int:
        """Return the numbers of one image that are clustered."""
        width = self.width(cell)
        if cell.decomposition == FEATURES_THEMSELVES:
            return width
        stored = self.settings.decompositions[cell.decomposition].n_stored(self.n_images, width)
        return min(cell.n_components or stored, stored)

    def files_of(self, cell: Cell) -> dict[str, int]:
        """Return the bytes of every store that a cell needs, by path."""
        layout, n, width = self.layout, self.n_images, self.width(cell)
        preprocess = self.settings.preprocess[cell.preprocess]
        clusterer = self.settings.clusterers[cell.clusterer]
        files = {
            layout.of(layout.preprocessed, cell): n * prod(preprocess.size) * preprocess.channels,
            layout.of(layout.features, cell): 4 * n * width,
            layout.of(layout.clusters, cell): clusterer.stored_bytes(n, self.dimensions(cell)),
        }
        if cell.decomposition != FEATURES_THEMSELVES:
            decomposition = self.settings.decompositions[cell.decomposition]
            files[layout.of(layout.decomposed, cell)] = decomposition.stored_bytes(n, width)
        return files

    # ------------------------------------------------------------------------------------------------------- features

    def runtime_per_image(self, seconds: float) -> Callable[[Any, int], int]:
        """Return a function that estimates a job's minutes, at `seconds` an image on a slow core."""

        def minutes(wildcards: Any, attempt: int) -> int:
            return ceil(10 + self.n_images * seconds / 60) * attempt

        return minutes

    def features_mb(self, backbone: str) -> Callable[[Any, int], int]:
        """Return a function for the memory of a network, MB: weights, and activations of the batches under way, as
        large as VGG16's."""
        batch_size = self.settings.backbones[backbone].batch_size or 16

        def megabytes(wildcards: Any, attempt: int) -> int:
            activations = batch_size * (self.side(backbone, wildcards.preprocess) / 224) ** 2 * 60
            return int(STREAM_MB + activations * 2) * attempt

        return megabytes

    # ----------------------------------------------------------------------------------------- reduction and clustering

    def decompose_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory of a decomposition, MB."""
        decomposition = self._decomposition(wildcards)
        needed = decomposition.memory(self.n_images, self.width(self._layer(wildcards)))
        return _megabytes(needed, attempt, _base_mb(decomposition))

    def decompose_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a decomposition on a slow core."""
        seconds = self._decomposition(wildcards).seconds(self.n_images, self.width(self._layer(wildcards)))
        return ceil(10 + seconds / 60) * attempt

    def cluster_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory of a clustering, MB."""
        clusterer = self._clusterer(wildcards)
        return _megabytes(clusterer.memory(self.n_images, self._points_of(wildcards)), attempt, _base_mb(clusterer))

    def cluster_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a clustering on a slow core."""
        return _minutes(self._clusterer(wildcards).seconds(self.n_images, self._points_of(wildcards))) * attempt

    def cluster_threads(self, wildcards: Any) -> int:
        """Return the threads of a clustering."""
        return self._clusterer(wildcards).threads

    # --------------------------------------------------------------------------------------------------------- scores

    def score_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory of a job that scores clusterings, MB: the points, and distances in blocks."""
        n, d = self.n_images, self._points_of(wildcards)
        return _megabytes(4 * FLOAT * n * d + min(PAIRS_COPIES * FLOAT * n**2, DISTANCES_AT_ONCE), attempt)

    def score_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a job that scores clusterings: ten times the distances of all pairs."""
        return _minutes(2 * self._points_of(wildcards) * 10 * self.n_images**2 / FLOPS) * attempt

    def validate_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory of a cross-validation, MB: that of a PCA or of a clustering."""
        pca = Pca().memory(self.n_images, self.width(self._layer(wildcards)))
        return max(_megabytes(pca, attempt), self.cluster_mb(wildcards, attempt))

    def validate_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a cross-validation: for each fold a PCA (its matrix, and what an eigendecomposition
        takes) and the clustering."""
        folds = self.settings.cross_validations[wildcards.cross_validation].folds
        n, width = self.n_images, self.width(self._layer(wildcards))
        side = min(n, width)
        pca = (2 * side * n * width + 10 * side**3) / FLOPS
        return _minutes(folds * (pca + self._clusterer(wildcards).seconds(n, self._points_of(wildcards)))) * attempt

    # ------------------------------------------------------------------------------------------- figures, pages, models

    def computed_table_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory of a table that computes, MB: that of the largest of the figure's cells."""
        figure = self.settings.studies[wildcards.study].figures[wildcards.figure]
        cells = self.grid.figures[wildcards.study][wildcards.figure]
        n = self.n_images
        return _megabytes(max(figure.memory(n, self.width(cell), self.dimensions(cell)) for cell in cells), attempt)

    def page_mb(self, kind: str) -> Callable[[Any, int], int]:
        """Return a function for the memory of a page of a study, MB: that of the largest of its cells."""

        def megabytes(wildcards: Any, attempt: int) -> int:
            page = self.settings.studies[wildcards.study].pages[kind]
            cells = self.grid.pages[wildcards.study][kind]
            return _megabytes(max(page.memory(self.n_images, self.dimensions(cell)) for cell in cells), attempt)

        return megabytes

    def consensus_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory of a study's consensus, MB: the labels of all cells, and of few images all pairs."""
        n, cells = self.n_images, len(self.grid.agreeing(wildcards.study))
        return _megabytes(LABEL_COPIES * n * cells + min(PAIRS_COPIES * FLOAT * n**2, DISTANCES_AT_ONCE), attempt)

    def model_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory of the job that makes a model, MB: the PCA once more; features in blocks, their means."""
        cell = self.grid.modelled(wildcards.study)
        assert cell
        return _megabytes(Pca().memory(self.n_images, self.width(cell)), attempt, BASE_MB + TORCH_MB + 1000)

    def predict_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory of a prediction, MB: the largest network with the images under way, and the axes."""
        cells: list[Any] = [cell for study in self.settings.studies if (cell := self.grid.modelled(study))]
        needed = (
            self.features_mb(cell.backbone)(cell, attempt)
            + ceil(Pca().memory(self.n_images, self.width(cell)) / 1e6) * attempt
            for cell in cells
        )
        return max(needed, default=BASE_MB)

    # ----------------------------------------------------------------------------------------- what wildcards stand for

    def _clusterer(self, wildcards: Any) -> Clusterer:
        return self.settings.clusterers[wildcards.clusterer]

    def _decomposition(self, wildcards: Any) -> Decomposition:
        return self.settings.decompositions[wildcards.decomposition]

    def _points_of(self, wildcards: Any) -> int:
        """Return the numbers of an image that are clustered."""
        layer = self._layer(wildcards)
        reduction = self.grid.reducers[wildcards.reducer]
        return self.dimensions(
            replace(reduction, preprocess=layer.preprocess, backbone=layer.backbone, layer=layer.layer)
        )

    def _layer(self, wildcards: Any) -> Cell:
        """Return some cell of the layer."""
        layer, _ = split_layer(wildcards.layer)
        known = {"preprocess": wildcards.preprocess, "backbone": wildcards.backbone, "layer": layer}
        return Cell(**{**{name: axis.default for name, axis in AXES.items()}, **known})


def _base_mb(method: Clusterer | Decomposition) -> int:
    return BASE_MB + (TORCH_MB if method.takes_torch else 0)
