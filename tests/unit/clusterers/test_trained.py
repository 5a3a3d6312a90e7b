"""Clusterers that train heads on fixed points: seeds, threads, and a kill in the middle."""

from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.errors import UserError
from workflow_scripts.io.checkpoint import Checkpoint
from workflow_scripts.seeds import seed
from workflow_scripts.settings.clusterers import Clusterer

POINTS, LABELS = make_blobs(200, 8, centers=4, cluster_std=1.0, random_state=3)
SETTINGS = {
    "temi": {"n_heads": 3, "widths": (16, 8), "batch_size": 100, "steps": 160},
    "turtle": {"steps": 100, "batch_size": 150},
}
METHODS = pytest.mark.parametrize("method", SETTINGS)


def _cluster(method, points=POINTS, threads=1, folder=None, **other):
    settings = Clusterer.registry[method](**{"k": [4], "repeats": 2, **SETTINGS[method], **other}).dump()
    cluster = import_module(f"workflow_scripts.clusterers.{method}").cluster
    return dict(cluster(points, settings, 5, threads, lambda done, total: None, folder))


@METHODS
def test_blobs_are_found(method):
    (runs,) = _cluster(method).values()
    assert runs.seed.tolist() == [seed(5, method, 0), seed(5, method, 1)]
    assert all(adjusted_rand_score(LABELS, labels) > 0.95 for labels in runs.labels)


@METHODS
def test_a_k_does_not_depend_on_the_others_nor_on_threads(method):
    few = {"temi": {"steps": 20}, "turtle": {"steps": 10}}[method]
    alone, beside = _cluster(method, **few), _cluster(method, k=[3, 4], threads=2, **few)
    np.testing.assert_array_equal(alone[4].labels, beside[4].labels)
    for name, values in alone[4].diagnostics.items():
        np.testing.assert_array_equal(values, beside[4].diagnostics[name])


@METHODS
@pytest.mark.parametrize("round_of_the_kill", [7, 17])
def test_after_a_kill_the_result_is_the_same(tmp_path, monkeypatch, killed, method, round_of_the_kill):
    """Killed in the training for the first k, and for the second; the state is on disk after every round."""
    few = {"temi": {"steps": 20}, "turtle": {"steps": 10}}[method]
    cluster = partial(_cluster, method, repeats=1, k=[3, 4], **few)
    whole = cluster()
    folder = tmp_path / ".heads.h5.checkpoints"
    with killed(round_of_the_kill):
        cluster(folder=folder)
    assert list(folder.iterdir())
    rounds, rounds_done = Checkpoint.rounds, []

    def counted(self, *given):
        for number in rounds(self, *given):
            rounds_done.append(number)
            yield number

    monkeypatch.setattr(Checkpoint, "rounds", counted)
    resumed = cluster(folder=folder)
    assert len(rounds_done) == 20 - round_of_the_kill + 1
    for k, runs in whole.items():
        np.testing.assert_array_equal(runs.labels, resumed[k].labels)
        assert runs.diagnostics["loss"] == resumed[k].diagnostics["loss"]
    assert not folder.exists()


@METHODS
def test_a_mistake_is_one_line(method):
    with pytest.raises(UserError, match=f"{method}: .*all the same"):
        _cluster(method, np.ones((20, 3)))
    with pytest.raises(UserError, match=f"clusterers: {method}: the loss became"):
        _cluster(method, learning_rate=1e30)
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="found cuda, but torch sees no GPU"):
            _cluster(method, device="cuda")
