"""Published numbers, and how the same are taken from our tables."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from workflow_scripts.errors import UserError
from workflow_scripts.settings.base import Model, Name
from workflow_scripts.settings.figures import Drawing
from workflow_scripts.settings.reading import mistake, read_yaml


class Reproduction(Drawing):
    """The run's numbers against published ones: `tables/reproduction.csv`, and a figure of the differences."""

    sources = ()
    kind: Literal["reproduction"] = "reproduction"
    published: Name
    """The file of `config/published` with a published number a line."""


class Fact(Model):
    """A published number, and how the same is taken from our tables."""

    what: str
    published: float
    place: str
    """Where it is published."""
    table: str
    """`study`, `study.classes` or `study/figure`: the path below `tables`, without its ending."""
    column: str
    rows: dict[str, str | int | float | bool] = {}
    """The values by which rows of the table are chosen."""
    take: Literal["mean", "sd", "min", "max", "lowest_inertia", "correlation", "share_above", "relative_span"] = "mean"
    """What is taken of the column; `correlation` is with the inertia."""
    limit: float = 0
    """Of `share_above`."""
    tolerance: float = Field(0.01, gt=0)
    layer: str
    """The layer of the publication."""


class _Facts(Model):
    facts: list[Fact] = Field(min_length=1)


def read_facts(path: str | Path) -> list[Fact]:
    """The published numbers of a file; raises `UserError` with the place of a mistake."""
    try:
        return _Facts.model_validate(read_yaml(path)).facts
    except ValidationError as error:
        detail = error.errors()[0]
        key = ".".join(map(str, detail["loc"]))
        raise UserError(f"{path}: {key}: {mistake(detail)}") from None
