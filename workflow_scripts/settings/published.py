"""Published numbers, and how the corresponding numbers are computed from the tables of a run."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from workflow_scripts.errors import UserError
from workflow_scripts.settings.base import Model, Name
from workflow_scripts.settings.figures import Drawing
from workflow_scripts.settings.reading import mistake, read_yaml


class Reproduction(Drawing):
    """A comparison of the run's numbers with published ones: the table `tables/reproduction.csv` and a figure."""

    sources = ()
    kind: Literal["reproduction"] = "reproduction"
    published: Name
    """The name, without `.yaml`, of the file in `config/published` with the published numbers."""


class Fact(Model):
    """A published number, and how the corresponding number is computed from a table of the run."""

    what: str
    published: float
    place: str
    """The place in the publication, such as a table or a figure."""
    table: str
    """The table's path below `tables`, without ending: `study`, `study.classes` or `study/figure`."""
    column: str
    rows: dict[str, str | int | float | bool] = {}
    """The value that a row must have in each of these columns to be used."""
    take: Literal["mean", "sd", "min", "max", "lowest_inertia", "correlation", "share_above", "relative_span"] = "mean"
    """The statistic of the column that is compared; `correlation` is the column's correlation with the inertia."""
    limit: float = 0
    """For `share_above`: the share of the values above this limit is taken."""
    tolerance: float = Field(0.01, gt=0)
    layer: str
    """The layer for which the publication gives the number."""


class _Facts(Model):
    facts: list[Fact] = Field(min_length=1)


def read_facts(path: str | Path) -> list[Fact]:
    """Return the published numbers in a YAML file. Raises `UserError` with the file and the key of the first
    mistake."""
    try:
        return _Facts.model_validate(read_yaml(path)).facts
    except ValidationError as error:
        detail = error.errors()[0]
        key = ".".join(map(str, detail["loc"]))
        raise UserError(f"{path}: {key}: {mistake(detail)}") from None
