"""The base class of all settings models, and the type of names."""

import json
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from workflow_scripts.errors import found_allowed, shown

ENDINGS = (".classes", ".csv", ".h5", ".parquet", ".png", ".svg")
"""Endings that the workflow adds to the name of a variant, study or figure in file names. A name must not end in one of
them."""


def _no_ending(name: str) -> str:
    if name.endswith(ENDINGS):
        raise ValueError(f"found {name!r}, allowed: a name that does not end in {', '.join(ENDINGS)}")
    return name


MOST_LETTERS = 100
"""Largest number of letters in a name. File systems allow 255 in the name of a file, which also holds endings and other
names."""
NAME, LOWER = r"^[A-Za-z][A-Za-z0-9_.-]*$", r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
IN_WORDS = {
    NAME: "letters from a to z, digits, _ . and -, with a letter first",
    LOWER: "small letters from a to z, digits and single _, with a letter first",
}
"""What each pattern of names allows, in words for error messages."""
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=MOST_LETTERS), AfterValidator(_no_ending)]
Lower = Annotated[str, StringConstraints(pattern=LOWER, max_length=MOST_LETTERS)]
TRUTHS_OF_A_COMMAND_LINE = ("true", "false")
"""The texts that count as booleans, because Snakemake passes the value of `--config KEY=true` as a text."""
LARGEST_SIDE = 16_384
"""The largest side of an image after preprocessing, pixels."""
WILDCARD = re.compile(r"\{\s*\w+\s*(,.*?)?\}")
"""What Snakemake takes for a wildcard, also in the path of a file that exists."""


def user_path(path: str) -> str:
    """Return the path of a file or folder that the user brings, with `~` expanded. Raises `ValueError` if Snakemake
    would find a wildcard in it."""
    if wildcard := WILDCARD.search(path):
        raise ValueError(f"found {path!r}, allowed: a path without {wildcard[0]}, a wildcard of Snakemake; rename it")
    return os.path.expanduser(path)


UserPath = Annotated[str, Field(min_length=1), AfterValidator(user_path)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed in the range that all generators of random numbers accept."""


class Model(BaseModel):
    """Base class of all settings: instances are frozen, and an unknown key is an error that lists the known ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    # In YAML the name of a step is not one of its parameters.
                    allowed = [name for name in cls.model_fields if name != "step"]
                    raise ValueError(f"unknown key: {found_allowed(key, allowed)}")
        return given

    @model_validator(mode="before")
    @classmethod
    def _booleans_are_not_numbers(cls, given: Any) -> Any:
        for key, value in given.items() if isinstance(given, Mapping) else ():
            annotation = str(cls.model_fields[key].annotation) if key in cls.model_fields else ""
            types = set(re.findall(r"\w+", annotation))
            numeric = types & {"int", "float"} and not types & {"bool", "Any"}
            for each in value if isinstance(value, list) else [value]:
                if numeric and isinstance(each, bool):
                    raise ValueError(f"{key}: found {shown(each)}, allowed: a number")
                if annotation == "<class 'bool'>" and not (isinstance(each, bool) or each in TRUTHS_OF_A_COMMAND_LINE):
                    raise ValueError(f"{key}: found {shown(each)}, allowed: true or false")
        return given

    def dump(self, **how: Any) -> dict[str, Any]:
        """Return the settings as JSON values with sorted keys, for the `params` of a job. `how` is passed to
        `model_dump`."""
        return json.loads(json.dumps(self.model_dump(mode="json", **how), sort_keys=True))
