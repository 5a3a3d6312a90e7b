"""Studies: a baseline and the axes that vary around it."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from workflow_scripts.settings.base import EVERYTHING, Model, Name
from workflow_scripts.settings.figures import AnyFigure, check_axes
from workflow_scripts.settings.pages import Audit, Gallery


class CrossValidation(Model):
    """Stratified folds; decomposition, clusterer and the clusters' classes are fitted on the training folds only."""

    folds: int = Field(5, ge=2)
    mapping: list[Literal["training", "validation"]] = Field(["training"], min_length=1)
    """Whose labels name the clusters that judge the validation fold; `validation` leaks, as in Cohn & Holm 2020."""


Range = tuple[float, float]


class InClusters(Model):
    """The images in some clusters of a cell, of its best repeat."""

    at: dict[str, Any] = {}
    """Choices of the cell: the configuration's baseline with these."""
    k: int | None = None
    """null is the smallest k of the cell's clusterer."""
    clusters: list[int] = Field(min_length=1)
    """Their numbers, from 0."""

    @model_validator(mode="after")
    def _axes(self) -> "InClusters":
        check_axes("at", self.at)
        return self


class Subset(Model):
    """A part of the images: those that fit everything that is named."""

    label: list[str] | None = Field(None, min_length=1)
    scale_um: Range | None = None
    """Length of the scale bar, from and to, micrometres."""
    nm_per_pixel: Range | None = None
    """From and to."""
    field_um: Range | None = None
    """What the image is wide, from and to, micrometres: known also where metadata give the size of a pixel and no bar
    was read."""
    in_clusters: InClusters | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """What the manifest's columns have to be: one of a list of texts, or between two numbers."""
        return self.dump(exclude={"in_clusters"}, exclude_none=True)


class Choices(Model):
    """One value for each axis."""

    preprocess: str
    backbone: str
    layer: str
    subset: str = EVERYTHING
    decomposition: str = "pca"
    n_components: Annotated[int, Field(ge=1)] | None = None
    """null takes all."""
    whiten: bool = False
    clusterer: str


class Study(Model):
    """A baseline and the axes that vary around it."""

    baseline: dict[str, Any] = {}
    """Choices that differ from the configuration's baseline."""
    vary: dict[str, list[Any]] = {}
    design: Literal["one_at_a_time", "product"] = "one_at_a_time"
    cells: list[dict[str, Any]] = []
    """Further cells: the baseline with these choices."""
    cross_validation: Name | None = None
    """Also scores every cell by this cross-validation."""
    figures: dict[Name, AnyFigure] = {}
    audit: Audit | None = None
    gallery: Gallery | None = None

    @property
    def pages(self) -> dict[str, Audit | Gallery]:
        """The pages that the study has, by kind."""
        pages = {"audit": self.audit, "gallery": self.gallery}
        return {kind: page for kind, page in pages.items() if page}

    @model_validator(mode="after")
    def _axes(self) -> "Study":
        check_axes("baseline", self.baseline)
        check_axes("vary", self.vary)
        for number, cell in enumerate(self.cells):
            check_axes(f"cells.{number}", cell)
        for axis, values in self.vary.items():
            if not values:
                raise ValueError(f"vary.{axis}: found an empty list; name at least one value")
            if len({json.dumps(value) for value in values}) < len(values):
                raise ValueError(f"vary.{axis}: a value is named twice in {values}")
        return self
