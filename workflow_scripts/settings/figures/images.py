"""The settings of figures of the images and of their files."""

from typing import Literal

from pydantic import Field

from workflow_scripts.grid.axes import axes_of
from workflow_scripts.settings.base import UserPath
from workflow_scripts.settings.figures.base import COLUMN, Figure, Width


class Samples(Figure):
    """Some images of each class after preprocessing."""

    sources = ("manifest",)
    of_cells = "one"
    shows_images = True
    kind: Literal["samples"] = "samples"
    per_class: int = Field(4, ge=1, le=20)
    images: list[str] = Field([], max_length=60)
    """Paths or ids, as in the manifest, of the images that are shown; an empty list takes some of each class."""


class Formats(Figure):
    """A table with the number of files of each format, both taken in and rejected."""

    sources = ("formats",)
    of_cells = "one"
    kind: Literal["formats"] = "formats"
    width: Width = COLUMN


class ScaleTable(Figure):
    """The number of images of each class for each length of the scale bar; needs `intake: {scale_bars: true}`."""

    sources = ("manifest",)
    of_cells = "one"
    shows_scales = True
    kind: Literal["scale_table"] = "scale_table"


class ClassDistribution(Figure):
    """The number of images of each class."""

    sources = ("manifest",)
    of_cells = "one"
    kind: Literal["class_distribution"] = "class_distribution"
    width: Width = COLUMN


class LabelSets(Figure):
    """Several sets of labels side by side: their sizes, how many of their images are in the data set, and how well each
    pair of sets agrees."""

    sources = ("manifest", "sets")
    of_cells = "one"
    kind: Literal["label_sets"] = "label_sets"
    sets: dict[str, UserPath] = Field(min_length=1, max_length=6)
    """For each set, by name, its labels: a folder with a folder of images for each class (images are matched by
    content), a CSV with the columns `sha256` and `label`, or a CSV of labels as in `intake.labels.file`."""
    level: int = -1
    """For sets that are folders: which folder of the relative path is the label, as in `intake.labels`."""

    @property
    def label_sets(self) -> dict[str, str]:
        return self.sets


class Preprocessing(Figure):
    """Images of some classes after each preprocessing of the study, with histograms of their intensities."""

    sources = ("manifest", "preprocessed")
    of_cells = axes_of("preprocessed")
    shows_images = True
    kind: Literal["preprocessing"] = "preprocessing"
    classes: int = Field(2, ge=1, le=6)
    images: list[str] = Field([], max_length=6)
    """Paths or ids, as in the manifest, of the images that are shown; an empty list takes one of each class."""
