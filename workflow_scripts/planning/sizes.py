"""Estimate the memory, time and threads of each job, and the bytes of each store.

The classes of the settings estimate what their methods need. This module gives them the sizes of the data, and adds
what every job needs. Schedulers kill jobs that exceed the estimates; the next attempt then asks for a multiple. Rules
import this module, so it imports nothing heavy.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import Cell, split_layer
from workflow_scripts.grid.wildcards import k_from_path
from workflow_scripts.io.memory import (
    BASE_MB,
    LARGEST_IMAGE,
    PREPROCESSING_BYTES,
    READING_BYTES,
    counted_pixels,
    images_bytes,
)
from workflow_scripts.planning.data_sizes import DataSizes, largest_image
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.costs import (
    DISTANCES_AT_ONCE,
    FLOAT,
    FLOPS,
    LABEL_COPIES,
    LINKED_IMAGES,
    PAIRS_COPIES,
    PARTITION_SECONDS,
    SILHOUETTE_POINTS,
    SILHOUETTE_SECONDS,
    partitions_bytes,
)
from workflow_scripts.settings.decompositions import Decomposition
from workflow_scripts.settings.decompositions.components import Pca

TORCH_MB = 400
"""Additional memory (MB) of a job that imports PyTorch."""
STREAM_MB = 2000
"""Memory (MB) of a job that reads preprocessed images in blocks."""
IMAGE_THREADS = 8
"""Largest number of threads of a job that reads or preprocesses images."""
PERTURBED_VERSIONS = 19
"""The number of versions of an image: those of `preprocess.perturbations.VERSIONS`, and the image itself."""
BASE_MINUTES = 5
"""Minutes of a job that computes nothing, on a slow file system. If a cluster job runs many jobs, they add up."""


def _minutes(seconds: float) -> int:
    return BASE_MINUTES + round(seconds / 60)


def _megabytes(n_bytes: float, attempt: int, base: int = BASE_MB) -> int:
    return (base + ceil(n_bytes / 1e6)) * attempt


def _pixels(image: Mapping[str, Any]) -> int:
    return int(image["width"]) * int(image["height"])


def _pixels_of_page(part: Mapping[str, Any]) -> int:
    """Return a lower bound of a page's size, in the pixels that `memory.counted_pixels` counts.

    `part` is a row of `regions.csv`, which describes one of the page's parts. The lower bound is the size of the
    rectangle from the page's upper left corner to the lower right corner of `part`. For the last part the rectangle is
    the whole page.
    """
    right, bottom = (int(part[at]) + int(part[side]) for at, side in (("x", "width"), ("y", "height")))
    return counted_pixels({"width": right, "height": bottom, "mode": part["mode"]})


class Sizes(DataSizes):
    """Estimates for the jobs of a configuration on its data set.

    Rules use the methods as Snakemake's resource functions, with the arguments `wildcards` and `attempt` (from 1).
    Times are those on a slow core.
    """

    # -------------------------------------------------------------------------------------------------------- images

    def reading_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a job that reads raw images of the largest allowed size."""
        return _megabytes(images_bytes(IMAGE_THREADS, self.settings.intake.max_pixels), attempt)

    def reading_again_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a job that reads the images that intake found; the largest image decides it."""
        needed = images_bytes(IMAGE_THREADS, self._largest_file)
        return max(STREAM_MB * attempt, _megabytes(needed, attempt))

    def preprocess_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a job that preprocesses the images of the data set; the largest image decides it.

        If images are cut out of files, one page of a file is in memory too. Before intake has measured the images, the
        largest allowed size is taken.
        """
        largest = largest_image(self.table_of_images, _pixels)
        if largest is None:
            return self._preprocess_mb(attempt)
        needed = images_bytes(IMAGE_THREADS, largest, PREPROCESSING_BYTES)
        needed += READING_BYTES * self._largest_file if self.settings.intake.cuts else 0
        return max(STREAM_MB * attempt, _megabytes(needed, attempt))

    def _preprocess_mb(self, attempt: int) -> int:
        """Return the memory (MB) of a job that preprocesses images of the largest allowed size."""
        largest = min(self.settings.intake.max_pixels, LARGEST_IMAGE)
        return _megabytes(images_bytes(IMAGE_THREADS, largest, PREPROCESSING_BYTES), attempt)

    @property
    def _largest_file(self) -> int:
        """Return the size of the largest page, as the number of 8-bit pixels that take as much memory to read.

        `max_pixels` is returned until intake has measured the files (and with `pages: all`, their pages).
        """
        largest = [largest_image(self.layout.images, counted_pixels)]
        if self.settings.intake.pages == "all":
            largest.append(largest_image(self.layout.regions, _pixels_of_page))
        return max(pixels or self.settings.intake.max_pixels for pixels in largest)

    # ------------------------------------------------------------------------------------------------------- features

    def runtime_per_image(self, seconds: float) -> Callable[[Any, int], int]:
        """Return the resource function for the minutes of a job that takes `seconds` for each image."""

        def minutes(wildcards: Any, attempt: int) -> int:
            return ceil(10 + self.n_images * seconds / 60) * attempt

        return minutes

    @staticmethod
    def stream_mb(wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a job that reads preprocessed images or features in blocks."""
        return STREAM_MB * attempt

    @staticmethod
    def finetune_mb(wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a fine-tuning job."""
        return 4 * STREAM_MB * attempt

    def features_mb(self, backbone: str) -> Callable[[Any, int], int]:
        """Return the resource function for the memory (MB) of a job that computes features with a backbone's network.

        It counts the weights, and the activations of a batch of images. Both are assumed to be as large as in VGG16.
        """
        batch_size = self.settings.backbones[backbone].batch_size or 16

        def megabytes(wildcards: Any, attempt: int) -> int:
            activations = batch_size * (self.side(backbone, wildcards.preprocess) / 224) ** 2 * 60
            return int(STREAM_MB + activations * 2) * attempt

        return megabytes

    def _networks_mb(self, cell: Any, attempt: int) -> int:
        """Return the memory (MB) of all networks that compute a cell's features."""
        return sum(self.features_mb(part.backbone)(part, attempt) for part in self.grid.parts_of(cell))

    # ----------------------------------------------------------------------------------------- reduction and clustering

    def decompose_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a job that decomposes features."""
        decomposition = self._decomposition(wildcards)
        needed = decomposition.memory(self.n_images, self.width(self._layer(wildcards)))
        return _megabytes(needed, attempt, _base_mb(decomposition))

    def decompose_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a job that decomposes features."""
        seconds = self._decomposition(wildcards).seconds(self.n_images, self.width(self._layer(wildcards)))
        return ceil(10 + seconds / 60) * attempt

    def cluster_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a clustering job."""
        clusterer = self._clusterer(wildcards)
        return _megabytes(clusterer.memory(self.n_images, self._points_of(wildcards)), attempt, _base_mb(clusterer))

    def cluster_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a clustering job."""
        return _minutes(self._clusterer(wildcards).seconds(self.n_images, self._points_of(wildcards))) * attempt

    def cluster_threads(self, wildcards: Any) -> int:
        """Return the number of threads of a clustering job."""
        return self._clusterer(wildcards).threads(self.n_images, self._points_of(wildcards))

    # --------------------------------------------------------------------------------------------------------- scores

    def score_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a job that scores clusterings; it holds the points, and blocks of distances."""
        n, d = self.n_images, self._points_of(wildcards)
        return _megabytes(4 * FLOAT * n * d + min(PAIRS_COPIES * FLOAT * n**2, DISTANCES_AT_ONCE), attempt)

    def score_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a job that scores clusterings: three times the minutes of the silhouettes."""
        clusterer, n = self._clusterer(wildcards), self.n_images
        clusterings = max(len(clusterer.ks), 1) * clusterer.n_repeats
        samples = clusterings if n > SILHOUETTE_POINTS else 1
        distances = samples * (SILHOUETTE_SECONDS + 2 * self._points_of(wildcards) / FLOPS)
        each_pair = distances + clusterings * PARTITION_SECONDS
        return _minutes(3 * min(n, SILHOUETTE_POINTS) ** 2 * each_pair) * attempt

    def validate_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a cross-validation: that of its PCA or of its clustering, whichever is larger."""
        pca = Pca().memory(self.n_images, self.width(self._layer(wildcards)))
        return max(_megabytes(pca, attempt), self.cluster_mb(wildcards, attempt))

    def validate_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a cross-validation: those of a PCA and of a clustering for each fold."""
        folds = self.settings.cross_validations[wildcards.cross_validation].folds
        n, width = self.n_images, self.width(self._layer(wildcards))
        side = min(n, width)
        pca = (2 * side * n * width + 10 * side**3) / FLOPS
        return _minutes(folds * (pca + self._clusterer(wildcards).seconds(n, self._points_of(wildcards)))) * attempt

    # ------------------------------------------------------------------------------------------- figures, pages, models

    def computed_table_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of the job that computes a figure's table; the figure's largest cell decides it."""
        figure = self.settings.studies[wildcards.study].figures[wildcards.figure]
        cells = self.grid.figures[wildcards.study][wildcards.figure]
        n = self.n_images
        stored = [self.settings.clusterers[cell.clusterer].n_stored for cell in cells]
        needed = (figure.memory(n, self.width(cell), self.dimensions(cell), stored) for cell in cells)
        return _megabytes(max(needed), attempt)

    def page_mb(self, kind: str) -> Callable[[Any, int], int]:
        """Return the resource function for the memory (MB) of a study's page; the page's largest cell decides it."""

        def megabytes(wildcards: Any, attempt: int) -> int:
            page = self.settings.studies[wildcards.study].pages[kind]
            cells = self.grid.pages[wildcards.study][kind]
            return _megabytes(max(page.memory(self.n_images, self.dimensions(cell)) for cell in cells), attempt)

        return megabytes

    def agreement_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of the job that compares all pairs of cells; it holds the partitions of all cells."""
        cells = self.grid.compared(wildcards.study, k_from_path(wildcards.at_k))
        stored = [self.settings.clusterers[cell.clusterer].n_stored for cell in cells]
        return _megabytes(partitions_bytes(self.n_images, stored), attempt)

    def consensus_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of the job that makes a study's consensus.

        The job holds the partitions, and a number for every pair of images; it compares at most `LINKED_IMAGES` images.
        """
        n, cells = self.n_images, len(self.grid.agreeing(wildcards.study))
        pairs = PAIRS_COPIES * FLOAT * min(n, LINKED_IMAGES) ** 2
        return _megabytes(LABEL_COPIES * n * cells + pairs, attempt)

    def model_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of the job that makes a model: that of a PCA, and 1 GB for blocks of features."""
        cell = self.grid.modelled(wildcards.study)
        assert cell
        return self._model_mb(cell, attempt)

    def _model_mb(self, cell: Cell, attempt: int) -> int:
        return _megabytes(Pca().memory(self.n_images, self.width(cell)), attempt, BASE_MB + TORCH_MB + 1000)

    def perturb_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a job that perturbs images; it holds raw images, the PCA and the networks."""
        cells = self._perturbed_cells(wildcards)
        of_models = (self._model_mb(cell, attempt) + self._networks_mb(cell, attempt) for cell in cells)
        return max(of_models) + self.preprocess_mb(wildcards, attempt)

    def perturb_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the minutes of a job that perturbs images.

        The job makes all perturbed versions of each image that is chosen at random.
        """
        figure = self.settings.studies[wildcards.study].figures[wildcards.figure]
        n_views = max(self.settings.backbones[cell.backbone].n_views for cell in self._perturbed_cells(wildcards))
        return _minutes(figure.n_perturbed * PERTURBED_VERSIONS * (0.1 + n_views)) * attempt

    def _perturbed_cells(self, wildcards: Any) -> list[Cell]:
        figure = self.settings.studies[wildcards.study].figures[wildcards.figure]
        shown = self.grid.figures[wildcards.study][wildcards.figure][0]
        return self.grid.perturbable(wildcards.study, figure, shown)

    def predict_mb(self, wildcards: Any, attempt: int) -> int:
        """Return the memory (MB) of a job that predicts the clusters of new images.

        The job holds raw images, and the networks and the PCA of one model; the largest model counts.
        """
        cells: list[Any] = [cell for study in self.settings.studies if (cell := self.grid.modelled(study))]
        needed = (
            self._networks_mb(cell, attempt) + ceil(Pca().memory(self.n_images, self.width(cell)) / 1e6) * attempt
            for cell in cells
        )
        return max(needed, default=BASE_MB) + self._preprocess_mb(attempt)

    # ---------------------------------------------------------------------------------- settings and sizes by wildcards

    def _clusterer(self, wildcards: Any) -> Clusterer:
        return self.settings.clusterers[wildcards.clusterer]

    def _decomposition(self, wildcards: Any) -> Decomposition:
        return self.settings.decompositions[wildcards.decomposition]

    def _points_of(self, wildcards: Any) -> int:
        """Return the number of dimensions of the points that a job clusters."""
        layer = self._layer(wildcards)
        reduction = self.grid.reducers[wildcards.reducer]
        return self.dimensions(
            replace(reduction, preprocess=layer.preprocess, backbone=layer.backbone, layer=layer.layer)
        )

    def _layer(self, wildcards: Any) -> Cell:
        """Return a cell with the preprocessing, backbone and layer of the wildcards, and the defaults of other axes."""
        layer, _ = split_layer(wildcards.layer)
        known = {"preprocess": wildcards.preprocess, "backbone": wildcards.backbone, "layer": layer}
        return Cell(**{**{name: axis.default for name, axis in AXES.items()}, **known})


def _base_mb(method: Clusterer | Decomposition) -> int:
    return BASE_MB + (TORCH_MB if method.takes_torch else 0)
