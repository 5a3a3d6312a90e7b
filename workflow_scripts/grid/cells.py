"""Cells, the combinations of choices: the names of their parts in paths, and what figures call them.

Jobs and figures import this module, so it uses the standard library only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow_scripts.grid.axes import AXES, EVERYTHING, PARTS, Axes


def join_layer(layer: str, subset: str) -> str:
    """Return the name of a layer's features of a subset's images, `layer@subset`; of all images the layer's own."""
    return layer if subset == EVERYTHING else f"{layer}@{subset}"


def split_layer(name: str) -> tuple[str, str]:
    """Return the layer and the subset that `join_layer` joined."""
    layer, _, subset = name.partition("@")
    return layer, subset or EVERYTHING


@dataclass(frozen=True)
class Cell(Axes):
    """One combination of choices."""

    @property
    def rows(self) -> str:
        """The name of the features that stages after extraction read: the layer, and a subset if it is one."""
        return join_layer(self.layer, self.subset)

    @property
    def reducer(self) -> str:
        """The generated name of decomposition, number of components and whitening: `pca50w`."""
        return f"{self.decomposition}{self.n_components or ''}{'w' if self.whiten else ''}"

    @property
    def parts(self) -> dict[str, str]:
        """The names by which paths hold the cell, by wildcard; also the decomposition and the subset alone."""
        joined = {"layer": self.rows, "reducer": self.reducer}
        named = {part: joined.get(part) or getattr(self, part) for part in PARTS}
        return {**named, "decomposition": self.decomposition, "subset": self.subset}

    def dump(self) -> dict[str, Any]:
        """Return the choices as jobs get them: a value for each axis, and the reducer's name."""
        return {**vars(self), "reducer": self.reducer}


def word(axis: str, value: Any) -> str:
    """Return a choice in plain language: `whiten=True` is "whitened", `n_components=50` is "50 components"."""
    if axis not in AXES:
        return str(value)
    return AXES[axis].words.get(value, f"{value}{AXES[axis].counted}")


def spoken(cell: Mapping[str, Any], axes: Sequence[str]) -> list[str]:
    """Return those of the axes whose value in a cell does not go without saying."""
    return [axis for axis in axes if AXES[axis].tacit is None or cell[axis] != AXES[axis].tacit]


def cell_names(cells: Sequence[Mapping[str, Any]], axes: Sequence[str]) -> list[str]:
    """Return a name for each cell: its choices on those of `axes` in which the cells differ, or on all if they don't.

    Names tell apart all cells that differ on `axes`, so these are the axes that a kind of figure shows.
    """
    differing = [axis for axis in axes if len({cell[axis] for cell in cells}) > 1]
    return [", ".join(word(axis, cell[axis]) for axis in differing or spoken(cells[0], axes)) for cell in cells]
