"""Estimate numbers of images, of features and of bytes before they are known.

Rules import this module, so it imports nothing heavy.
"""

import csv
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from math import prod
from pathlib import Path
from typing import Any

from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.axes import FEATURES_THEMSELVES
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.expand import Grid
from workflow_scripts.intake.listing import scan
from workflow_scripts.settings.configuration import Settings

EMBEDDED_IMAGES = 400
"""Number of images in the embedded data set."""


def csv_rows(path: str) -> int:
    """Return the number of rows of a CSV file, without the header. A quoted value may contain line breaks."""
    with open(path, newline="") as stream:
        return sum(1 for _ in csv.reader(stream)) - 1


def largest_image(table: str, pixels_of: Callable[[Mapping[str, Any]], int]) -> int | None:
    """Return the number of pixels of the largest image in a table, or None if the table does not exist yet.

    `table` is the path of `images.csv` or `regions.csv`, and `pixels_of` returns the number of pixels of a row. If the
    result is None, Snakemake computes the resources of the job again when the job's input exists.
    """
    path = Path(table)
    return _largest_image(table, pixels_of, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache
def _largest_image(table: str, pixels_of: Callable[[Mapping[str, Any]], int], mtime_ns: int) -> int:
    with open(table, newline="") as stream:
        return max(map(pixels_of, csv.DictReader(stream)))


class DataSizes:
    """The sizes of the data set of a configuration, and of the stores that the cells of its grid need."""

    def __init__(self, settings: Settings, layout: Layout, grid: Grid) -> None:
        self.settings = settings
        self.layout = layout
        self.grid = grid

    @cached_property
    def n_images(self) -> int:
        """Return the number of images: the rows of the table of images or, before intake, the expected number."""
        return csv_rows(self.table_of_images) if Path(self.table_of_images).is_file() else self.n_images_expected

    @property
    def table_of_images(self) -> str:
        """Return the path of the table from intake that has one row for each image."""
        return self.layout.regions if self.settings.intake.cuts else self.layout.images

    @cached_property
    def n_images_expected(self) -> int:
        """Return an estimate of the number of images that intake makes from the files of the data set."""
        intake = self.settings.intake
        if self.settings.data == "embedded":
            return EMBEDDED_IMAGES
        return sum(intake.expected(entry.size) for entry in scan(self.settings.data, intake.include, intake.exclude))

    def side(self, backbone: str, preprocess: str) -> int:
        """Return the longer side, in pixels, of the images that the network of a backbone gets."""
        return self.settings.backbones[backbone].size or max(self.settings.preprocess[preprocess].size)

    def width(self, cell: Cell) -> int:
        """Return the number of features of the cell's layer for one image."""
        return self.settings.backbones[cell.backbone].width(cell.layer, self.side(cell.backbone, cell.preprocess))

    def dimensions(self, cell: Cell) -> int:
        """Return the number of dimensions of the points that the cell clusters."""
        width = self.width(cell)
        if cell.decomposition == FEATURES_THEMSELVES:
            return width
        stored = self.settings.decompositions[cell.decomposition].n_stored(self.n_images, width)
        return min(cell.n_components or stored, stored)

    def files_of(self, cell: Cell) -> dict[str, int]:
        """Return the expected bytes of every store that a cell needs, by path."""
        layout, n, width = self.layout, self.n_images, self.width(cell)
        preprocess = self.settings.preprocess[cell.preprocess]
        clusterer = self.settings.clusterers[cell.clusterer]
        shards = self.settings.backbones[cell.backbone].shards_of(cell.layer)
        files = {layout.of(layout.shards, cell, shard=shard): 4 * n * width // len(shards) for shard in shards}
        files |= {
            layout.of(layout.preprocessed, cell): n * prod(preprocess.size) * preprocess.channels,
            layout.of(layout.features, cell): 4 * n * width,
            layout.of(layout.clusters, cell): clusterer.stored_bytes(n, self.dimensions(cell)),
        }
        if cell.decomposition != FEATURES_THEMSELVES:
            decomposition = self.settings.decompositions[cell.decomposition]
            files[layout.of(layout.decomposed, cell)] = decomposition.stored_bytes(n, width)
        return files
