"""Two cells that differ in any one axis are told apart in every kind of figure that shows both."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.figure_artefacts import CELL, TABLE_SETTINGS, artefacts, tabulate, write_agreements
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import Cell
from workflow_scripts.settings.clusterers.given_k import DensityPeaks
from workflow_scripts.settings.figures import Figure

OTHER = {axis: f"another_{axis}" for axis in AXES} | {"n_components": 5, "whiten": False}
LAYOUT = Layout("d")
ALONG = {"n_components": "n_components", "decomposition": "reducer", "whiten": "reducer"}
"""What a figure with an x of its own has along it, where that is not the axis itself."""
OF_CHANGES = ("effects", "heatmap")
"""Kinds that cannot be made of one cell."""
OF_PARTITIONS = {
    kind
    for kind, model in Figure.registry.items()
    if model.of_cells == "all" and {"clusters", "agreement"} & {*model.sources}
}
"""Kinds that compare the partitions of the same images."""
SHOWN = [
    (kind, axis)
    for kind, model in Figure.registry.items()
    if model.of_cells != "one" and "consensus" not in model.sources  # which is one for all cells
    for axis in (AXES if model.of_cells == "all" else model.of_cells)
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artefacts")
    return folder, artefacts(folder, 4)


def _source(name: str, cell: Cell) -> str:
    """The path of an artefact of a cell: the same for all cells that share it."""
    if name == "points":
        return LAYOUT.points(cell)
    if name == "manifest":
        return LAYOUT.manifest_of(cell.subset)
    pattern = LAYOUT.decomposed if name == "map" else getattr(LAYOUT, name)
    return LAYOUT.of(pattern, cell, cross_validation="folds", **({"decomposition": "tsne"} if name == "map" else {}))


def _inputs(folder: Path, inputs, cells):
    """Of the first cell's inputs a copy for each cell, where its layout has a file of its own."""
    copied = {}
    for name, paths in inputs.items():
        if name == "agreement":
            dumped = [cell.dump() for cell in cells]
            copied[name] = [write_agreements(folder / "agreement.h5", dumped, inputs["clusters"][:1] * len(cells))]
            continue
        copied[name] = []
        for cell in cells:
            target = folder / _source(name, cell)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(paths[0], target)
            if name == "scores":
                scores = pd.read_parquet(target)
                moved = scores["accuracy_majority"] + len(copied[name])
                scores.assign(n_components_used=cell.n_components, accuracy_majority=moved).to_parquet(target)
            copied[name].append(str(target))
    return copied


def _names(table: pd.DataFrame) -> set:
    """What the rows of a table are called: their texts, and the places that they have in a figure."""
    called = [name for name in table if not pd.api.types.is_numeric_dtype(table[name]) or name in ("variant", "x")]
    return set(table[called].astype(str).itertuples(index=False))


def _settings(kind: str, axis: str, cells) -> dict:
    if kind == "sensitivity":
        return {"x": ALONG.get(axis, axis), "hue": None}
    if kind == "heatmap":
        return {"axes": (axis, "k")}
    if kind == "effects":
        return {"metrics": ["accuracy_majority"]}
    if kind == "toy_panel":
        return {"clusterers": {cell.clusterer: DensityPeaks(k=[9]).dump() for cell in cells}}
    return {}


@pytest.mark.parametrize(("kind", "axis"), SHOWN)
def test_two_cells_that_differ_in_one_axis_are_told_apart(made, tmp_path, kind, axis):
    own, inputs = made[1][kind]
    if kind in OF_PARTITIONS and axis == "subset":
        pytest.skip("partitions of other images cannot be compared")
    first = Cell(**{name: value for name, value in (CELL | own[0]).items() if name in AXES})
    other = Cell(**vars(first) | {axis: OTHER[axis]})
    tables = [
        tabulate(
            kind, [cell.dump() for cell in cells], _inputs(tmp_path, inputs, cells), **_settings(kind, axis, cells)
        )
        for cells in ([first, other], [first])[: 1 if kind in OF_CHANGES else 2]
    ]
    if kind in OF_CHANGES:
        assert axis in set(tables[0]["term" if kind == "effects" else "x_axis"])
    else:
        together, alone = map(_names, tables)
        assert len(together) > len(alone)
        assert len(alone) > 0 or kind in OF_PARTITIONS  # of one cell these say that there is nothing to compare


def test_every_figure_of_many_cells_is_among_them():
    assert {"explained_variance", "sensitivity", "maps", "toy_panel"} <= {kind for kind, _ in SHOWN}
    assert TABLE_SETTINGS.keys() >= {kind for kind, _ in SHOWN}
