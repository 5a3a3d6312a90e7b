"""Read and check the whole configuration; make its JSON schema."""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.grid.axes import EVERYTHING, FEATURES_THEMSELVES
from workflow_scripts.settings.backbones import Backbone, settings_model
from workflow_scripts.settings.backbones.network import Network
from workflow_scripts.settings.base import Lower, Model, Name, Seed, user_path
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.clusterers.base import OfK
from workflow_scripts.settings.decompositions import Decomposition
from workflow_scripts.settings.decompositions.components import Pca
from workflow_scripts.settings.descriptions import described
from workflow_scripts.settings.figures import Style
from workflow_scripts.settings.intake import Intake
from workflow_scripts.settings.preprocess import Preprocess
from workflow_scripts.settings.published import Reproduction
from workflow_scripts.settings.reading import check_command_line, check_encoding, mistake, read_yaml
from workflow_scripts.settings.studies import Choices, CrossValidation, Study, Subset

RESERVED_STUDIES = {"all", "reproduction", "table"}
"""Names that studies cannot have, because other targets or tables have them."""
SHARED = {"backbones": ("weights", "weights"), "clusterers": ("n_clusters", "k")}
"""For each section: a top-level key, and the key of the section's variants whose default is the value of the top-level
key."""


class Settings(Model):
    """The whole configuration."""

    data: str = "embedded"
    """The path of a folder of images, or `embedded` for the small data set that comes with the project."""
    name: Name | None = None
    """The data set's id in paths and tables; null takes the folder's name and a short hash of its path."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """The device that networks run on; `auto` takes a GPU if there is one."""
    weights: str = "default"
    """The `weights` of backbones that do not set them. With `none`, everything that needs weights is left out, and the
    dry run says so."""
    n_clusters: int = Field(8, ge=1)
    """The `k` of clusterers that do not set it."""
    seed: Seed = 0
    """The base seed of the clusterings and cross-validations. Keys `seed` of other sections are seeds of their own."""
    backbone: str | None = None
    """The backbone or model whose layers `snakemake list_layers` lists; null takes the baseline's backbone."""
    new_images: str | None = None
    """A folder of new images. `snakemake predict` assigns them to the clusters of the studies' models; `snakemake
    monitor` tests batches of them."""
    export_as: Literal["npz", "parquet", "csv", "h5"] = "npz"
    """The format of the tables of features that `snakemake export` writes."""
    batch_size: int = Field(20, ge=2, le=100)
    """The number of new files in a batch, which `snakemake monitor` tests together. With groups (`intake: groups`), a
    batch consists of whole groups and has at least this many files."""
    batch_order: Literal["name", "time"] = "name"
    """The order of the new images: by name, or by the time at which they were taken. If the files do not say when they
    were taken, the time of their last change is used."""
    false_alarms: float = Field(0.01, gt=0, lt=0.5)
    """The largest share of batches for which each chart of `snakemake monitor` may raise a false alarm."""
    delete: bool = False
    """Whether `snakemake prune` deletes the files that it lists."""
    intake: Intake = Intake()
    preprocess: dict[Name, Preprocess] = Field(min_length=1)
    backbones: dict[Name, Backbone] = Field(min_length=1)
    decompositions: dict[Lower, Decomposition] = {"pca": Pca()}
    clusterers: dict[Name, Clusterer] = Field(min_length=1)
    cross_validations: dict[Name, CrossValidation] = {}
    subsets: dict[Name, Subset] = {}
    baseline: Choices
    studies: dict[Name, Study] = Field(min_length=1)
    reproduction: Reproduction | None = None
    style: Style = Style()

    @field_validator("data", "new_images")
    @classmethod
    def _names_a_folder(cls, folder: str | None, field: ValidationInfo) -> str | None:
        if folder is not None and not folder.strip():
            raise ValueError(f"found {folder!r}, allowed: the path of a folder of images")
        # Of the files in `data`, Snakemake knows a table of labels only, which `IntakeInputs.label_table` checks
        return folder and (os.path.expanduser if field.field_name == "data" else user_path)(folder)

    @model_validator(mode="before")
    @classmethod
    def _shared_values(cls, given: Any) -> Any:
        """Set the top-level `weights` and `n_clusters` in the backbones and clusterers that do not set their own."""
        if not isinstance(given, Mapping):
            return given
        filled = dict(given)
        for section, (shared, key) in SHARED.items():
            value = given.get(shared, cls.model_fields[shared].default)
            if isinstance(given.get(section), Mapping):
                filled[section] = {
                    name: {key: value, **variant} if _takes(section, variant, key) else variant
                    for name, variant in given[section].items()
                }
        return filled

    @model_validator(mode="after")
    def _names_are_free(self) -> "Settings":
        for name in RESERVED_STUDIES & self.studies.keys():
            raise ValueError(f"studies.{name}: the name is reserved")
        if FEATURES_THEMSELVES in self.decompositions:
            raise ValueError(f"decompositions.{FEATURES_THEMSELVES}: the name is reserved for no decomposition")
        if EVERYTHING in self.subsets:
            raise ValueError(f"subsets.{EVERYTHING}: the name is reserved for all images")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> "Settings":
        for name, decomposition in self.decompositions.items():
            source = decomposition.source
            if source is not None and not (source in self.decompositions and self.decompositions[source].is_ordered):
                raise ValueError(f"decompositions.{name}.of: found {source!r}, allowed: a pca of decompositions")
        for name, clusterer in self.clusterers.items():
            if clusterer.study_read is not None and clusterer.study_read not in self.studies:
                raise ValueError(f"clusterers.{name}.study: {found_allowed(clusterer.study_read, self.studies)}")
        for name, backbone in self.backbones.items():
            tuned = backbone.finetune and backbone.finetune.preprocess
            if tuned and tuned not in self.preprocess:
                raise ValueError(f"backbones.{name}.finetune.preprocess: {found_allowed(tuned, self.preprocess)}")
            backbone.resolve(f"backbones.{name}", self.backbones)
        for name, study in self.studies.items():
            self._check_names_of(name, study)
        return self

    def _check_names_of(self, name: str, study: Study) -> None:
        """Raise `ValueError` if a study names something that the configuration does not define."""
        if study.cross_validation and study.cross_validation not in self.cross_validations:
            problem = found_allowed(study.cross_validation, self.cross_validations)
            raise ValueError(f"studies.{name}.cross_validation: {problem}")
        for kind, page in study.pages.items():
            if page.images and page.images not in self.preprocess:
                raise ValueError(f"studies.{name}.{kind}.images: {found_allowed(page.images, self.preprocess)}")
        for key, figure in study.figures.items():
            if "validated" in figure.sources and not study.cross_validation:
                raise ValueError(f"studies.{name}.figures.{key}: the study has no cross_validation")
            shown = figure.decomposition_shown
            if shown is not None and shown not in self.decompositions:
                raise ValueError(f"studies.{name}.figures.{key}.map: {found_allowed(shown, self.decompositions)}")

    @model_validator(mode="after")
    def _scales_are_read(self) -> "Settings":
        needing = [f"subsets.{name}" for name, subset in self.subsets.items() if subset.needs_scales]
        for name, study in self.studies.items():
            needing += [f"studies.{name}.figures.{key}" for key, figure in study.figures.items() if figure.shows_scales]
        if needing and not self.intake.scale_bars:
            raise ValueError(f"{needing[0]}: found intake without scale_bars, allowed: intake: {{scale_bars: true}}")
        return self

    @model_validator(mode="after")
    def _tiles_are_cut(self) -> "Settings":
        for name, study in self.studies.items():
            for key, figure in study.figures.items():
                if figure.shows_tiles and not self.intake.tiles:
                    raise ValueError(f"studies.{name}.figures.{key}: found intake without tiles, allowed: with tiles")
        return self

    @model_validator(mode="after")
    def _parts_are_not_as_taken(self) -> "Settings":
        steps = [(name, step) for name, variant in self.preprocess.items() for step in variant.steps]
        for name, step in steps if self.intake.cuts else ():
            if step.of_whole:
                allowed = "no such step: tiles leave the data stripes out, boxes have none"
                raise ValueError(
                    f"preprocess.{name}.{step.method_name}: found with parts of images, allowed: {allowed}"
                )
        return self


def _takes(section: str, variant: Any, key: str) -> bool:
    """Return whether a variant has the field `key`; a clusterer that finds k itself has no field `k`."""
    if not isinstance(variant, Mapping):
        return False
    model = (
        Clusterer.registry.get(str(variant.get("method")), OfK) if section == "clusterers" else settings_model(variant)
    )
    return key in model.model_fields


def load(given: Mapping[str, Any], files: Iterable[str | Path], default: str | Path) -> Settings:
    """Return the settings of a run.

    If `given` has no studies, it is merged over the configuration file `default`. `files` are the files from which
    `given` was read. They are read again to find duplicate keys. Raises `UserError` for a mistake in `given` or in a
    file.
    """
    check_encoding(sys.getfilesystemencoding())
    check_command_line(sys.argv, given)
    for file in files:
        read_yaml(file)
    return parse(given if "studies" in given else _merged(read_yaml(default), given))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two nested mappings merged into one. Values of `above` replace those of `below`."""
    merged = dict(below)
    for key, value in above.items():
        nested = isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        merged[key] = _merged(below[key], value) if nested else value
    return merged


def parse(config: Mapping[str, Any]) -> Settings:
    """Return the checked settings of a configuration.

    Raises `UserError` with the key, the value found and the values allowed for the first five mistakes.
    """
    try:
        return Settings.model_validate(dict(config))
    except ValidationError as error:
        details = error.errors()
        # A wrong value that many variants share is reported once.
        shared = [detail for detail in details if detail["loc"] in {(key,) for key, _ in SHARED.values()}]
        raise UserError("; ".join(_lines(shared or details)[:5])) from None


# By section: the positions in pydantic's path to a key that are not in the YAML, such as the tag of a union.
_NOT_IN_YAML = {"preprocess": (2, 4), "backbones": (2,), "decompositions": (2,), "clusterers": (2,), "studies": (4,)}


_MEMBER_OF_UNION = re.compile(r"(constrained|function)-.*|(literal|list|dict)\[.*|\[key\]")
"""The parts of a path in which pydantic names the type that it tried, if a value may have several types."""


def _lines(details: Iterable[Any]) -> list[str]:
    """Return one line for each mistake. pydantic reports a mistake once for each type that the value may have; these
    types are joined by `or` in one line."""
    allowed: dict[str, list[str]] = {}
    for detail in details:
        problem, _, types = _explain(detail).partition(", allowed: ")
        allowed.setdefault(problem, []).append(types)
    return [", allowed: ".join(filter(None, (problem, " or ".join(types)))) for problem, types in allowed.items()]


def _explain(detail: Any) -> str:
    """Return one line about a mistake that pydantic reports: the key, the value found and what is allowed."""
    location = detail["loc"]
    hidden = _NOT_IN_YAML.get(location[0], ()) if location else ()
    keys = [
        str(part)
        for place, part in enumerate(location)
        if place not in hidden and not _MEMBER_OF_UNION.fullmatch(str(part))
    ]
    if detail["type"] == "missing" and len(location) == 1:
        return f"config: {location[0]}: missing; a configuration with studies stands alone: copy config/config.yaml"
    if detail["type"].startswith("union_tag"):
        keys.append(detail["ctx"]["discriminator"].strip("'"))
    return ": ".join(["config", *([".".join(keys)] if keys else []), mistake(detail)])


def schema() -> dict[str, Any]:
    """Return the JSON schema of the configuration, which `make schema` writes to `config/config.schema.json`."""
    made = described(Settings.model_json_schema())
    of_variants = {key for _, key in SHARED.values()}
    models: list[type[Model]] = [Network, *Clusterer.registry.values()]
    for model in models:  # keys that `_shared_values` sets are not required
        definition = made["$defs"].get(model.__name__, {})
        if "required" in definition:
            definition["required"] = [key for key in definition["required"] if key not in of_variants]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
