"""Maps of three dimensions on the page, against matplotlib's 3-D axes."""

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, draw, tabulate, write_clusters, write_manifest, write_store
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import proj3d

from workflow_scripts.figures.view import on_page


def test_places_are_those_of_matplotlibs_axes_from_the_same_side():
    points = np.random.default_rng(0).normal(size=(20, 3))
    ax = Figure().add_subplot(projection="3d", proj_type="ortho", elev=25, azim=-60)
    ax.set_box_aspect((1, 1, 1))
    ax.set(xlim=(-4, 4), ylim=(-4, 4), zlim=(-4, 4))
    expected = np.array(proj3d.proj_transform(*points.T, ax.get_proj()))
    found = on_page(pd.DataFrame(points, columns=["x", "y", "z"]))[["x", "y", "depth"]].to_numpy().T
    for name, of_ours, of_theirs in zip(("x", "y", "depth"), found, expected, strict=True):
        scale, _ = np.polyfit(of_ours, of_theirs, 1)
        assert abs(np.corrcoef(of_ours, of_theirs)[0, 1]) == pytest.approx(1), name
        assert scale > 0 or name == "depth"  # matplotlib's depth grows away from the viewer


def test_a_map_of_two_dimensions_stays_as_it_is():
    flat = pd.DataFrame({"x": [0.0, 1.0], "y": [2.0, 3.0]})
    assert on_page(flat) is flat


@pytest.mark.parametrize("kind", ["embedding", "maps"])
def test_a_map_of_three_dimensions_is_drawn_in_a_box_with_three_named_axes(kind, tmp_path):
    coordinates = np.random.default_rng(0).normal(size=(4, 3))
    inputs = {
        "manifest": [write_manifest(tmp_path, ["a", "a", "b", "b"])],
        "map": [write_store(tmp_path / "map.h5", {"method": "tsne", "dimensions": 3}, scores=coordinates)],
        "clusters": [write_clusters(tmp_path / "clusters.h5", {"2": ([[0, 0, 1, 1]], [1.0])})],
    }
    table = tabulate(kind, [CELL], inputs)
    np.testing.assert_array_equal(table[["x", "y", "z"]], coordinates)
    ax = draw(kind, table, inputs).axes[0]
    assert [text.get_text().strip() for text in ax.texts] == ["t-SNE 1", "t-SNE 2", "t-SNE 3"]
    edges = [np.transpose(line.get_data()) for line in ax.lines]
    assert len(edges) == 12
    assert len({tuple(np.round(np.diff(edge, axis=0)[0], 6)) for edge in edges}) == 3  # parallel four by four
