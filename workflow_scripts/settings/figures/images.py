"""The settings of figures of the images and of their files."""

from typing import Literal

from pydantic import Field

from workflow_scripts.grid.axes import axes_of
from workflow_scripts.settings.figures.base import Figure


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
    """A table of the numbers of files of each format that were taken in or rejected."""

    sources = ("formats",)
    of_cells = "one"
    kind: Literal["formats"] = "formats"
    width: float = Field(85, gt=20, le=500)


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
    width: float = Field(85, gt=20, le=500)


class Preprocessing(Figure):
    """One image of each of `classes` classes and its histogram, after each preprocessing of the study."""

    sources = ("manifest", "preprocessed")
    of_cells = axes_of("preprocessed")
    shows_images = True
    kind: Literal["preprocessing"] = "preprocessing"
    classes: int = Field(2, ge=1, le=6)
    images: list[str] = Field([], max_length=6)
    """Paths or ids, as in the manifest, of the images that are shown; an empty list takes one of each class."""
