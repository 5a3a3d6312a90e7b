"""Which files are pictures, and where their labels come from."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from workflow_scripts.errors import found_allowed
from workflow_scripts.settings.base import Model

LabelRule = Literal["auto", "none", "folder", "prefix", "regex", "csv", "hash"]


class Labels(Model):
    """Where labels come from; one of the rules, with what it needs."""

    rule: LabelRule = "auto"
    level: int = -1
    """folder, and hash of a folder: which level of the relative path; -1 is the nearest folder, 0 the outermost."""
    pattern: str | None = None
    """regex: matched against the relative path; its group `label`, or its first, is the label."""
    file: str | None = None
    """csv, auto: a file with the columns `path` (or `filename` or `image_id`) and `label`; null is `labels.csv` at the
    top of the data folder, which is never taken for a picture's file. hash: a folder of labelled pictures, a folder for
    each class, or a file with the columns `sha256` and `label`."""
    corrections: str | None = None
    """A file with the columns `path` (or `filename` or `image_id`) and `label`, such as the audit's page exports: its
    labels are taken in place of those of the rule."""

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
            raise ValueError("file: missing, allowed: a folder of labelled pictures, or a CSV with sha256 and label")
        return self


def _rule_alone(given: Any) -> Any:
    return {"rule": given} if isinstance(given, str) else given


class Intake(Model):
    """Which files are pictures of the data set."""

    include: list[str] = ["**/*"]
    """Glob patterns of relative paths; `**` stands for any number of folders."""
    exclude: list[str] = []
    labels: Annotated[Labels, BeforeValidator(_rule_alone, json_schema_input_type=LabelRule | Labels)] = Labels()
    sublabels: Labels | None = None
    """Finer classes inside the labels, by a rule that reads the path; trees and their leaves are compared with them."""
    duplicates: Literal["drop", "keep"] = "drop"
    """Files with the bytes of an earlier one."""
    visual_duplicates: Literal["report", "drop_same_pixels", "drop"] = "report"
    """Other files with the pixels of an earlier one, or nearly so: `near_duplicates.csv` lists them; `drop_same_pixels`
    and `drop` leave out the former, or both."""
    masks: Literal["set_aside", "keep"] = "set_aside"
    """Images of two or three grey values with the name of another image, beside it or in a folder such as `masks`."""
    near_distance: int = Field(4, ge=0, le=16)
    """Bits, of the 64 of a perceptual hash, in which pictures that are nearly the same differ at the most."""
    scale_bars: bool = False
    """Whether the scale of each picture is read, from its metadata or its data bar, into `scale_bars.csv` and the
    manifest's columns `scale_um` and `nm_per_pixel`, for subsets."""
    min_size: int = Field(16, ge=2)
    """Shortest side, pixels."""
    max_pixels: int = Field(100_000_000, ge=1)
    """Width times height above which a file is rejected before it is decoded."""

    @field_validator("include", "exclude")
    @classmethod
    def _brackets_close(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if not pattern or pattern.count("[") != pattern.count("]"):
                raise ValueError(f"found {pattern!r}, allowed: a glob pattern; a bracket that is meant: [[]")
        return patterns

    @model_validator(mode="after")
    def _sublabels_of_paths(self) -> "Intake":
        if self.sublabels and self.sublabels.rule not in (allowed := ("folder", "prefix", "regex")):
            raise ValueError(f"sublabels.rule: {found_allowed(self.sublabels.rule, allowed)}")
        return self
