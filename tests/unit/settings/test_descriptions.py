"""Descriptions in the schema, against those that pydantic reads itself."""

from pydantic import Field

from workflow_scripts.settings.base import Model
from workflow_scripts.settings.descriptions import described


class Above(Model):
    inherited: int = 1
    """Docstring of the
    model above."""
    replaced: int = 2
    """Not that of the model below."""


class Ours(Above):
    replaced: int = 3
    own: str = "a"
    """Own docstring."""
    given: str = Field("b", description="Given.")
    """Not this one."""
    bare: float = 0


class AboveRead(Model, use_attribute_docstrings=True):
    inherited: int = 1
    """Docstring of the
    model above."""
    replaced: int = 2
    """Not that of the model below."""


class Theirs(AboveRead, use_attribute_docstrings=True):
    replaced: int = 3
    own: str = "a"
    """Own docstring."""
    given: str = Field("b", description="Given.")
    """Not this one."""
    bare: float = 0


def test_they_are_those_that_pydantic_reads():
    found, expected = described(Ours.model_json_schema()), Theirs.model_json_schema()
    assert found["properties"] == expected["properties"]
    assert [*found["properties"]["own"]] == [*expected["properties"]["own"]]
