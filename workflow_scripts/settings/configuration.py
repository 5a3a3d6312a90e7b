"""The whole configuration: read, completed with the default, checked, and described as a JSON schema."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.grid.axes import EVERYTHING, FEATURES_THEMSELVES
from workflow_scripts.settings.backbones import Backbone, Network, settings_model
from workflow_scripts.settings.base import Model, Name
from workflow_scripts.settings.clusterers import Clusterer, OfK
from workflow_scripts.settings.decompositions import Decomposition, Pca
from workflow_scripts.settings.figures import Style
from workflow_scripts.settings.intake import Intake
from workflow_scripts.settings.preprocess import Preprocess
from workflow_scripts.settings.published import Reproduction
from workflow_scripts.settings.reading import mistake, read_yaml
from workflow_scripts.settings.studies import Choices, CrossValidation, Study, Subset

RESERVED_STUDIES = {"all", "reproduction", "table"}
SHARED = {"backbones": ("weights", "weights"), "clusterers": ("n_clusters", "k")}
"""Of a section, the key at the top (two letters or more, for `--config`) whose value goes to all variants that leave
theirs out."""


class Settings(Model):
    """The whole configuration."""

    data: str = "embedded"
    """`embedded`, or the path of a folder of pictures."""
    name: Name | None = None
    """The data set's id in paths and tables; null is the folder's name and a short hash of its path."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where networks run."""
    weights: str = "default"
    """Weights of the backbones that name none; `none` leaves out what needs them, and the dry run says so."""
    n_clusters: int = Field(8, ge=1)
    """`k` of the clusterers that name none."""
    seed: int = Field(0, ge=0)
    """The base of every seed."""
    backbone: str | None = None
    """Whose layers `snakemake list_layers` lists: a backbone's name or a model; null is the baseline's."""
    new_images: str | None = None
    """A folder of pictures that `snakemake predict` puts into the clusters of the studies' models."""
    delete: bool = False
    """`snakemake prune --config delete=true` deletes what it lists."""
    intake: Intake = Intake()
    preprocess: dict[Name, Preprocess] = Field(min_length=1)
    backbones: dict[Name, Backbone] = Field(min_length=1)
    decompositions: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")], Decomposition] = {
        "pca": Pca()
    }
    clusterers: dict[Name, Clusterer] = Field(min_length=1)
    cross_validations: dict[Name, CrossValidation] = {}
    subsets: dict[Name, Subset] = {}
    baseline: Choices
    studies: dict[Name, Study] = Field(min_length=1)
    reproduction: Reproduction | None = None
    style: Style = Style()

    @field_validator("data", "new_images")
    @classmethod
    def _names_a_folder(cls, folder: str | None) -> str | None:
        if folder is not None and not folder.strip():
            raise ValueError(f"found {folder!r}, allowed: the path of a folder of images")
        return folder and str(Path(folder).expanduser()) if str(folder).startswith("~") else folder

    @model_validator(mode="before")
    @classmethod
    def _shared_values(cls, given: Any) -> Any:
        """Give what `--config weights=` and `n_clusters=` set to the backbones and clusterers that leave it out."""
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
    def _names_exist(self) -> "Settings":
        for name in RESERVED_STUDIES & self.studies.keys():
            raise ValueError(f"studies.{name}: the name is reserved")
        if FEATURES_THEMSELVES in self.decompositions:
            raise ValueError(f"decompositions.{FEATURES_THEMSELVES}: the name is reserved for no decomposition")
        if EVERYTHING in self.subsets:
            raise ValueError(f"subsets.{EVERYTHING}: the name is reserved for all images")
        for name, decomposition in self.decompositions.items():
            source = decomposition.source
            if source is not None and not (source in self.decompositions and self.decompositions[source].is_ordered):
                raise ValueError(f"decompositions.{name}.of: found {source!r}, allowed: the name of a pca")
        for name, clusterer in self.clusterers.items():
            if clusterer.study_read is not None and clusterer.study_read not in self.studies:
                raise ValueError(f"clusterers.{name}.study: {found_allowed(clusterer.study_read, self.studies)}")
        for name, study in self.studies.items():
            self._check_names_of(name, study)
        return self

    def _check_names_of(self, name: str, study: Study) -> None:
        """Raise ValueError for what a study names and the configuration has not."""
        if study.cross_validation and study.cross_validation not in self.cross_validations:
            found = found_allowed(study.cross_validation, self.cross_validations)
            raise ValueError(f"studies.{name}.cross_validation: {found}")
        for kind, page in study.pages.items():
            if page.pictures and page.pictures not in self.preprocess:
                raise ValueError(f"studies.{name}.{kind}.pictures: {found_allowed(page.pictures, self.preprocess)}")
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


def _takes(section: str, variant: Any, key: str) -> bool:
    """Return whether a variant, as given, takes a shared value: a clusterer that finds k itself has none."""
    if not isinstance(variant, Mapping):
        return False
    model = (
        Clusterer.registry.get(str(variant.get("method")), OfK) if section == "clusterers" else settings_model(variant)
    )
    return key in model.model_fields


def load(given: Mapping[str, Any], files: Iterable[str | Path], default: str | Path) -> Settings:
    """Return the settings of a run: what was given, on top of the default configuration if it names no studies.

    `files` are those that `given` was read from; they are read again to find keys that stand twice.
    """
    for file in files:
        read_yaml(file)
    return parse(given if "studies" in given else _merged(read_yaml(default), given))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return `above`, and what only `below` has, at every level."""
    merged = dict(below)
    for key, value in above.items():
        nested = isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
        merged[key] = _merged(below[key], value) if nested else value
    return merged


def parse(config: Mapping[str, Any]) -> Settings:
    """Return the settings of a configuration; raise `UserError` with the key, what was found and what is allowed."""
    try:
        return Settings.model_validate(dict(config))
    except ValidationError as error:
        details = error.errors()
        # A wrong value that many variants share is reported once.
        shared = [detail for detail in details if detail["loc"] in {(key,) for key, _ in SHARED.values()}]
        raise UserError("; ".join(_explain(detail) for detail in (shared or details)[:5])) from None


# Where pydantic puts a union's tag, or a field of ours, into the path of a key that the YAML has without it.
_NOT_IN_YAML = {"preprocess": (2, 4), "backbones": (2,), "decompositions": (2,), "clusterers": (2,), "studies": (4,)}


def _explain(detail: Any) -> str:
    """Return a mistake, as pydantic reports it, in one line."""
    location = detail["loc"]
    hidden = _NOT_IN_YAML.get(location[0], ()) if location else ()
    keys = [str(part) for place, part in enumerate(location) if place not in hidden and part != "[key]"]
    if detail["type"].startswith("union_tag"):
        keys.append(detail["ctx"]["discriminator"].strip("'"))
    return ": ".join(["config", *([".".join(keys)] if keys else []), mistake(detail)])


def schema() -> dict[str, Any]:
    """Return the JSON schema of the configuration, for editors and for `config/config.schema.json`."""
    described = Settings.model_json_schema()
    of_variants = {key for _, key in SHARED.values()}
    models: list[type[Model]] = [Network, *Clusterer.registry.values()]
    for model in models:  # what `_shared_values` fills in may be left out
        definition = described["$defs"].get(model.__name__, {})
        if "required" in definition:
            definition["required"] = [key for key in definition["required"] if key not in of_variants]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
