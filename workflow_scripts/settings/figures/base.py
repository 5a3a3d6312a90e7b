"""The base classes of the settings of figures, and the types of their fields."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from workflow_scripts.errors import found_allowed
from workflow_scripts.grid.axes import AXES, NUMBERS, SWITCHES
from workflow_scripts.scores import OF_FIGURES
from workflow_scripts.settings.base import Model
from workflow_scripts.settings.costs import DISTANCES_AT_ONCE, FLOAT, PAIRS_COPIES
from workflow_scripts.settings.methods import Method

SHOWN = {axis.column or name: axis.kind for name, axis in AXES.items()}
"""The kind of values of each axis (`NAMES`, `NUMBERS` or `SWITCHES`), by the axis's column in the tables."""
X = (*(name for name, kind in SHOWN.items() if kind != SWITCHES), "k")
"""Choices that the x axis of a figure can show."""
HUES = tuple(name for name, kind in SHOWN.items() if kind != NUMBERS)
"""Choices that the colours of a figure can show."""
Metric = Literal[OF_FIGURES]  # type: ignore[valid-type]
Factor = Literal[(*AXES, "k")]  # type: ignore[valid-type]
Along = Literal[X]  # type: ignore[valid-type]
Hue = Literal[HUES]  # type: ignore[valid-type]
DRAWING = {"title", "width", "height"}
"""Settings that do not change the table of a figure."""
COLUMN, TWO_COLUMNS = 85, 170
"""The widths of one and of two columns of a journal, millimetres."""
Width = Annotated[
    float,
    Field(gt=20, le=500, description="Width in millimetres; one column of a journal is 85, two are 170."),
]


def _number_or_best(given: Any) -> Any:
    if given not in (None, "best") and not str(given).isdecimal():
        raise ValueError(f"found {given!r}, allowed: a whole number, best")
    return given


K = Annotated[int | Literal["best"] | None, BeforeValidator(_number_or_best)]
"""The number of clusters k of a figure. None takes the smallest of the cell's clusterer; `best` takes the k for which
the metric `by` has the best mean over the repeats."""


def check_axes(key: str, axes: Iterable[str]) -> None:
    """Raise `ValueError` if one of the names in `axes` is not the name of an axis.

    `key` is the key of the configuration that has these names, for the message.
    """
    for axis in axes:
        if axis not in AXES:
            raise ValueError(f"{key}: unknown axis: {found_allowed(axis, AXES)}")


class Drawing(Model):
    """Base class of the settings of figures. Title, width and height apply when the figure is drawn, all other settings
    when its table is computed."""

    sources: ClassVar[tuple[str, ...]] = ("scores",)
    """The names of the artefacts that the figure's table is computed from."""
    title: str | None = None
    width: Width = TWO_COLUMNS
    height: float | None = Field(None, gt=20, le=500)
    """Height in millimetres; null lets the kind of figure choose."""
    at: dict[str, Any] = {}
    """Choices of the cells that are shown. A figure of one cell shows the baseline with these choices; a figure of many
    cells shows the cells of the study that have them."""

    @model_validator(mode="after")
    def _axes(self) -> Self:
        check_axes("at", self.at)
        return self

    def table_settings(self) -> dict[str, Any]:
        """Return the settings that decide the figure's table."""
        return self.dump(exclude=DRAWING)

    def draw_settings(self) -> dict[str, Any]:
        """Return the settings that decide how the table is drawn."""
        return self.dump(include=DRAWING | {"kind"})


class Figure(Drawing, Method):
    """Base class of the settings of a study's figures. A figure's code is the module of the same name in `figures/`."""

    tag = "kind"
    registry: ClassVar[dict[str, type["Figure"]]] = {}
    of_cells: ClassVar[Literal["one", "all"] | tuple[str, ...]] = "all"
    """The cells that the figure shows. `one`: the baseline with the choices `at`. `all`: the study's cells that have
    the choices `at`. A tuple of axes: of those cells, the first one for each combination of values on these axes."""
    of_method: ClassVar[str | None] = None
    """Only cells whose decomposition has this method are shown; None shows cells with any decomposition."""
    shows_consensus: ClassVar[bool] = True
    """Whether cells whose clusters are the consensus of other cells may be shown."""
    of_one_subset: ClassVar[bool] = False
    """Whether all cells must have the same subset of the images."""
    computes: ClassVar[bool] = False
    """Whether the table takes long to compute, so that its job runs on a node of a computing cluster."""
    shows_images: ClassVar[bool] = False
    """Whether the figure shows preprocessed images."""
    copies_of_points: ClassVar[int] = 4
    """Number of copies of the points, in double precision, that the job of the table holds in memory."""
    copies_of_features: ClassVar[int] = 0
    """Number of copies of the features, in double precision, that the job of the table holds in memory."""
    holds_pairs: ClassVar[bool] = False
    """Whether the job of the table holds the distances of all pairs of points in memory, in blocks if there are
    many."""
    compares: ClassVar[bool] = False
    """Whether the figure needs more than one cell or one k."""
    of_product: ClassVar[bool] = False
    """Whether the cells must be all combinations of the choices that vary, with the same k and repeats in each."""
    shows_scales: ClassVar[bool] = False
    """Whether the figure needs the scales of the images, which are read only with `intake: {scale_bars: true}`."""
    shows_tiles: ClassVar[bool] = False
    """Whether the figure needs tiles, which only `intake: {tiles: ...}` makes."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the names of the artefacts that the figure's table is computed from."""
        return self.sources

    @property
    def runs_clusterers(self) -> bool:
        """Return whether the job of the table runs the cells' clusterers itself; then it needs their settings."""
        return False

    @property
    def n_perturbed(self) -> int:
        """Return the number of images that are perturbed and assigned to groups again; 0 if the figure perturbs
        none."""
        return 0

    @property
    def of_trusted_cell(self) -> bool:
        """Return whether the figure shows the most trusted of the study's cells, which becomes known only during the
        run."""
        return False

    @property
    def drawn_along(self) -> str | None:
        """Return the axis (or `k`) against which the figure draws its values; None if there is none."""
        return None

    @property
    def label_sets(self) -> Mapping[str, str]:
        """Return the folders and tables of labels that the figure compares, by name; empty if it compares none. The job
        gets them sorted by name."""
        return {}

    @property
    def decomposition_shown(self) -> str | None:
        """Return the name of a decomposition that the figure shows besides those of the cells, or None."""
        return None

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of memory that the job of the table needs at once; those of its libraries are left out.

        There are n images with `width` features; the points that are clustered have d dimensions. `stored` has for each
        cell of the figure the number of partitions that are stored for each k.
        """
        pairs = min(PAIRS_COPIES * FLOAT * n**2, DISTANCES_AT_ONCE) if self.holds_pairs else 0
        return FLOAT * n * (self.copies_of_points * d + self.copies_of_features * width) + int(pairs)


class OfOneK(Figure):
    """Base class of the settings of figures that show one cell at one number of clusters k."""

    of_cells = "one"
    sources: ClassVar[tuple[str, ...]] = ("manifest", "points", "clusters", "scores")
    k: K = None
    by: Metric = "accuracy_majority"
    """The metric that chooses k if `k` is `best`."""
