"""An axis that is added in `grid/axes.py` alone: cells, paths, tables and figures have it."""

import pandas as pd

from tests.workflow import Project

AXES = "workflow_scripts/grid/axes.py"
LAST = '    clusterer: str = _axis("Clusterer"'
FLAVOUR = '    flavour: str = _axis("Flavour", "clusters", default="plain")\n'
STUDY = """  flavours:
    vary: {flavour: [plain, bold]}
    figures: {accuracy: {kind: sensitivity, x: flavour}}
"""


class OwnPackage(Project):
    """A copy whose jobs import its own package, which is changed, and not the installed one."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "PYTHONPATH": str(self.folder)}


def test_an_axis_is_added_in_one_place(fresh, tmp_path):
    project = OwnPackage(fresh.copy(tmp_path / "project").folder)
    project.edit(AXES, LAST, FLAVOUR + LAST)
    path = project.folder / "config" / "config.yaml"
    path.write_text(path.read_text() + STUDY)
    project.run("study_flavours")
    root = project.folder / "results" / "small"
    for name in ("plain", "bold"):
        assert (root / f"clusters/clahe/squeezenet/fire9_avg/pca10/{name}/kmeans.h5").is_file()
    table = pd.read_csv(root / "tables" / "flavours.csv")
    assert list(table.columns)[:11][-2:] == ["flavour", "clusterer"]
    assert set(table["flavour"]) == {"plain", "bold"}
    figure = pd.read_csv(root / "tables" / "flavours" / "accuracy.csv")
    assert set(figure["x"]) == {"plain", "bold"}
    assert set(figure["axis"]) == {"Flavour"}
    assert "0.0 MB that no configuration names" in project.run("prune")
