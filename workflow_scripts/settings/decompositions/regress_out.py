"""The settings that say which facts about the images (such as brightness) are regressed out of the features."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from workflow_scripts.settings.base import Model, UserPath


def _facts_alone(given: Any) -> Any:
    return {"facts": given} if isinstance(given, list) else given


class RegressOut(Model):
    """Known facts about the images, such as brightness or instrument. Their linear effect on the features is
    removed."""

    facts: list[str] = Field(min_length=1)
    """The names of the facts. Known are `brightness`, `contrast` and `sharpness` of the preprocessed images; columns of
    the manifest that say how an image was taken or stored (`width`, `format`, ...); `folder, level 1` to `folder, level
    3`; and the columns of `table`."""
    table: UserPath | None = None
    """A CSV with a column for each further fact, and a column `path` or `image_id`."""


FactsOrNone = Annotated[
    RegressOut | None, BeforeValidator(_facts_alone, json_schema_input_type=list[str] | RegressOut | None)
]
"""The type of a key that is a list of names of facts, `RegressOut`, or null."""
