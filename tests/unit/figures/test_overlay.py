"""The overlay: images joined from their tiles, and the cluster of most tiles over each place."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.figure_artefacts import STYLE, tabulate, write_manifest
from workflow_scripts.errors import UserError
from workflow_scripts.figures.area_fractions import areas_of
from workflow_scripts.figures.new_images import write_overlays
from workflow_scripts.figures.overlay import majority, mosaic
from workflow_scripts.intake.regions import origins


def tiles_of(width, height, size, stride):
    places = [(x, y) for y in origins(height, size, stride) for x in origins(width, size, stride)]
    table = pd.DataFrame(places, columns=["x", "y"]).assign(width=size, height=size)
    return table.assign(row=range(len(table)))


@pytest.mark.parametrize("shape", [(50, 70), (50, 70, 3)])
def test_tiles_make_up_their_image(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    tiles = tiles_of(70, 50, 20, 15)
    images = np.stack([image[tile.y : tile.y + 20, tile.x : tile.x + 20] for tile in tiles.itertuples()])
    np.testing.assert_array_equal(mosaic(tiles, images), image)


def test_a_place_has_the_cluster_of_most_tiles_over_it():
    rng = np.random.default_rng(0)
    names = ["a", "b", "c"]
    tiles = tiles_of(70, 50, 20, 10).assign(name=lambda table: rng.choice(names, len(table)))
    xs, ys, found = majority(tiles, names)
    counts = np.zeros((50, 70, 3), int)
    for tile in tiles.itertuples():
        counts[tile.y : tile.y + 20, tile.x : tile.x + 20, names.index(tile.name)] += 1
    expected = counts.argmax(axis=2)
    drawn = found[np.searchsorted(ys, np.arange(50), "right") - 1][:, np.searchsorted(xs, np.arange(70), "right") - 1]
    np.testing.assert_array_equal(drawn, expected)


def test_areas_are_of_all_images_and_of_each_and_an_unknown_image_is_said(made):
    cells, inputs = made("area_fractions", 4)
    table = tabulate("area_fractions", cells, inputs)
    for _, of_image in table.groupby("parent", dropna=False):
        assert of_image["fraction"].sum() == pytest.approx(1)
    whole = table[table["parent"].isna()].set_index("name")["fraction"]
    assert whole.to_dict() == pytest.approx(
        {"class_00": 2 / 12, "class_00-2": 1 / 12, **dict.fromkeys(("class_01", "class_02", "class_03"), 3 / 12)}
    )
    chosen = tabulate("overlay", cells, inputs, images=["1.png"])
    assert set(chosen["parent"]) == {"1.png"}
    assert len(chosen) == 3
    with pytest.raises(UserError, match=r"found 'x\.png', allowed: 0\.png, 1\.png"):
        tabulate("overlay", cells, inputs, images=["x.png"])


def test_an_overlay_of_many_clusters_is_no_taller_than_its_lines_and_none_is_cut(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (320, 320)).astype(np.uint8)).save(tmp_path / "a.png")
    y, x = np.divmod(np.arange(100), 10) * np.array(32)
    cluster = np.arange(100) % 40
    names = [f"cluster {number}" for number in range(40)]
    clusters = pd.DataFrame({"name": names, "predicted": None, "rank": 1, "size": 5}).rename_axis("cluster")
    tiles = pd.DataFrame({"parent": "a.png", "page": 1, "x": x, "y": y, "width": 32, "height": 32, "cluster": cluster})
    tiles["group"] = "a.png"
    areas = areas_of(tiles, clusters, 0.95)
    tiles["name"] = [names[number] for number in cluster]
    nobody = write_manifest(tmp_path, [""])
    write_overlays(tmp_path / "made", tiles, areas, clusters, nobody, tmp_path, None, STYLE, lambda done, total: None)
    with Image.open(tmp_path / "made" / "a.png.png") as made:
        pixels = np.asarray(made.convert("L"))
    assert (pixels[[0, -1]] == 255).all()
    assert len(pixels) < 1.6 * pixels.shape[1]
