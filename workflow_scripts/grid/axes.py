"""The axes of the grid, declared once: cells, paths, wildcards, columns, names in figures and the schema follow them.

Settings, jobs and figures import this module, so it uses the standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

EVERYTHING = "all"
"""The subset's name that stands for all images."""
FEATURES_THEMSELVES = "none"
"""The decomposition's name that stands for clustering the features as they are."""
REQUIRED: Any = ...
"""The default of an axis that has none."""
NAMES, NUMBERS, SWITCHES = "string", "Int64", "boolean"
"""What the values of an axis are, by the pandas type of their column."""


@dataclass(frozen=True)
class Axis:
    """What is known of an axis beside its name and the type of its values.

    Parameters
    ----------
    title : in figures.
    stage : the first whose results depend on it; the stages follow each other as the axes do.
    part : the folder or file in a path, and the wildcard of that name, that holds its value; None is one of its own.
    column : of the tables; None is the axis's name.
    used : a second column, with the value that was possible.
    kind : `NAMES`, `NUMBERS` or `SWITCHES`.
    section : of the configuration, whose keys are the axis's values; `layers` are those of all backbones.
    reserved : a value beside those.
    default : in the configuration; `REQUIRED` is none.
    minimum : of a number.
    description : in the configuration's schema.
    words : what some values are called in figures; the others are called as they are.
    counted : what a number counts, behind it in figures.
    tacit : the value that goes without saying where all cells have it.
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
    """A value on each axis, in the order of the stages: a field is an axis, and nobody else lists them."""

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
        counted=" components",
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
"""Every axis by its name, in order."""
PARTS: dict[str, tuple[str, ...]] = {
    part: tuple(name for name, axis in AXES.items() if (axis.part or name) == part)
    for part in dict.fromkeys(axis.part or name for name, axis in AXES.items())
}
"""For each part of a path the axes whose values it holds, in order."""
COLUMNS: dict[str, str] = {
    column: kind
    for name, axis in AXES.items()
    for column, kind in ((axis.column or name, NAMES if axis.column else axis.kind), (axis.used, axis.kind))
    if column
}
"""The columns of the tables that say which cell a row is of, in order, with their types."""
K_TITLE = "Number of clusters k"
TITLES: dict[str, str] = {**{name: axis.title for name, axis in AXES.items()}, "reducer": "Reduction", "k": K_TITLE}
"""What figures call the axes, and what else they may be drawn along."""
OF_REDUCTION = tuple(name for name, axis in AXES.items() if axis.stage == "points")
"""The axes that only a decomposition into ordered components has."""


def axes_of(stage: str) -> tuple[str, ...]:
    """Return the axes that the results of a stage depend on: its own and those of the stages before it."""
    stages = list(dict.fromkeys(axis.stage for axis in AXES.values()))
    return tuple(name for name, axis in AXES.items() if stages.index(axis.stage) <= stages.index(stage))


def parts_of(stage: str) -> tuple[str, ...]:
    """Return the parts of the path of a stage's results, in order."""
    return tuple(dict.fromkeys(AXES[axis].part or axis for axis in axes_of(stage)))
