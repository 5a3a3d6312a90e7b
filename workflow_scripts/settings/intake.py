"""The settings of intake: which files are images of the data set, and where their labels come from."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from workflow_scripts.errors import found_allowed
from workflow_scripts.intake.listing import is_pattern
from workflow_scripts.io.memory import LARGEST_IMAGE
from workflow_scripts.settings.base import Model, UserPath

TILES_OF_AN_IMAGE = 100
"""Assumed number of tiles of an image, if the number is known only after the images are read."""
LabelRule = Literal["auto", "none", "folder", "prefix", "regex", "csv", "hash", "boxes"]
GroupRule = Literal["file", "folder", "prefix", "regex", "csv"]


class Labels(Model):
    """The rule that gives labels to the images, and the keys that the rule needs."""

    rule: LabelRule = "auto"
    level: int = -1
    """For `folder`, and for `hash` with a folder: which folder of the relative path is the label. -1 is the folder that
    holds the image, 0 the outermost."""
    pattern: str | None = None
    """For `regex`: the regular expression that is matched against the relative path; its group `label`, or its first
    group, is the label."""
    file: UserPath | None = None
    """For `csv` and `auto`: a CSV with a column of file names (`path`, `filename`, `image_id`, or any column whose
    values are names of files) and a column of labels (see `column`); null takes `labels.csv` at the top of the data
    folder. For `hash`: a folder of labelled images with a folder for each class, or a CSV with the columns `sha256` and
    `label`. For `boxes`: annotations as in `crops`; an image whose boxes are all of one class has that label."""
    column: str | None = Field(None, min_length=1)
    """For `csv` and `auto`: the name of the column of labels in the table; null takes `label`, `class`, `category` or
    `target`, or the only column besides the file names."""
    corrections: UserPath | list[UserPath] | None = None
    """A CSV with the columns `path` (or `filename` or `image_id`) and `label`, or a list of such files. The pages
    audit, labelling and explorer export such files. Their labels replace those of the rule. If an image has several,
    the latest one counts, by the time in the column `decided`; without times, the one in the last file counts."""

    @property
    def by_content(self) -> bool:
        """Return whether labels are matched to images by the contents of files."""
        return self.rule == "hash"

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Labels":
        if self.rule == "regex":
            _check_pattern(self.pattern, "label")
        if self.column and self.rule not in (allowed := ("auto", "csv")):
            raise ValueError(f"column: found it beside the rule {self.rule}, allowed: {' or '.join(allowed)}")
        if self.by_content and not self.file:
            raise ValueError("file: missing, allowed: a folder of labelled images, or a CSV with sha256 and label")
        if self.rule == "boxes" and not self.file:
            raise ValueError("file: missing, allowed: a COCO file, a folder of Pascal VOC or YOLO files")
        return self


class Groups(Model):
    """The rule that says which images belong together, such as those of one specimen, wafer, image or video, and the
    keys that the rule needs. With any rule, files that look alike (`near_duplicates.csv`) are in one group."""

    rule: GroupRule = "file"
    """`file` makes a group of each file, so that its tiles, boxes and pages belong together. The other rules read the
    path or a table, as for labels. An image for which a rule finds no value is a group of its own."""
    level: int = -1
    """For `folder`: which folder of the relative path is the group. -1 is the folder that holds the image, 0 the
    outermost."""
    pattern: str | None = None
    """For `regex`: the regular expression that is matched against the relative path; its first group is the group."""
    file: UserPath | None = None
    """For `csv`: a CSV with a column `path` (or `filename` or `image_id`) and a column of groups (see `column`)."""
    column: str | None = Field(None, min_length=1)
    """For `csv`: the name of the column of groups; null takes `group`, or the only column besides the file names."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "Groups":
        if self.rule == "regex":
            _check_pattern(self.pattern, "group")
        if self.rule == "csv" and not self.file:
            raise ValueError("file: missing, allowed: a CSV with the columns path and group")
        return self


def _check_pattern(pattern: str | None, what: str) -> None:
    """Raise `ValueError` if a regular expression cannot be compiled or has no group. `what` is the noun for this group
    in the message."""
    allowed = f"a regular expression with a group for the {what}"
    try:
        groups = re.compile(pattern or "").groups
    except re.error as error:
        raise ValueError(f"pattern: found {pattern!r} ({error}), allowed: {allowed}") from None
    if not groups:
        raise ValueError(f"pattern: found {pattern!r}, allowed: {allowed}")


def _rule_alone(given: Any) -> Any:
    return {"rule": given} if isinstance(given, str) else given


class Tiles(Model):
    """Square tiles that are cut from every image and become the images of the study. Their size is in pixels or
    micrometres."""

    size: Annotated[int, Field(ge=2)] | Literal["shortest"] | None = None
    """Side of a tile in pixels; `shortest` takes the shorter side of each image without data stripes."""
    stride: int | None = Field(None, ge=1)
    """Distance between the starts of two neighbouring tiles in pixels; null takes the size. The last tile ends at the
    image's edge, so that the whole image is covered."""
    size_um: float | None = Field(None, gt=0)
    """Side of a tile in micrometres. Images whose pixel size is not known (see `scale_bars`) are left out."""
    stride_um: float | None = Field(None, gt=0)
    """Distance between the starts of two neighbouring tiles in micrometres; null takes the size."""

    @model_validator(mode="after")
    def _one_size(self) -> "Tiles":
        if (self.size is None) == (self.size_um is None):
            raise ValueError("found both or none of size and size_um, allowed: one of them")
        for size, stride, other in (("size", "stride", "stride_um"), ("size_um", "stride_um", "stride")):
            side, step = getattr(self, size), getattr(self, stride)
            if side is None:
                continue
            if getattr(self, other) is not None:
                raise ValueError(f"{other}: found beside {size}, allowed: {stride}")
            if step is not None and side != "shortest" and step > side:
                raise ValueError(f"{stride}: found {step:g}, allowed: {size}, {side:g}, or less: all is covered")
        return self

    def tiling(self) -> dict[str, Any]:
        """Return the keyword arguments of `intake.regions.Tiling`: `size`, `stride` and `um`."""
        um = self.size_um is not None
        return {"size": self.size_um if um else self.size, "stride": self.stride_um if um else self.stride, "um": um}

    def expected(self, n_bytes: int) -> int:
        """Return an estimate of the number of tiles of a file of `n_bytes` bytes. Each pixel is assumed to take one
        byte."""
        stride = self.stride or self.size
        return max(1, n_bytes // stride**2) if isinstance(stride, int) else TILES_OF_AN_IMAGE


class Crops(Model):
    """Annotated boxes on the images, which become the images of the study."""

    boxes: UserPath
    """A COCO file, or a folder of Pascal VOC (.xml) or YOLO (.txt) files."""
    margin: float = Field(0, ge=0, le=5)
    """Margin on every side of a box, as a share of the box's side."""


class Intake(Model):
    """Which files are images of the data set, which parts of them, and where their labels come from."""

    include: list[str] = ["**/*"]
    """Glob patterns of relative paths; `**` stands for any number of folders."""
    exclude: list[str] = []
    exclude_file: UserPath | list[UserPath] | None = None
    """A CSV with a column `path` (or `filename` or `image_id`) that names images to leave out, or a list of such files.
    The explorer exports such files. If a file has a column `set_aside`, only the images with `yes` are left out. If
    there are several decisions on an image, the latest one counts, as for `corrections`."""
    labels: Annotated[Labels, BeforeValidator(_rule_alone, json_schema_input_type=LabelRule | Labels)] = Labels()
    sublabels: Labels | None = None
    """Finer classes within the labels, given by a rule that reads the path. Figures of trees and of classes show
    them."""
    groups: Annotated[Groups | None, BeforeValidator(_rule_alone, json_schema_input_type=GroupRule | Groups | None)] = (
        None
    )
    """Which images belong together. The images of a group are never divided between training and held-out images, in
    cross-validation and in fine-tuning. The audit compares no image with others of its group. Intervals count groups
    instead of images. Null makes a group of the tiles, boxes and pages of each file; other images are not grouped."""
    duplicates: Literal["drop", "keep"] = "drop"
    """Whether to leave out files with the same bytes as an earlier file."""
    visual_duplicates: Literal["report", "drop_same_pixels", "drop"] = "report"
    """What to do with files that differ from an earlier file in their bytes but look the same. `near_duplicates.csv`
    always lists them. `drop_same_pixels` leaves out those with the same pixels; `drop` leaves out also those that look
    nearly the same by two perceptual hashes."""
    masks: Literal["set_aside", "keep"] = "set_aside"
    """Whether to leave out segmentation masks: images of two or three grey values with the name of another image,
    beside it or in a folder such as `masks`."""
    near_distance: int = Field(4, ge=0, le=16)
    """Two images look nearly the same if their perceptual hashes differ in at most this many of the 64 bits."""
    scale_bars: bool = False
    """Whether to read the scale of each image, from its metadata or its data bar, into `scale_bars.csv` and into the
    columns `scale_um` and `nm_per_pixel` of the manifest. Subsets can use these columns."""
    scales: UserPath | list[UserPath] | None = None
    """A CSV with the columns `path` (or `filename` or `image_id`), `scale_um` and `nm_per_pixel`, or a list of such
    files. The page `scales.html` exports such files. Their values replace those that were read from the images; if both
    are empty, the image has no scale. If there are several decisions on an image, the latest one counts, as for
    `corrections`."""
    pages: Literal["first", "all"] = "first"
    """The pages or frames of a file that become images: the first one or all."""
    tiles: Tiles | None = None
    """Tiles of each image, which replace the image in the data set. Data stripes of microscopes are left out, as the
    step `crop_data_bar` finds them."""
    crops: Crops | None = None
    """Annotated boxes on each image, which replace the image in the data set. With labels `auto`, their labels are the
    classes in the annotations."""
    min_size: int = Field(16, ge=2)
    """The shortest allowed side of an image, pixels."""
    max_pixels: int = Field(100_000_000, ge=1)
    """The largest allowed width times height, pixels; larger files are rejected before they are decoded. Above 125
    million only with `tiles` or `crops`."""

    @property
    def cuts(self) -> bool:
        """Return whether the images of the data set are parts of files: tiles, boxes or pages."""
        return self.tiles is not None or self.crops is not None or self.pages == "all"

    @property
    def scales_tiles(self) -> bool:
        """Return whether the size of the tiles follows from the scale of each image."""
        return self.tiles is not None and self.tiles.size_um is not None

    @property
    def are_grouped(self) -> bool:
        """Return whether the manifest says which images belong together. It does if `groups` is set, or if images are
        cut from files."""
        return self.groups is not None or self.cuts

    def expected(self, n_bytes: int) -> int:
        """Return the estimated number of images from a file of `n_bytes` bytes: the number of its tiles, or 1 without
        tiles."""
        return self.tiles.expected(n_bytes) if self.tiles else 1

    @model_validator(mode="after")
    def _one_way_to_cut(self) -> "Intake":
        if self.crops and (self.tiles or self.pages == "all"):
            raise ValueError("crops: found beside tiles or pages: all, allowed: crops alone")
        if self.scales and not self.scale_bars:
            raise ValueError("scales: found intake without scale_bars, allowed: scale_bars: true beside it")
        if self.scales_tiles and not self.scale_bars:
            raise ValueError("tiles.size_um: found intake without scale_bars, allowed: scale_bars: true beside it")
        return self

    @model_validator(mode="after")
    def _large_images_are_cut(self) -> "Intake":
        if self.max_pixels > LARGEST_IMAGE and not (self.tiles or self.crops):
            allowed = f"at most {LARGEST_IMAGE}, or tiles or crops beside it: larger images are not preprocessed whole"
            raise ValueError(f"max_pixels: found {self.max_pixels} without tiles, allowed: {allowed}")
        return self

    @field_validator("include", "exclude")
    @classmethod
    def _brackets_close(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if not pattern or pattern.count("[") != pattern.count("]") or not is_pattern(pattern):
                raise ValueError(f"found {pattern!r}, allowed: a glob pattern; write [[] for a bracket in a name")
        return patterns

    @model_validator(mode="after")
    def _sublabels_of_paths(self) -> "Intake":
        if self.sublabels and self.sublabels.rule not in (allowed := ("folder", "prefix", "regex")):
            raise ValueError(f"sublabels.rule: {found_allowed(self.sublabels.rule, allowed)}")
        return self
