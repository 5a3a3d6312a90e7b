"""Estimates of bytes against the arrays themselves, and of memory against the arrays that a job holds."""

from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from workflow_scripts.backbones.torchvision_import import torchvision
from workflow_scripts.clusterers import kmeans
from workflow_scripts.consensus.consensus import MAX_LINKED
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.expand import Grid
from workflow_scripts.io.points import reduced
from workflow_scripts.metrics.internal import MAX_POINTS
from workflow_scripts.planning.data_sizes import csv_rows
from workflow_scripts.planning.sizes import BASE_MB, BASE_MINUTES, PERTURBED_VERSIONS, Sizes
from workflow_scripts.preprocess.perturbations import VERSIONS
from workflow_scripts.reduce import scaling
from workflow_scripts.reduce.dense import Autoencoder
from workflow_scripts.reduce.pca import MAX_EXACT, fit_pca
from workflow_scripts.settings import parse
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.costs import CLUSTER_THREADS, FLOPS, LINKED_IMAGES, SILHOUETTE_POINTS
from workflow_scripts.settings.decompositions.components import EXACT_SIDE, FITTED_NUMBERS

CONFIG = """
preprocess:
  grey: [grey, {resize: {size: [128, 128]}}]
  colour: [resize, {centre_crop: {size: [224, 200]}}]
backbones: {net: {model: squeezenet1_1, layers: [[fire9_avg, fire9_flat]]}}
decompositions: {pca: {method: pca}, few: {method: pca, max_components: 9}, map: {method: tsne, n_components: 20}}
clusterers:
  all: {method: kmeans, k: [2, 5], n_init: 30, repeats: 3, keep: all}
  best: {method: kmeans, k: [2, 300], n_init: 2, repeats: 4}
  mini: {method: minibatch_kmeans, k: 4, n_init: 3, repeats: 2}
  paper: {method: kmeans, k: 7, n_init: 500, repeats: 10}
  many_mini: {method: minibatch_kmeans, k: 7, n_init: 500, repeats: 10}
cross_validations: {folds: {folds: 4}}
baseline: {preprocess: grey, backbone: net, layer: fire9_avg, clusterer: all}
studies: {main: {vary: {decomposition: [pca, few, map, none], n_components: [null, 50]}}}
"""
N = 320


def _sizes(config, layout):
    settings = parse(config)
    return Sizes(settings, layout, Grid(settings))


@pytest.fixture
def sizes(tmp_path, monkeypatch):
    """Return the estimates for a data set with `N` images in the table of the intake job."""
    monkeypatch.chdir(tmp_path)
    layout = Layout("small")
    table = tmp_path / layout.images
    table.parent.mkdir(parents=True)
    table.write_text("image_id,path,width,height\n" + "".join(f'{n},"new\nline/{n}.png",200,200\n' for n in range(N)))
    return _sizes(yaml.safe_load(CONFIG), layout)


def _cell(layer="fire9_avg", decomposition="pca", n_components=None, clusterer="all", preprocess="grey"):
    return Cell(preprocess, "net", layer, "all", decomposition, n_components, False, clusterer)


def _stage(files, stage):
    return next(size for path, size in files.items() if f"/{stage}/" in path)


def test_a_training_has_room_for_features_and_weights_and_time_for_its_epochs(sizes):
    widths = [400, 60, 5]
    needs = []
    for epochs in (1, 1001):
        network = {"method": "autoencoder", "widths": widths, "phases": [{"g": epochs}]}
        config = yaml.safe_load(CONFIG)
        config["decompositions"]["net"] = network
        wildcards = SimpleNamespace(preprocess="grey", backbone="net", layer="fire9_flat", decomposition="net")
        estimates = _sizes(config, sizes.layout)
        width = estimates.width(_cell("fire9_flat"))
        needs.append((estimates.decompose_mb(wildcards, 1), estimates.decompose_minutes(wildcards, 1)))
    weights = sum(pair.encoder.numel() for pair in Autoencoder(width, widths, [False] * 3, "elu").pairs)
    in_both_precisions = 12 * N * width
    adam_and_best = 5 * 4 * 2 * weights
    assert needs[0][0] >= BASE_MB + (in_both_precisions + adam_and_best) / 1e6
    seconds = 12 * weights * N * 1000 / FLOPS
    assert needs[1][1] - needs[0][1] == pytest.approx(seconds / 60, abs=1)


def test_rows_are_counted_and_not_lines(sizes):
    assert sizes.n_images == csv_rows(sizes.layout.images) == N


def test_before_intake_the_folder_is_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a/1.png", "a/2.png", "b/3.png", "b/3_mask.png", "b/.hidden.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).touch()
    config = {**yaml.safe_load(CONFIG), "data": str(tmp_path / "data"), "intake": {"exclude": ["*_mask.png"]}}
    assert _sizes(config, Layout("new")).n_images == 3


@pytest.mark.parametrize(
    ("layer", "decomposition", "n_components"),
    [
        ("fire9_avg", "pca", 5),
        ("fire9_avg", "pca", None),
        ("fire9_avg", "pca", 10_000),
        ("fire9_avg", "few", 50),
        ("fire9_avg", "map", None),
        ("fire9_avg", "none", None),
        ("fire9_flat", "none", None),
    ],
)
def test_bytes_are_those_of_the_arrays(sizes, layer, decomposition, n_components):
    """Run all stages on random images with a real network, and compare the bytes of each store."""
    images = np.zeros((N, 128, 128), dtype=np.uint8)
    network = torchvision.models.get_model("squeezenet1_1", weights=None).features
    with torch.inference_mode():
        output = network(torch.rand(1, 3, 128, 128))
    width = {"fire9_avg": output.shape[1], "fire9_flat": output[0].numel()}[layer]
    features = np.random.default_rng(0).random((N, width), dtype=np.float32)
    points, stored, axes = features, None, 0
    if decomposition != "none":
        fitted = fit_pca(features, max_components=9 if decomposition == "few" else None)
        stored = np.concatenate([scores for _, scores in fitted.transform(features)])
        axes = fitted.components.astype(np.float32).nbytes
        points, _ = reduced(stored, fitted.explained_variance, n_components or stored.shape[1], False)
    if decomposition == "map":
        points, axes = stored[:, :2], 0
        stored = points
    settings = sizes.settings.clusterers["all"].dump() | {"max_iter": 2}
    runs = [of_k for _, of_k in kmeans.cluster(points, settings, 0, 1, lambda done, total: None)]
    files = sizes.files_of(_cell(layer, decomposition, n_components))
    assert _stage(files, "preprocess") == images.nbytes
    assert _stage(files, "features") == features.nbytes
    stored_of_runs = [getattr(of_k, field.name) for of_k in runs for field in fields(of_k)]
    clustered = sum(array.nbytes for array in stored_of_runs if isinstance(array, np.ndarray))
    assert clustered <= _stage(files, "clusters") <= 1.1 * clustered
    if stored is None:
        assert not any("/decomposed/" in path for path in files)
    else:
        # One component less than images: the mean is gone.
        written = stored.nbytes + axes
        assert written <= _stage(files, "decomposed") <= written * N / (N - 1)


def test_labels_above_256_clusters_take_two_bytes(sizes):
    best = _stage(sizes.files_of(_cell(n_components=1, clusterer="best")), "clusters")
    labels = 4 * N * (1 + 2)
    centres = 4 * (2 + 300) * 8
    assert labels + centres < best <= labels + centres + 4 * 2 * 40


def test_channels_and_size_follow_the_last_step(sizes):
    assert _stage(sizes.files_of(_cell(preprocess="colour")), "preprocess") == N * 224 * 200 * 3


@pytest.mark.parametrize("method", ["bisecting_kmeans", "minibatch_kmeans", "mean_shift", "affinity_propagation"])
def test_centres_of_every_method_that_keeps_them_are_counted(method):
    """A method that finds k itself is counted as if it found as many clusters as points."""
    points = np.random.default_rng(0).normal(size=(120, 30))
    model = Clusterer.registry[method]
    settings = model() if model.finds_k else model(k=[2, 40])
    run = import_module(f"workflow_scripts.clusterers.{method}").cluster
    runs = [runs for _, runs in run(points, settings.dump(), 0, 1, lambda done, total: None)]
    centers = sum(of_k.centers.nbytes for of_k in runs)
    assert centers
    if model.finds_k:
        centers = 120 * 30 * 8
    assert centers < settings.stored_bytes(*points.shape) <= 1.2 * centers


def test_kmeans_takes_threads_if_it_takes_longer_than_its_start():
    settings = Clusterer.registry["kmeans"](k=[7], n_init=500, repeats=10)
    assert settings.threads(n=1800, d=50) == CLUSTER_THREADS
    assert settings.threads(n=347, d=20) == 1
    minibatch = Clusterer.registry["minibatch_kmeans"](k=[7], n_init=500, repeats=10)
    assert minibatch.threads(n=100_000, d=50) == 1  # scikit-learn runs them on one


WILDCARDS = SimpleNamespace(
    preprocess="grey",
    backbone="net",
    layer="fire9_flat",
    decomposition="pca",
    reducer="none",
    clusterer="all",
    cross_validation="folds",
)


def test_memory_and_time_grow_with_the_attempt(sizes):
    needs = [
        sizes.stream_mb,
        sizes.reading_mb,
        sizes.reading_again_mb,
        sizes.preprocess_mb,
        sizes.features_mb("net"),
        sizes.decompose_mb,
        sizes.cluster_mb,
        sizes.score_mb,
        sizes.cluster_minutes,
        sizes.score_minutes,
        sizes.validate_minutes,
        sizes.runtime_per_image(0.5),
    ]
    for need in needs:
        first, second, third = (need(WILDCARDS, attempt=attempt) for attempt in (1, 2, 3))
        assert 0 < first < second < third
        assert isinstance(first, int)


def test_what_reads_images_asks_for_at_most_8_gib_and_for_less_if_images_are_small():
    for most, reading, preprocessing in ((10**8, 7400, 6400), (10**6, 480, 880), (125 * 10**6, 7900, 7900)):
        sizes = _sizes({**yaml.safe_load(CONFIG), "intake": {"max_pixels": most}}, Layout("small"))
        assert (sizes.reading_mb(WILDCARDS, 1), sizes.preprocess_mb(WILDCARDS, 1)) == (reading, preprocessing)
        assert max(reading, preprocessing) * 1e6 < 8 * 2**30


def test_the_largest_image_decides_when_intake_has_found_it(tmp_path, monkeypatch):
    """Of tiles, one page of the largest file is in memory too. Less than what streaming takes is never asked for."""
    monkeypatch.chdir(tmp_path)
    layout = Layout("small")
    Path(layout.images).parent.mkdir(parents=True)
    whole = _sizes(yaml.safe_load(CONFIG), layout)
    tiles = _sizes({**yaml.safe_load(CONFIG), "intake": {"tiles": {"size": 1000}}}, layout)
    for megapixels, expected in ((None, (7400, 6400, 6400)), (1, (2000, 2000, 2000)), (50, (4400, 6400, 2000))):
        if megapixels:
            Path(layout.images).write_text(f"width,height\n9,9\n{megapixels},1000000\n")
            Path(layout.regions).write_text("width,height\n1000,1000\n")
        needs = whole.reading_again_mb, whole.preprocess_mb, tiles.preprocess_mb
        assert tuple(need(WILDCARDS, 1) for need in needs) == expected
    Path(layout.images).write_text("width,height\n300,1000000\n")
    assert tiles.preprocess_mb(WILDCARDS, 1) == 400 + 8 * 60 + 3000


def test_colours_of_floats_and_larger_pages_behind_the_first_are_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    layout = Layout("small")
    Path(layout.images).parent.mkdir(parents=True)
    Path(layout.images).write_text("width,height,mode\n1000,100000,L\n1000,50000,RGB;float32\n")
    sizes = _sizes(yaml.safe_load(CONFIG), layout)
    assert sizes.reading_again_mb(WILDCARDS, 1) == 400 + 2 * 75 * 50  # two images at once
    pages = _sizes({**yaml.safe_load(CONFIG), "intake": {"pages": "all", "tiles": {"size": 1000}}}, layout)
    Path(layout.images).write_text("width,height,mode\n1000,1000,L\n")
    assert pages.reading_again_mb(WILDCARDS, 1) == 7400  # the other pages are not known yet
    rows = "1000,1000,0,0,L\n1000,1000,19000,14000,L\n"  # the last tile of a page of 20 000 x 15 000
    Path(layout.regions).write_text(f"width,height,x,y,mode\n{rows}")
    assert pages.preprocess_mb(WILDCARDS, 1) == 400 + 8 * 60 + 10 * 300


def test_the_shards_of_a_layer_take_its_bytes_once_more(sizes):
    config = yaml.safe_load(CONFIG)
    config["backbones"]["net"]["shards"] = 5
    whole, split = sizes.files_of(_cell()), _sizes(config, sizes.layout).files_of(_cell())
    shards = {path: size for path, size in split.items() if "/shards/" in path}
    assert len(shards) == 5
    assert sum(shards.values()) == pytest.approx(_stage(whole, "features"), rel=0.01)
    assert split.keys() - shards.keys() == whole.keys()


def test_larger_images_take_more_memory_in_the_network(sizes):
    small, large = (sizes.features_mb("net")(SimpleNamespace(preprocess=name), 1) for name in ("grey", "colour"))
    assert small < large


def test_minutes(sizes):
    assert sizes.runtime_per_image(3.0)(WILDCARDS, attempt=1) == 10 + 3 * N / 60


def _reduced(**changed):
    return SimpleNamespace(**{**vars(WILDCARDS), "layer": "fire9_avg", "reducer": "pca50", **changed})


@pytest.mark.parametrize(
    ("n", "restarts_per_second"),
    [(1800, 230), (20_000, 10), (52_000, 2.2)],
)
def test_there_is_time_for_k_means_where_no_kernel_was_compiled(sizes, monkeypatch, n, restarts_per_second):
    """The rates of scikit-learn at k = 7, 10 and 20 with one thread are those of docs/case_studies/benchmarks.md."""
    monkeypatch.setattr(type(sizes), "n_images", n)
    k = {1800: 7, 20_000: 10, 52_000: 20}[n]
    paper = sizes.settings.clusterers["paper"].model_copy(update={"k": [k]})
    monkeypatch.setitem(sizes.settings.clusterers, "paper", paper)
    minutes = sizes.cluster_minutes(_reduced(clusterer="paper"), 1) - BASE_MINUTES
    assert minutes >= 0.5 * 5000 / restarts_per_second / 60
    assert minutes <= 24 * 60


def test_small_jobs_take_little_more_than_their_start(sizes):
    for minutes in (sizes.cluster_minutes, sizes.score_minutes):
        assert BASE_MINUTES <= minutes(_reduced(clusterer="best"), 1) <= BASE_MINUTES + 1


def test_limits_are_those_of_the_code():
    assert SILHOUETTE_POINTS == MAX_POINTS
    assert LINKED_IMAGES == MAX_LINKED


@pytest.mark.parametrize(("n", "samples"), [(10_000, 0.25), (20_000, 1), (50_000, 10), (150_000, 10)])
def test_there_is_time_for_silhouettes(sizes, monkeypatch, n, samples):
    """Those of 20 000 x 50 points took 5.5 to 9.8 s; of more points each of the ten clusterings has such a sample."""
    monkeypatch.setattr(type(sizes), "n_images", n)
    minutes = sizes.score_minutes(_reduced(clusterer="paper"), 1) - BASE_MINUTES
    assert 2 * 9.8 * samples / 60 - 0.5 <= minutes <= 10 * 5.5 * samples / 60 + 0.5


def test_many_clusterings_of_few_images_take_the_time_of_their_silhouettes(sizes, monkeypatch):
    """70 clusterings more of 6000 x 50 points took 2.5 s more; the time grows with pairs and clusterings."""
    monkeypatch.setattr(type(sizes), "n_images", 20_000)
    paper, needed = sizes.settings.clusterers["paper"], []
    for n_k in (1, 100, 200):
        monkeypatch.setitem(sizes.settings.clusterers, "paper", paper.model_copy(update={"k": list(range(2, n_k + 2))}))
        needed.append(sizes.score_minutes(_reduced(clusterer="paper"), 1))
    measured = 2.5 / 70 * (20_000 / 6000) ** 2 * 100 * paper.n_repeats / 60
    assert needed[2] - needed[1] >= measured
    assert needed[2] - needed[1] == pytest.approx(needed[1] - needed[0], abs=2)


def test_folds_take_the_time_of_their_clusterings(sizes, monkeypatch):
    monkeypatch.setattr(type(sizes), "n_images", 20_000)
    one, folds = (need(_reduced(clusterer="paper"), 1) for need in (sizes.cluster_minutes, sizes.validate_minutes))
    assert folds - BASE_MINUTES >= 3.9 * (one - BASE_MINUTES)


@pytest.mark.parametrize("n", [300, 1800, 8192, 8193, 150_000])
def test_decomposition_has_room_for_what_pca_holds(sizes, monkeypatch, n):
    assert EXACT_SIDE == MAX_EXACT
    assert FITTED_NUMBERS == scaling.FITTED_NUMBERS
    monkeypatch.setattr(type(sizes), "n_images", n)
    side, width = min(n, 512), 512
    least = 8 * (2 * side * side + 2 * side * width) / 1e6  # matrix and eigenvectors; axes and the sum under way
    wildcards = SimpleNamespace(**{**vars(WILDCARDS), "layer": "fire9_avg"})
    assert BASE_MB + least <= sizes.decompose_mb(wildcards, 1) <= 8000


def test_clustering_has_room_for_features_as_they_are(sizes):
    width = sizes.width(_cell("fire9_flat"))
    assert width > 10_000
    assert sizes.cluster_mb(WILDCARDS, 1) >= BASE_MB + 2 * 8 * N * width / 1e6


def test_more_images_need_no_less(sizes, monkeypatch):
    for need in (sizes.decompose_mb, sizes.cluster_mb, sizes.score_mb, sizes.cluster_minutes, sizes.score_minutes):
        found = []
        for n in (10, 1000, 5000, 5001, 20_000, 150_000):
            monkeypatch.setattr(type(sizes), "n_images", n)
            found.append(need(_reduced(), 1))
        assert found == sorted(found)


def test_a_perturbed_image_has_as_many_versions_as_are_made():
    assert len(VERSIONS) + 1 == PERTURBED_VERSIONS
