"""Studies: a baseline and the axes that vary around it."""

import json
from typing import Any, Literal, get_type_hints

from pydantic import Field, create_model, model_validator

from workflow_scripts.grid.axes import AXES, Axes, Axis
from workflow_scripts.settings.base import Model, Name
from workflow_scripts.settings.figures import Figure, check_axes
from workflow_scripts.settings.pages import WithPages

OF_A_VERDICT = ("trust", "specification_curve", "choice_map", "partition_effects", "restarts_enough", "nuisances")
"""The kinds of figures that a verdict is read from."""


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
        if len(set(self.clusters)) < len(self.clusters):
            raise ValueError(f"clusters: found {self.clusters}, allowed: each number once")
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

    @model_validator(mode="after")
    def _is_a_part(self) -> "Subset":
        if not self.model_fields_set:
            raise ValueError(f"found nothing, allowed: one or more of {', '.join(type(self).model_fields)}")
        return self

    @property
    def columns(self) -> dict[str, Any]:
        """Return what the manifest's columns have to be: one of a list of texts, or between two numbers."""
        return self.dump(exclude={"in_clusters"}, exclude_none=True)

    @property
    def needs_scales(self) -> bool:
        """Return whether the scales of the images have to be read."""
        return any((self.scale_um, self.nm_per_pixel, self.field_um))


def _choice(name: str, axis: Axis) -> tuple[Any, Any]:
    """Return the type and the field of an axis's value in the configuration."""
    return get_type_hints(Axes)[name], Field(axis.default, ge=axis.minimum, description=axis.description)


_FIELDS: dict[str, Any] = {name: _choice(name, axis) for name, axis in AXES.items()}


class Choices(create_model("Choices", __base__=Model, **_FIELDS)):  # type: ignore[misc]
    """One value for each axis."""


class Study(WithPages):
    """A baseline and the axes that vary around it."""

    baseline: dict[str, Any] = {}
    """Choices that differ from the configuration's baseline."""
    vary: dict[str, list[Any]] = {}
    design: Literal["one_at_a_time", "product"] = "one_at_a_time"
    cells: list[dict[str, Any]] = []
    """Further cells: the baseline with these choices."""
    cross_validation: Name | None = None
    """Also scores every cell by this cross-validation."""
    figures: dict[Name, Figure] = {}

    def figure_of_kind(self, kind: str) -> str | None:
        """Return the name of the study's first figure of a kind."""
        return next((name for name, figure in self.figures.items() if figure.method_name == kind), None)

    @model_validator(mode="before")
    @classmethod
    def _with_figures_of_its_verdict(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("verdict") is None:
            return given
        verdict, figures = dict(given["verdict"]), dict(given.get("figures") or {})
        kinds = {figure.get("kind") for figure in figures.values() if isinstance(figure, dict)}
        for kind in OF_A_VERDICT:
            if kind not in kinds:
                keys = ("at",) if kind == "nuisances" else ("at", "k")
                figures.setdefault(kind, {"kind": kind, **{key: verdict[key] for key in keys if key in verdict}})
        return {**given, "figures": figures}

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
