"""The settings of studies, cross-validations and subsets."""

import json
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field, create_model, model_validator

from workflow_scripts.grid.axes import AXES, Axes, Axis
from workflow_scripts.settings.base import Model, Name, UserPath
from workflow_scripts.settings.figures import Figure, check_axes
from workflow_scripts.settings.pages import WithPages

OF_A_VERDICT = ("trust", "specification_curve", "choice_map", "partition_effects", "restarts_enough", "nuisances")
"""The kinds of figures whose tables a verdict reads. Every study with a verdict gets them."""
ASKED_FOR = ("choose_k", "perturbations")
"""Further kinds of figures whose tables a verdict reads, if the study has them."""


class CrossValidation(Model):
    """Cross-validation with stratified folds. The decomposition and the clusterer are fitted on the training folds
    only. `mapping` names the folds whose labels give each cluster its class."""

    folds: int = Field(5, ge=2)
    mapping: list[Literal["training", "validation"]] = Field(["training"], min_length=1)
    """The folds whose labels give each cluster its class. `validation` takes the labels that are then compared with the
    clusters, as Cohn & Holm 2020 did; its scores are too high."""


Range = tuple[float, float]


class InClusters(Model):
    """The images of some clusters of a cell, in the cell's clustering with the lowest inertia."""

    at: dict[str, Any] = {}
    """Choices of the cell that differ from the configuration's baseline."""
    k: int | None = None
    """Number of clusters; null takes the smallest of the cell's clusterer."""
    clusters: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    """The numbers of the clusters, from 0."""

    @model_validator(mode="after")
    def _axes(self) -> "InClusters":
        check_axes("at", self.at)
        if len(set(self.clusters)) < len(self.clusters):
            raise ValueError(f"clusters: found {self.clusters}, allowed: each number once")
        return self


class Subset(Model):
    """The images that meet all the given conditions."""

    label: list[str] | None = Field(None, min_length=1)
    scale_um: Range | None = None
    """Smallest and largest length of the scale bar, micrometres."""
    nm_per_pixel: Range | None = None
    """Smallest and largest size of a pixel, nanometres."""
    field_um: Range | None = None
    """Smallest and largest width of the image, micrometres. The width is also known for images without a scale bar if
    their metadata have the size of a pixel."""
    in_clusters: InClusters | None = None
    file: UserPath | None = None
    """A CSV with a column `path` (or `filename` or `image_id`) that names the images. The explorer exports such files.
    If the file has a column `selection`, only the rows with the subset's name count."""

    @model_validator(mode="after")
    def _is_a_part(self) -> "Subset":
        if not self.model_fields_set:
            raise ValueError(f"found nothing, allowed: one or more of {', '.join(type(self).model_fields)}")
        return self

    @property
    def columns(self) -> dict[str, Any]:
        """Return the conditions by column of the manifest: a list of the allowed texts, or the smallest and largest
        number."""
        return self.dump(exclude={"in_clusters", "file"}, exclude_none=True)

    @property
    def needs_scales(self) -> bool:
        """Return whether the scales of the images have to be read."""
        return any((self.scale_um, self.nm_per_pixel, self.field_um))


def _choice(name: str, axis: Axis) -> tuple[Any, Any]:
    """Return the type and the pydantic field of an axis in the configuration."""
    return get_type_hints(Axes)[name], Field(axis.default, ge=axis.minimum, description=axis.description)


_FIELDS: dict[str, Any] = {name: _choice(name, axis) for name, axis in AXES.items()}


class Choices(create_model("Choices", __base__=Model, **_FIELDS)):  # type: ignore[misc]
    """One value for each axis of the grid."""


class Study(WithPages):
    """A baseline, the axes that vary around it, and the figures and pages of the results."""

    baseline: dict[str, Any] = {}
    """Choices that differ from the configuration's baseline."""
    vary: dict[str, list[Any]] = {}
    design: Literal["one_at_a_time", "product"] = "one_at_a_time"
    cells: list[dict[str, Any]] = []
    """Further cells, each given by its choices that differ from the study's baseline."""
    cross_validation: Name | None = None
    """The cross-validation by which every cell is also scored; null scores by none."""
    figures: dict[Name, Figure] = {}

    def consensus_settings(self) -> dict[str, Any]:
        """Return the settings of the consensus: `k`, the number of clusters of the cells, and `groups`, the number of
        groups. Each is None if the study's key `verdict` does not set it."""
        verdict = self.pages.get("verdict")
        return verdict.dump(include={"k", "groups"}) if verdict else {"k": None, "groups": None}

    def figure_of_kind(self, kind: str) -> str | None:
        """Return the name of the study's first figure of a kind, or None."""
        return next((name for name, figure in self.figures.items() if figure.method_name == kind), None)

    @model_validator(mode="before")
    @classmethod
    def _with_figures_of_its_verdict(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        verdict, figures = given.get("verdict"), given.get("figures", {})
        if not isinstance(verdict, dict) or not isinstance(figures, dict):
            return given
        figures = dict(figures)
        kinds = [figure.get("kind") for figure in figures.values() if isinstance(figure, dict)]
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
