"""Cells (combinations of choices), and their names in paths and in figures.

Jobs and figures import this module, so it uses the standard library only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow_scripts.grid.axes import AXES, EVERYTHING, PARTS, Axes
from workflow_scripts.wording import count


def join_layer(layer: str, subset: str) -> str:
    """Return the name of a layer's features for the images of a subset: `layer@subset`, or `layer` for all images."""
    return layer if subset == EVERYTHING else f"{layer}@{subset}"


def split_layer(name: str) -> tuple[str, str]:
    """Return the layer and the subset of a name made by `join_layer`."""
    layer, _, subset = name.partition("@")
    return layer, subset or EVERYTHING


@dataclass(frozen=True)
class Cell(Axes):
    """One combination of choices: a value for each axis."""

    @property
    def rows(self) -> str:
        """Return the name of the features of the cell's images: `layer`, or `layer@subset` for a subset."""
        return join_layer(self.layer, self.subset)

    @property
    def reducer(self) -> str:
        """Return the name of the decomposition, the number of components and the whitening as one word, such as
        `pca50w`."""
        return f"{self.decomposition}{self.n_components or ''}{'w' if self.whiten else ''}"

    @property
    def parts(self) -> dict[str, str]:
        """Return the values of all wildcards in the cell's paths, by wildcard."""
        joined = {"layer": self.rows, "reducer": self.reducer}
        named = {part: joined.get(part) or getattr(self, part) for part in PARTS}
        return {**named, "decomposition": self.decomposition, "subset": self.subset}

    def dump(self) -> dict[str, Any]:
        """Return the cell as a dictionary for `params`: the value of each axis, and `reducer`."""
        return {**vars(self), "reducer": self.reducer}


def word(axis: str, value: Any) -> str:
    """Return a choice in words for figures: `whiten=True` is "whitened", `n_components=50` is "50 components"."""
    if axis not in AXES:
        return str(value)
    of_axis = AXES[axis]
    if value in of_axis.words:
        return of_axis.words[value]
    return count(value, of_axis.counted) if of_axis.counted else str(value)


def axes_to_mention(cell: Mapping[str, Any], axes: Sequence[str]) -> list[str]:
    """Return the axes whose value a figure must state for a cell. An axis is left out if the cell's value on this axis
    is `Axis.tacit`, the value that goes without saying."""
    return [axis for axis in axes if AXES[axis].tacit is None or cell[axis] != AXES[axis].tacit]


def cell_names(cells: Sequence[Mapping[str, Any]], axes: Sequence[str]) -> list[str]:
    """Return a name for each cell, made of its choices on those of `axes` on which the cells differ.

    If all cells agree on `axes`, the name has the choices that a figure must state (see `axes_to_mention`). Cells that
    differ on any of `axes` have different names.
    """
    differing = [axis for axis in axes if len({cell[axis] for cell in cells}) > 1]
    named = differing or axes_to_mention(cells[0], axes)
    return [", ".join(word(axis, cell[axis]) for axis in named) for cell in cells]
