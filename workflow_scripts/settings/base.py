"""What all settings models share: the base model and names."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from workflow_scripts.errors import found_allowed

ENDINGS = (".classes", ".csv", ".h5", ".parquet", ".png", ".svg")
"""What file names have behind the name of a variant, a study or a figure; no name ends so itself."""


def _no_ending(name: str) -> str:
    if name.endswith(ENDINGS):
        raise ValueError(f"found {name!r}, allowed: a name that does not end in {', '.join(ENDINGS)}")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$"), AfterValidator(_no_ending)]


class Model(BaseModel):
    """Base of all settings: frozen, and an unknown key is an error that lists the known ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    # A step's name is written before its parameters and is none of them.
                    allowed = [name for name in cls.model_fields if name != "step"]
                    raise ValueError(f"unknown key: {found_allowed(key, allowed)}")
        return given

    @model_validator(mode="before")
    @classmethod
    def _truths_are_no_numbers(cls, given: Any) -> Any:
        for key, value in given.items() if isinstance(given, Mapping) else ():
            annotation = str(cls.model_fields[key].annotation) if key in cls.model_fields else ""
            numeric = ("int" in annotation or "float" in annotation) and not (
                "bool" in annotation or "Any" in annotation
            )
            for each in value if isinstance(value, list) else [value]:
                if numeric and isinstance(each, bool):
                    raise ValueError(f"{key}: found {str(each).lower()}, allowed: a number")
        return given

    def dump(self, **how: Any) -> dict[str, Any]:
        """The settings as JSON values with sorted keys, fit for a job's `params`."""
        return json.loads(json.dumps(self.model_dump(mode="json", **how), sort_keys=True))
