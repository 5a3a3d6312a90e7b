"""Families of methods: a clusterer that is added by a file and a settings model works in all stages; traits."""

import sys
from importlib import import_module
from types import ModuleType

import jsonschema
import pandas as pd
import pytest
import yaml

import workflow_scripts.clusterers
from tests.jobs import CELL, GROUPS, run_job, write_data
from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.planning.sizes import BASE_MB, Sizes
from workflow_scripts.reduce.protocol import Placing
from workflow_scripts.settings import Settings, parse, schema
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.decompositions import Decomposition
from workflow_scripts.settings.figures import Figure
from workflow_scripts.settings.preprocess import Step

CODE = '''
"""Slices of equal size along one of the numbers of a point."""

import numpy as np

from workflow_scripts.clusterers.fits import single_run


def cluster(points, settings, base_seed, n_threads, progress):
    for done, k in enumerate(settings["k"], 1):
        order = np.argsort(np.argsort(points[:, settings["column"]]))
        (_, runs) = single_run(order * k // len(points))
        yield k, runs
        progress(done, len(settings["k"]))
'''
MODEL = '''
from typing import Literal

from pydantic import Field

from workflow_scripts.settings.clusterers.base import OfK


class Slices(OfK):
    """Slices of equal size along one of the numbers of a point."""

    method: Literal["slices"] = "slices"
    column: int = Field(0, ge=0)

    def working_memory(self, n: int, d: int) -> int:
        return 1_000_000_000
'''
CONFIG = """
preprocess: {plain: [grey, {resize: {size: [32, 32]}}]}
backbones: {net: {model: squeezenet1_1, weights: random, layers: [[fire9_avg]]}}
clusterers: {it: {method: slices, column: 1}}
baseline: {preprocess: plain, backbone: net, layer: fire9_avg, decomposition: none, clusterer: it}
studies: {main: {}}
"""


@pytest.fixture
def slices(tmp_path, monkeypatch):
    """Define the settings model of a toy clusterer, whose module is in the folder of the other clusterers."""
    (tmp_path / "slices.py").write_text(CODE)
    monkeypatch.setattr(workflow_scripts.clusterers, "__path__", [*workflow_scripts.clusterers.__path__, str(tmp_path)])
    module = ModuleType("toy_settings")
    monkeypatch.setitem(sys.modules, "toy_settings", module)
    exec(MODEL, module.__dict__)
    Settings.model_rebuild(force=True)
    yield module.Slices
    del Clusterer.registry["slices"]
    Settings.model_rebuild(force=True)
    sys.modules.pop("workflow_scripts.clusterers.slices", None)


def test_a_clusterer_is_a_file_and_a_model(slices, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = yaml.safe_load(CONFIG)
    settings = parse(config)
    dumped = settings.clusterers["it"].dump()
    assert dumped == {"method": "slices", "column": 1, "k": [8]}
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(config)) == []
    with pytest.raises(UserError, match=r"clusterers\.it\.column: found -1, allowed: at least 0"):
        parse({**config, "clusterers": {"it": {"method": "slices", "column": -1}}})

    layout = Layout("toy")
    sizes = Sizes(settings, layout, Grid(settings))
    (cell,) = sizes.grid.all_cells
    assert sizes.cluster_mb(type("Wildcards", (), {**cell.parts}), 1) > BASE_MB + 1000

    files = write_data(str(tmp_path), 200, 5)
    clusters = {"clusters": str(tmp_path / "clusters.h5")}
    params = {"clusterer": dumped, "n_components": None, "whiten": False}
    run_job("cluster", {"points": files["points"]}, clusters, params, str(tmp_path))
    scores = {name: str(tmp_path / f"{name}.parquet") for name in ("scores", "classes")}
    run_job("score", {**files, **clusters}, scores, {"cell": CELL}, str(tmp_path))
    table = pd.read_parquet(scores["scores"])
    assert table["k"].tolist() == table["n_clusters"].tolist() == [8]
    assert table["noise_fraction"].tolist() == [0]
    assert len(pd.read_parquet(scores["classes"])) == GROUPS


def test_without_the_model_the_method_is_unknown():
    with pytest.raises(UserError, match="found 'slices'"):
        parse(yaml.safe_load(CONFIG))


def test_two_models_of_one_name_are_an_error(slices):
    with pytest.raises(TypeError, match="slices"):
        exec(MODEL, {"__name__": "toy_settings"})


@pytest.mark.parametrize(
    ("family", "folder", "functions"),
    [
        (Clusterer, "clusterers", ["cluster"]),
        (Decomposition, "reduce", ["decompose"]),
        (Step, "preprocess", ["apply"]),
        (Figure, "figures", ["tabulate", "draw"]),
    ],
)
def test_every_method_has_code_of_its_name(family, folder, functions):
    for name in family.registry:
        module = import_module(f"workflow_scripts.{folder}.{name}")
        assert all(callable(getattr(module, function)) for function in functions), name


def test_the_decompositions_that_say_so_place_new_images():
    for name, settings in Decomposition.registry.items():
        module = import_module(f"workflow_scripts.reduce.{name}")
        assert isinstance(module, Placing) == settings().places_new_images, name
