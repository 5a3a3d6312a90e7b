"""A micrograph of two phases with a known share, composed of real textures: cut into tiles, clustered, and measured."""

import re

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.mosaics import SHARE, two_phases, write_two_phases
from tests.workflow import Project

CONFIG = """
data: pictures
name: phases
n_clusters: 2
intake: {tiles: {size: 48, stride: 48}, labels: none}
preprocess: {plain: [grey, resize: {size: [48, 48]}]}
backbones: {lbp: {descriptor: lbp}}
decompositions: {pca: {method: pca}}
clusterers: {kmeans: {method: kmeans, n_init: 20, repeats: 1}}
baseline: {preprocess: plain, backbone: lbp, layer: features, n_components: 10, whiten: false, clusterer: kmeans}
studies:
  phases:
    figures:
      areas: {kind: area_fractions}
      map: {kind: overlay}
"""
RESULTS = "results/phases"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    project = Project.new(tmp_path_factory.mktemp("tiles") / "project")
    masks = write_two_phases(project.folder / "pictures", 1152, 2)
    truth = {f"{number}.png": mask for number, mask in enumerate(masks)}
    (project.folder / "config" / "config.yaml").write_text(CONFIG)
    said = project.run(f"{RESULTS}/figures/phases/areas.png", f"{RESULTS}/figures/phases/map.png")
    return project, truth, said


def test_the_area_of_the_phase_is_in_the_interval(study):
    project, _, said = study
    table = pd.read_csv(project.folder / RESULTS / "tables/phases/areas.csv")
    for _, of_image in table.groupby("parent", dropna=False):
        of_grass = of_image.sort_values("fraction").iloc[0]
        assert of_grass["low"] <= SHARE <= of_grass["high"]
    whole = table[table["parent"].isna()].sort_values("fraction").iloc[0]
    assert abs(whole["fraction"] - SHARE) < 0.05
    assert whole["high"] - whole["low"] < 0.3
    assert re.search(r"1,152 parts of 2 files are the images", said)


def test_the_map_is_where_the_phase_is(study):
    project, truth, _ = study
    tiles = pd.read_parquet(project.folder / RESULTS / "tables/phases/map.parquet")
    grass = tiles["cluster"].value_counts().idxmin()
    of_tile = [
        truth[tile.parent][tile.y : tile.y + tile.height, tile.x : tile.x + tile.width].mean()
        for tile in tiles.itertuples()
    ]
    pure = (np.array(of_tile) < 0.05) | (np.array(of_tile) > 0.95)
    right = (tiles["cluster"] == grass) == (np.array(of_tile) > 0.5)
    assert right[pure].mean() > 0.95


def test_rows_are_tiles_of_a_group(study):
    project, *_ = study
    manifest = pd.read_csv(project.folder / RESULTS / "manifest.csv")
    assert set(manifest["group"]) == {"0.png", "1.png"}
    with h5py.File(project.folder / RESULTS / "preprocess/plain.h5") as file:
        assert [image.decode() for image in file["image_id"]] == list(manifest["image_id"])


@pytest.fixture(scope="module")
def predicted(study, tmp_path_factory):
    """The study with a model, which predicted the tiles of two further micrographs; and the truth about these."""
    project, *_ = study
    folder, truth = tmp_path_factory.mktemp("new") / "monday", {}
    (folder / "deep").mkdir(parents=True)
    for seed, name in ((7, "a.png"), (8, "deep/b.png")):
        image, truth[name] = two_phases(720, seed)
        Image.fromarray(image).save(folder / name)
    Image.fromarray(image[:40, :40]).save(folder / "small.png")
    project.run("predict", "monitor", "--config", f"new_images={folder}", "batch_size=2")
    (made,) = (project.folder / RESULTS / "predictions").iterdir()
    return project, made, truth


def test_tiles_of_new_images_get_their_groups(predicted):
    project, made, truth = predicted
    tiles = pd.read_csv(made / "phases.csv", dtype={"name": str})
    assert tiles.groupby("parent").size().to_dict() == dict.fromkeys(truth, 15 * 15)
    assert set(tiles["name"]) == {"0", "1"}
    grass = tiles["cluster"].value_counts().idxmin()
    shares = [
        truth[tile.parent][tile.y : tile.y + tile.height, tile.x : tile.x + tile.width].mean()
        for tile in tiles.itertuples()
    ]
    pure = np.abs(np.array(shares) - 0.5) > 0.45
    assert ((tiles["cluster"] == grass) == (np.array(shares) > 0.5))[pure].mean() > 0.95
    (left_out,) = (project.folder / RESULTS / "new_images").glob("*/regions_set_aside.csv")
    assert pd.read_csv(left_out)["path"].tolist() == ["small.png"]


def test_areas_and_overlays_of_new_images(predicted):
    _, made, truth = predicted
    areas = pd.read_csv(made / "phases" / "areas.csv")
    for parent, is_grass in truth.items():
        of_grass = areas[areas["parent"] == parent].sort_values("fraction").iloc[0]
        assert of_grass["fraction"] == pytest.approx(is_grass.mean(), abs=0.07)
        assert of_grass["low"] <= SHARE <= of_grass["high"]
        with Image.open(made / "phases" / "overlays" / f"{parent}.png") as drawn:
            pixels = np.asarray(drawn.convert("RGB")).astype(int)
        assert (np.ptp(pixels, axis=2) > 20).mean() > 0.3  # the image is grey and its clusters are not
    assert areas["parent"].isna().sum() == 2


def test_a_new_file_is_a_group_of_the_monitor(predicted):
    project, made, _ = predicted
    chart = pd.read_csv(project.folder / RESULTS / "monitor" / made.name / "phases.csv")
    assert chart[["images", "first", "last", "groups"]].values.tolist() == [[450, "a.png", "deep/b.png", 2]]
