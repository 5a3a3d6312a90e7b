"""Estimates of memory are at least the measured peak of the job and at most three times this peak, at two sizes."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from tests.jobs import CELL, run_job, write_data, write_images, write_partition, write_scores
from tests.peak_memory import peaks
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.io.agreement import write_agreement
from workflow_scripts.kmeans_kernels import VARIABLE
from workflow_scripts.planning.sizes import Sizes
from workflow_scripts.settings import parse
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.decompositions import Decomposition
from workflow_scripts.settings.figures import Figure

LIGHT = ["snakemake.script", "tests.jobs", "workflow_scripts.metrics.table", "sklearn.cluster", "sklearn.mixture"]
TORCH = [*LIGHT, "torch"]
CLUSTERERS = {
    "kmeans": ({"k": 20, "n_init": 2, "repeats": 1}, (3000, 2000), (30_000, 200)),
    "minibatch_kmeans": ({"k": 20, "repeats": 1}, (20_000, 300), (60_000, 50)),
    "bisecting_kmeans": ({"k": 8, "repeats": 1, "n_init": 1, "max_iter": 5}, (20_000, 300), (30_000, 100)),
    "linkage": ({"k": 8, "linkage": "average"}, (5000, 10), (2000, 2000)),
    "birch": ({"k": 8}, (1500, 4000), (2000, 50)),
    "density_peaks": ({"k": 8, "density": "cutoff"}, (1000, 4000), (6000, 50)),
    "gaussian_mixture": ({"k": 8, "repeats": 1, "n_init": 1, "max_iter": 2}, (2000, 500), (8000, 300)),
    "spectral": ({"k": 8, "repeats": 1}, (1500, 4000), (3000, 500)),
    "dec": (
        {"k": 8, "repeats": 1, "pretraining_epochs": 1, "max_updates": 1, "widths": [100, 10], "batch_size": 64},
        (1000, 6000),
        (20_000, 200),
    ),
    "temi": ({"k": 8, "repeats": 1, "steps": 1, "batch_size": 64}, (1000, 6000), (20_000, 200)),
    "turtle": ({"k": 8, "repeats": 1, "steps": 2}, (1000, 6000), (20_000, 200)),
    "dbscan": ({"eps": 1000.0}, (4000, 500), (4000, 10)),
    "hdbscan": ({}, (500, 8000), (4000, 50)),
    "optics": ({}, (400, 6000), (1000, 300)),
    "mean_shift": ({}, (200, 6000), (600, 800)),
    "affinity_propagation": ({"max_iter": 10}, (2000, 500), (3000, 50)),
}
"""Settings that end soon, and sizes: of many numbers a point, which maps never have, and of many points."""
DECOMPOSITIONS = {
    "pca": ({}, (1000, 10_000), (5000, 1000)),
    "tsne": ({"of": "pca", "n_components": 50}, (1000, 50)),
    "umap": ({"of": "pca", "n_components": 50}, (2000, 50)),
    "isomap": ({"of": "pca", "n_components": 50}, (2000, 50)),
    "ica": ({"max_iter": 5}, (1000, 10_000), (5000, 1000)),
    "kernel_pca": ({}, (1000, 10_000), (3000, 500)),
    "autoencoder": ({"phases": [{"g": 1}]}, (600, 8000), (8000, 500)),
}
FIGURES = {
    "intrinsic_dimension": ({}, (800, 10_000), (3000, 500)),
    "distances": ({"n_bootstrap": 100}, (800, 10_000), (20_000, 300)),
    "thick_line": ({"n_points": [1000, 5000]}, (300, 10), (1000, 10)),
    "cluster_pair": ({}, (2000, 3000), (6000, 200)),
    "near_twins": ({}, (2000, 3000), (6000, 200)),
    "cluster_scores": ({}, (700, 6000), (2000, 200)),
    "silhouette_profile": ({}, (2000, 3000), (5000, 100)),
    "k_distance": ({}, (500, 8000), (3000, 50)),
    "nmi_curves": ({}, (2000, 3000), (10_000, 100)),
    "toy_panel": ({"n_points": 500}, (300, 10), (1000, 10)),
    "choose_k": ({"ks": [1, 2, 3], "n_init": 1, "n_references": 2, "n_resamples": 2}, (300, 8000), (2500, 50)),
}
OF_PARTITIONS = {
    "trust": ({"n_samples": 20}, (200_000, 20), (5000, 60)),
    "specification_curve": ({"metric": "agreement"}, (200_000, 20), (5000, 60)),
    "choice_map": ({}, (200_000, 20), (5000, 600)),
    "partition_effects": ({"n_permutations": 99}, (200_000, 20), (5000, 300)),
    "restarts_enough": ({}, (200_000, 1), (5000, 60)),
    "nuisances": ({"n_permutations": 99}, (20_000, 16), (100, 700)),
}
"""Images and cells; of nuisances images and their side, pixels."""
OF_SCORES = [(700, 6000), (5000, 100)]
OF_FOLDS = [(1000, 8000), (4000, 500)]
CONFIG = """
preprocess: {plain: [grey, {resize: {size: [32, 32]}}]}
backbones: {net: {model: squeezenet1_1, weights: random, layers: [[fire9_avg]]}}
clusterers: {it: {method: kmeans, k: 8, n_init: 1, repeats: 1}}
cross_validations: {folds: {folds: 2}}
baseline: {preprocess: plain, backbone: net, layer: fire9_avg, decomposition: none, clusterer: it}
studies: {main: {cross_validation: null}}
"""


def _sizes(monkeypatch, size, **sections):
    config = {**yaml.safe_load(CONFIG), **sections}
    settings = parse(config)
    monkeypatch.setattr(Sizes, "n_images", size[0])
    monkeypatch.setattr(Sizes, "width", lambda sizes, cell: size[1])
    return Sizes(settings, Layout("random"), Grid(settings))


REPEATED = {
    "decompositions": {"pca": {"method": "pca"}},
    "clusterers": {"it": {"method": "kmeans", "k": 8, "n_init": 1, "repeats": 5}},
}
WILDCARDS = SimpleNamespace(
    **{**CELL, "layer": "fire9_avg", "clusterer": "it", "decomposition": "it", "study": "main", "figure": "it"}
)


def write_pairs(path, cells, n):
    """Write a store with some agreement of every two cells of n images; return its path."""
    agreement = np.random.default_rng(0).random((len(cells), len(cells)))
    write_agreement(path, cells, (agreement + agreement.T) / 2, np.full(len(cells), n), {"settings": {}, "code": ""})
    return path


class _Jobs:
    """The jobs to measure, with the estimate for each."""

    def __init__(self, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.estimates: dict[str, int] = {}
        self.calls: dict[str, tuple[list[str], tuple[str, dict]]] = {}

    def add(self, name, estimate, libraries, job, files, params, endings=("out",)):
        """Add a job with its files, parameters and the estimate of its memory, MB."""
        output = {ending: f"{self.folder}/{name}.{ending}" for ending in endings}
        arguments = {"name": job, "files": files, "output": output, "params": params, "folder": self.folder}
        self.estimates[name] = estimate
        self.calls[name] = (libraries, ("tests.jobs:run_job", arguments))
        return output

    def clusterer(self, method, settings, size):
        """Add a clustering of features as they are."""
        model = Clusterer.registry[method](**settings)
        sizes = _sizes(self.monkeypatch, size, clusterers={"it": model.dump()})
        params = {"clusterer": model.dump(), "n_components": None, "whiten": False}
        libraries = TORCH if model.takes_torch else LIGHT
        files = {"points": write_data(self.folder, *size)["points"]}
        return self.add(f"{method} {size}", sizes.cluster_mb(WILDCARDS, 1), libraries, "cluster", files, params)

    def decomposition(self, method, settings, size):
        """Add a decomposition of features; a map is made of the components of a PCA."""
        model = Decomposition.registry[method](**settings)
        sizes = _sizes(self.monkeypatch, size, decompositions={"pca": {"method": "pca"}, "it": model.dump()})
        files = {"source": write_data(self.folder, *size)["features"]}
        if model.source:
            components = {"source": f"{self.folder}/{size}.pca"}
            pca = {"decomposition": Decomposition.registry["pca"]().dump()}
            run_job("decompose", files, components, pca, self.folder)
            files = components
        params = {"decomposition": model.dump()}
        libraries = TORCH if model.takes_torch else LIGHT
        return self.add(f"{method} {size}", sizes.decompose_mb(WILDCARDS, 1), libraries, "decompose", files, params)

    def scores(self, size):
        """Add the scores and the cross-validation of a k-means, which has run."""
        sizes = _sizes(self.monkeypatch, size)
        files = self.clustered(size)
        params = {"cell": CELL}
        self.add(f"score {size}", sizes.score_mb(WILDCARDS, 1), LIGHT, "score", files, params, ("scores", "classes"))

    def validation(self, size):
        """Add a cross-validation of a k-means on principal components."""
        decompositions = {"decompositions": {"pca": {"method": "pca"}}}
        sizes = _sizes(self.monkeypatch, size, **decompositions)
        settings = sizes.settings
        params = {
            "cell": {**CELL, "reducer": "pca", "decomposition": "pca"},
            "decomposition": settings.decompositions["pca"].dump(),
            "clusterer": settings.clusterers["it"].dump(),
            "cross_validation": settings.cross_validations["folds"].dump(),
        }
        files = write_data(self.folder, *size)
        estimate = sizes.validate_mb(WILDCARDS, 1)
        self.add(f"validate {size}", estimate, LIGHT, "validate", files, params, ("scores", "classes"))

    def figure(self, kind, settings, size):
        """Add the table of a figure of one cell."""
        given = {"kind": kind, "k": 8, **settings}
        model = Figure.registry[kind](**{key: given[key] for key in given if key in Figure.registry[kind].model_fields})
        sizes = _sizes(self.monkeypatch, size, studies={"main": {"figures": {"it": model.dump()}}})
        files = self.clustered(size) if {"clusters", "scores"} & {*model.sources} else write_data(self.folder, *size)
        params = {"figure": model.table_settings(), "cells": [CELL]}
        if model.runs_clusterers:
            params["figure"]["clusterers"] = {"it": sizes.settings.clusterers["it"].dump()}
        inputs = {name: [files[name]] for name in model.sources}
        estimate = sizes.computed_table_mb(WILDCARDS, 1)
        self.add(f"{kind} {size}", estimate, LIGHT, "figure_table", inputs, params, ("parquet", "csv"))

    def of_partitions(self, kind, settings, size):
        """Add the table of a figure of partitions, of as many cells; of nuisances of one cell, for images as large."""
        n, number = size
        side, n_cells = (number, 1) if kind == "nuisances" else (1, number)
        model = Figure.registry[kind](kind=kind, **settings)
        study = {
            "baseline": {"decomposition": "pca"},
            "vary": {"n_components": [*range(1, n_cells + 1)]},
            "figures": {"it": model.dump()},
        }
        sizes = _sizes(self.monkeypatch, (n, 2), **REPEATED, studies={"main": study})
        cells = [{**CELL, "n_components": cell, "whiten": cell % 2} for cell in range(n_cells)]
        few = [write_partition(f"{self.folder}/{n}.{seed}.clusters", n, 8, seed) for seed in range(min(n_cells, 4))]
        scores = f"{self.folder}/{kind}.scores"
        write_scores(scores, CELL, 8)
        files = {
            "manifest": [write_data(self.folder, n, 2)["manifest"]] * n_cells,
            "clusters": [few[cell % 4] for cell in range(n_cells)],
            "scores": [scores] * n_cells,
            "agreement": [write_pairs(f"{self.folder}/{n_cells}.agreement", cells, n)],
            "consensus": few[:1],
            "preprocessed": [write_images(f"{self.folder}/{n}x{side}.images", n, side)],
            "facts": [],
        }
        inputs = {name: files[name] for name in model.sources}
        params = {"figure": model.table_settings(), "cells": cells}
        estimate = sizes.computed_table_mb(WILDCARDS, 1)
        self.add(f"{kind} {size}", estimate, LIGHT, "figure_table", inputs, params, ("parquet", "csv"))

    def clustered(self, size):
        """Write the clusters and the scores of a k-means; return the paths of all that a figure may read."""
        files = write_data(self.folder, *size)
        files |= {name: f"{self.folder}/{size}.{name}" for name in ("clusters", "scores", "classes")}
        if not Path(files["clusters"]).exists():
            settings = Clusterer.registry["minibatch_kmeans"](k=[8], n_init=1, repeats=1, max_iter=1).dump()
            params = {"clusterer": settings, "n_components": None, "whiten": False}
            run_job("cluster", {"points": files["points"]}, {"out": files["clusters"]}, params, self.folder)
            write_scores(files["scores"], CELL, 8)
        return files

    def run(self):
        """Return the estimate and the measured peak of every job, MB."""
        measured = {}
        for libraries in (LIGHT, TORCH):
            names = [name for name, (needed, _) in self.calls.items() if needed == libraries]
            measured |= dict(zip(names, peaks(libraries, [self.calls[name][1] for name in names]), strict=True))
        return {name: (self.estimates[name], peak) for name, peak in measured.items()}


CASES = [
    *((_Jobs.clusterer, name, *case) for name, case in CLUSTERERS.items()),
    *((_Jobs.decomposition, name, *case) for name, case in DECOMPOSITIONS.items()),
    *((_Jobs.figure, name, *case) for name, case in FIGURES.items()),
    *((_Jobs.of_partitions, name, *case) for name, case in OF_PARTITIONS.items()),
]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Estimate and peak of every job, MB."""
    folder = str(tmp_path_factory.mktemp("memory"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        jobs = _Jobs(folder, monkeypatch)
        for add, name, settings, *sizes in CASES:
            for size in sizes:
                add(jobs, name, settings, size)
        for size in OF_SCORES:
            jobs.scores(size)
        for size in OF_FOLDS:
            jobs.validation(size)
    return jobs.run()


NAMES = [f"{name} {size}" for _, name, _, *sizes in CASES for size in sizes]
NAMES += [f"score {size}" for size in OF_SCORES] + [f"validate {size}" for size in OF_FOLDS]


@pytest.mark.parametrize("name", NAMES)
def test_the_estimate_is_between_one_and_three_times_the_peak(measured, name):
    estimate, peak = measured[name]
    assert peak <= estimate <= 3 * peak


def test_kmeans_without_a_kernel_needs_more(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "torch")
    jobs = _Jobs(str(tmp_path), monkeypatch)
    settings, *sizes = CLUSTERERS["kmeans"]
    for n_init, size in [*((1, size) for size in sizes), (20, (4000, 400))]:
        jobs.clusterer("kmeans", {**settings, "n_init": n_init, "max_iter": 3}, size)
    for name, (estimate, peak) in jobs.run().items():
        assert peak <= estimate <= 3 * peak, name


def test_every_method_and_every_figure_that_computes_is_measured():
    assert CLUSTERERS.keys() == Clusterer.registry.keys() - {"consensus"}  # holds the points, as all do, and reads
    assert DECOMPOSITIONS.keys() == Decomposition.registry.keys()
    computing = {kind for kind, model in Figure.registry.items() if model.computes}
    assert FIGURES.keys() | OF_PARTITIONS.keys() == computing
