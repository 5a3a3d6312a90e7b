"""The settings of intake: which files are images of the data set, and where their labels come from."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from workflow_scripts.errors import found_allowed
from workflow_scripts.settings.base import Model

LabelRule = Literal["auto", "none", "folder", "prefix", "regex", "csv", "hash"]


class Labels(Model):
    """Where labels come from: a rule, and the keys that it needs."""

    rule: LabelRule = "auto"
    level: int = -1
    """For `folder`, and for `hash` with a folder: the level of the folder in the relative path that is the label; -1 is
    the nearest folder, 0 the outermost."""
    pattern: str | None = None
    """For `regex`: the regular expression that is matched against the relative path; its group `label`, or its first
    group, is the label."""
    file: str | None = None
    """For `csv` and `auto`: a CSV with the columns `path` (or `filename` or `image_id`) and `label`; null takes
    `labels.csv` at the top of the data folder. For `hash`: a folder of labelled images with a folder for each class, or
    a CSV with the columns `sha256` and `label`."""
    corrections: str | None = None
    """A CSV with the columns `path` (or `filename` or `image_id`) and `label`, such as the audit page exports. Its
    labels replace those of the rule."""

    @property
    def by_content(self) -> bool:
        return self.rule == "hash"

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Labels":
        if self.rule == "regex":
            allowed = "a regular expression with a group for the label"
            try:
                groups = re.compile(self.pattern or "").groups
            except re.error as error:
                raise ValueError(f"pattern: found {self.pattern!r} ({error}), allowed: {allowed}") from None
            if not groups:
                raise ValueError(f"pattern: found {self.pattern!r}, allowed: {allowed}")
        if self.by_content and not self.file:
            raise ValueError("file: missing, allowed: a folder of labelled images, or a CSV with sha256 and label")
        return self


def _rule_alone(given: Any) -> Any:
    return {"rule": given} if isinstance(given, str) else given


class Intake(Model):
    """Which files are images of the data set, and where their labels come from."""

    include: list[str] = ["**/*"]
    """Glob patterns of relative paths; `**` stands for any number of folders."""
    exclude: list[str] = []
    exclude_file: str | None = None
    """A table with a column `path` (or `filename` or `image_id`) of images that are left out, such as the explorer
    exports; where it has a column `set_aside`, the rows that say yes."""
    labels: Annotated[Labels, BeforeValidator(_rule_alone, json_schema_input_type=LabelRule | Labels)] = Labels()
    sublabels: Labels | None = None
    """Finer classes inside the labels, by a rule that reads the path; trees and their leaves are compared with them."""
    duplicates: Literal["drop", "keep"] = "drop"
    """Whether to leave out files with the same bytes as an earlier file."""
    visual_duplicates: Literal["report", "drop_same_pixels", "drop"] = "report"
    """Other files that look the same as an earlier one. `near_duplicates.csv` always lists them; `drop_same_pixels`
    leaves out those with the same pixels, `drop` also those that look nearly the same."""
    masks: Literal["set_aside", "keep"] = "set_aside"
    """Whether to leave out segmentation masks: images of two or three grey values with the name of another image,
    beside it or in a folder such as `masks`."""
    near_distance: int = Field(4, ge=0, le=16)
    """The largest number of bits, of the 64 of a perceptual hash, in which two images that look nearly the same
    differ."""
    scale_bars: bool = False
    """Whether to read the scale of each image, from its metadata or its data bar, into `scale_bars.csv` and into the
    columns `scale_um` and `nm_per_pixel` of the manifest; subsets can use it."""
    min_size: int = Field(16, ge=2)
    """The shortest allowed side of an image, pixels."""
    max_pixels: int = Field(100_000_000, ge=1)
    """The largest allowed width times height, pixels; larger files are rejected before they are decoded."""

    @field_validator("include", "exclude")
    @classmethod
    def _brackets_close(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if not pattern or pattern.count("[") != pattern.count("]"):
                raise ValueError(f"found {pattern!r}, allowed: a glob pattern; write [[] for a bracket in a name")
        return patterns

    @model_validator(mode="after")
    def _sublabels_of_paths(self) -> "Intake":
        if self.sublabels and self.sublabels.rule not in (allowed := ("folder", "prefix", "regex")):
            raise ValueError(f"sublabels.rule: {found_allowed(self.sublabels.rule, allowed)}")
        return self
