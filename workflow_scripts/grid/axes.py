"""The axes of the grid, which are the choices that a study can vary. Cells, paths, wildcards, columns, names in figures
and the schema are derived from them.

Settings, jobs and figures import this module, so it uses the standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

EVERYTHING = "all"
"""The name of the subset that is all images."""
FEATURES_THEMSELVES = "none"
"""The name that stands for no decomposition: the features are clustered as they are."""
REQUIRED: Any = ...
"""Marks an axis without a default; `...` has this meaning in pydantic."""
NAMES, NUMBERS, SWITCHES = "string", "Int64", "boolean"
"""The kinds of values of an axis: names, numbers, or true and false. Each constant is the pandas type of the axis's
column."""


@dataclass(frozen=True)
class Axis:
    """The properties of an axis, without its name and the type of its values.

    Parameters
    ----------
    title : the axis's name in figures.
    stage : the first stage whose results depend on the axis.
    part : the wildcard that holds the value in paths; None if the wildcard has the axis's name.
    column : the column of the tables with the value; None if it has the axis's name.
    used : the name of a second column, with the value that was really used; it may differ from the value in
        the configuration.
    kind : `NAMES`, `NUMBERS` or `SWITCHES`.
    section : the section of the configuration whose keys are the allowed values. The exception is `layers`, which is no
        section: the layers of all backbones are allowed.
    reserved : a further allowed value.
    default : the default in the configuration, or `REQUIRED`.
    minimum : the smallest allowed number.
    description : the description in the configuration's schema.
    words : texts for some values in figures; other values are shown as they are.
    counted : the noun after a number in figures, such as "component".
    tacit : a value that figures need not mention if all cells have it.
    """

    title: str
    stage: str
    part: str | None = None
    column: str | None = None
    used: str | None = None
    kind: str = NAMES
    section: str | None = None
    reserved: str | None = None
    default: Any = REQUIRED
    minimum: int | None = None
    description: str | None = None
    words: Mapping[Any, str] = field(default_factory=dict)
    counted: str = ""
    tacit: Any = None


def _axis(title: str, stage: str, **more: Any) -> Any:
    return field(metadata={"axis": Axis(title, stage, **more)})


@dataclass(frozen=True)
class Axes:
    """One value for each axis, in the order of the stages. Its fields are the only list of the axes."""

    preprocess: str = _axis("Preprocessing", "preprocessed", section="preprocess")
    backbone: str = _axis("Backbone", "features", section="backbones")
    layer: str = _axis("Layer", "features", part="layer", section="layers")
    subset: str = _axis(
        "Images",
        "features",
        part="layer",
        section="subsets",
        reserved=EVERYTHING,
        default=EVERYTHING,
        words={EVERYTHING: "all images"},
        tacit=EVERYTHING,
    )
    decomposition: str = _axis(
        "Decomposition",
        "decomposed",
        part="reducer",
        column="reducer",
        section="decompositions",
        reserved=FEATURES_THEMSELVES,
        default="pca",
    )
    n_components: int | None = _axis(
        "Number of components",
        "points",
        part="reducer",
        used="n_components_used",
        kind=NUMBERS,
        default=None,
        minimum=1,
        description="null takes all.",
        words={None: "all components"},
        counted="component",
    )
    whiten: bool = _axis(
        "Whitening",
        "points",
        part="reducer",
        kind=SWITCHES,
        default=False,
        words={True: "whitened", False: "not whitened"},
    )
    clusterer: str = _axis("Clusterer", "clusters", section="clusterers")


AXES: dict[str, Axis] = {axis.name: axis.metadata["axis"] for axis in fields(Axes)}
"""Every axis by its name, in the order of `Axes`."""
PARTS: dict[str, tuple[str, ...]] = {
    part: tuple(name for name, axis in AXES.items() if (axis.part or name) == part)
    for part in dict.fromkeys(axis.part or name for name, axis in AXES.items())
}
"""For each wildcard of paths, the axes whose values it holds, in the order of `Axes`."""
COLUMNS: dict[str, str] = {
    column: kind
    for name, axis in AXES.items()
    for column, kind in ((axis.column or name, NAMES if axis.column else axis.kind), (axis.used, axis.kind))
    if column
}
"""The columns of the tables that say to which cell a row belongs, in order, with their pandas types."""
K_TITLE = "Number of clusters k"
TITLES: dict[str, str] = {**{name: axis.title for name, axis in AXES.items()}, "reducer": "Reduction", "k": K_TITLE}
"""The titles that all axes, the reduction and k have in figures."""
OF_REDUCTION = tuple(name for name, axis in AXES.items() if axis.stage == "points")
"""The axes that apply only to decompositions with ordered components."""


def axes_of(stage: str) -> tuple[str, ...]:
    """Return the axes that the results of a stage depend on: those of this stage and of all earlier ones."""
    stages = list(dict.fromkeys(axis.stage for axis in AXES.values()))
    return tuple(name for name, axis in AXES.items() if stages.index(axis.stage) <= stages.index(stage))


def parts_of(stage: str) -> tuple[str, ...]:
    """Return the wildcards in the path of a stage's results, in order."""
    return tuple(dict.fromkeys(AXES[axis].part or axis for axis in axes_of(stage)))
