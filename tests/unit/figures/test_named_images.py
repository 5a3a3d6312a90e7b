"""Images that the settings of a figure name, by path or id: each kind that shows images shows them."""

import re

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, draw, tabulate, write_clusters, write_manifest, write_store
from matplotlib.text import Text

from workflow_scripts.errors import UserError
from workflow_scripts.figures.contact_sheet import named_in_words
from workflow_scripts.metrics.members import twins_of
from workflow_scripts.settings.figures import Figure

OF_IMAGES = [kind for kind, model in Figure.registry.items() if model.shows_images]
POINTS = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 13.0, 30.0])[:, None]
PARTITION = np.array([0, 0, 0, 1, 1, 1, -1])


@pytest.mark.parametrize("kind", OF_IMAGES)
def test_every_kind_that_shows_images_shows_named_ones(kind):
    assert "images" in Figure.registry[kind].model_fields


def clustered(tmp_path):
    labels = ["a", "a", "a", "b", "b", "b", ""]
    return {
        "manifest": [write_manifest(tmp_path, labels)],
        "points": [write_store(tmp_path / "p.h5", scores=POINTS, image_id=np.arange(7).astype("S"))],
        "clusters": [write_clusters(tmp_path / "c.h5", {"2": ([PARTITION], [1.0])})],
    }


def test_a_sheet_shows_the_clusters_of_the_named_images(tmp_path):
    inputs = clustered(tmp_path)
    table = tabulate("contact_sheet", [CELL], inputs, images=["5.png", "3.png", "6.png"], per_place=1)
    assert set(table["name"]) == {"b"}
    named = table[table["place"] == "named"]
    assert named[["path", "position", "own"]].values.tolist() == [
        ["5.png", 0, pytest.approx(13 - 34 / 3)],
        ["3.png", 1, pytest.approx(34 / 3 - 10)],
    ]  # the third is noise
    assert set(table["not_shown"]) == {"6.png"}
    both = tabulate("contact_sheet", [CELL], inputs, images=["5.png"], clusters=["a", "b"], per_place=1)
    assert list(both["name"].unique()) == ["a", "b"]


@pytest.mark.parametrize(
    ("images", "pair"), [(["0.png"], ["a", "b"]), (["5.png", "4.png"], ["b", "a"]), (["4.png", "1.png"], ["b", "a"])]
)
def test_a_pair_is_that_of_the_named_images(images, pair, tmp_path):
    table = tabulate("cluster_pair", [CELL], clustered(tmp_path), images=images, per_place=1)
    assert set(table["name"]) == set(pair)
    assert set(table.loc[table["place"] == "named", "path"]) == set(images)
    assert set(table["not_shown"]) == {""}


def test_a_pair_names_the_images_outside_it(tmp_path):
    inputs = clustered(tmp_path) | {
        "clusters": [write_clusters(tmp_path / "c.h5", {"3": ([[0, 0, 0, 1, 1, 1, 2]], [1])})]
    }
    images = ["0.png", "3.png", "6.png"]
    table = tabulate("cluster_pair", [CELL], inputs, images=images, per_place=1)
    assert list(table.loc[table["place"] == "named", "path"]) == ["0.png", "3.png"]
    pixels = write_store(tmp_path / "i.h5", images=np.zeros((7, 4, 4), np.uint8))
    said = draw("cluster_pair", table, inputs | {"preprocessed": [pixels]}).get_supxlabel()
    assert "Named: 0.png, 3.png. Named but not shown: 6.png." in said


def test_files_that_are_shown_and_not_shown_have_different_short_names():
    paths = [f"{'folder/' * 6}image_{i}.png" for i in range(4)]
    table = pd.DataFrame({"place": "named", "path": paths[:2], "not_shown": "|".join(paths[2:])})
    files = re.findall(r"[^ ]+(?=[,.] )", named_in_words(table))
    assert len(set(files)) == 4


def test_a_named_image_has_the_nearest_image_of_another_cluster():
    twins = twins_of(POINTS, PARTITION, [5, 0])
    assert twins[["row", "twin", "distance"]].values.tolist() == [[5, 2, 11.0], [0, 3, 10.0]]
    nearest = np.array([1, 1, 1, 1, 1, 2, 17])
    np.testing.assert_allclose(twins["closer_than"], [(nearest > 11).mean(), (nearest > 10).mean()])
    assert twins_of(POINTS, np.zeros(7, int), [5]).empty


def test_named_images_take_their_nodes_of_the_tree(tmp_path):
    by_k = {"2": ([[0, 0, 0, 1, 1, 1, 1]], [1.0]), "3": ([[0, 0, 0, 1, 1, 1, 2]], [1.0])}
    inputs = clustered(tmp_path) | {"clusters": [write_clusters(tmp_path / "t.h5", by_k)]}
    pixels = write_store(tmp_path / "i.h5", images=np.zeros((7, 4, 4), np.uint8))
    cell = {**CELL, "clusterer": "ward"}
    nodes = tabulate("tree", [cell], inputs, images=["5.png", "6.png", "4.png"]).set_index(["first_k", "size"])
    assert nodes["named"].fillna("").to_dict() == {
        **{(1, 7): "5.png", (2, 3): "", (2, 4): "5.png", (3, 3): "5.png", (3, 1): "6.png"}
    }
    assert nodes.loc[(3, 1), "row"] == 6
    figure = draw("tree", nodes.reset_index(), inputs | {"preprocessed": [pixels]})
    said = {text.get_text() for text in figure.findobj(Text)}
    assert any("Named images: a: 5.png; b: 6.png. Named but not shown: 4.png." in text for text in said)
    assert "b: 1" in said


def test_islands_of_the_class_of_the_named_images(tmp_path):
    rng = np.random.default_rng(0)
    places = np.repeat([[0, 0], [9, 0], [20, 20]], [30, 20, 40], axis=0) + rng.normal(0, 0.3, (90, 2))
    inputs = {
        "manifest": [write_manifest(tmp_path, ["a"] * 50 + ["b"] * 40)],
        "map": [write_store(tmp_path / "t.h5", {"method": "tsne"}, scores=places)],
        "preprocessed": [write_store(tmp_path / "s.h5", images=np.zeros((90, 2, 2), np.uint8))],
    }
    table = tabulate("islands", [CELL], inputs, images=["40.png"])
    shown = table[table["part"] == "bin"].drop_duplicates("row")
    assert shown[["named", "row", "island", "class"]].values.tolist() == [["40.png", 40, 2, "a"]]
    with pytest.raises(UserError, match=r"islands: images: found 70.png, which is of b, allowed: images of a"):
        tabulate("islands", [CELL], inputs, images=["40.png", "70.png"])


@pytest.mark.parametrize("partition", [[0, 0, 0, -1], [-1, -1], [0, 1], [0]], ids=str)
def test_few_clusters_and_few_images_are_drawn(partition, tmp_path):
    n = len(partition)
    inputs = {
        "manifest": [write_manifest(tmp_path, ["a"] * n)],
        "points": [write_store(tmp_path / "p.h5", scores=POINTS[:n], image_id=np.arange(n).astype("S"))],
        "clusters": [write_clusters(tmp_path / "c.h5", {"auto": ([partition], [1.0])})],
        "preprocessed": [write_store(tmp_path / "i.h5", images=np.zeros((n, 4, 4), np.uint8))],
    }
    for kind in ("contact_sheet", "cluster_pair", "near_twins"):
        table = tabulate(kind, [CELL], inputs, images=["0.png"])
        assert draw(kind, table, inputs).get_size_inches()[0] == pytest.approx(170 / 25.4)
        assert kind != "contact_sheet" or ("border" in set(table["place"])) == (max(partition) > 0)
