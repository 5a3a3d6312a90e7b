"""The agreement of a study's cells: that of scikit-learn, and none between cells of different images."""

import numpy as np
import pandas as pd
import pytest
from figure_artefacts import CELL, tabulate, write_clusters, write_store
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.consensus import resampling
from workflow_scripts.errors import UserError
from workflow_scripts.figures.partitions import agreement_of, choices_of
from workflow_scripts.grid.cells import word
from workflow_scripts.settings.clusterers.kmeans import KMeans


def test_cells_are_compared_with_those_of_the_same_images(tmp_path):
    rng = np.random.default_rng(0)
    cells = [{**CELL, "subset": subset, "n_components": n} for n in (5, 9) for subset in ("all", "part")]
    n_images = {"all": 30, "part": 12}
    labels = [rng.integers(0, 3, n_images[cell["subset"]]) for cell in cells]
    paths = [
        write_clusters(tmp_path / f"{i}.h5", {"3": ([rng.permutation(of_cell), of_cell], [2.0, 1.0])})
        for i, of_cell in enumerate(labels)
    ]
    agreement, counted = agreement_of(cells, paths, 3)
    expected = np.eye(4)
    for one, other in ((0, 2), (1, 3)):
        expected[one, other] = expected[other, one] = adjusted_rand_score(labels[one], labels[other])
    foreign = np.array([[cell["subset"] != other["subset"] for other in cells] for cell in cells])
    np.testing.assert_allclose(agreement, np.where(foreign, np.nan, expected), atol=1e-12)
    assert counted.tolist() == [30, 12, 30, 12]


def test_stability_under_resampling_is_measured_where_it_is_asked_for(made, tmp_path, monkeypatch):
    cells, inputs = made("trust", 4)
    n = len(pd.read_csv(inputs["manifest"][0]))
    truth = np.repeat(np.arange(4), 3)
    far_apart = np.column_stack([truth, truth % 2]) * 100 + np.random.default_rng(0).random((n, 2))
    points = write_store(tmp_path / "points.h5", scores=far_apart, image_id=np.arange(n).astype("S"))
    clusterers = {"kmeans": {**KMeans(k=[4], n_init=20).dump()}}
    given = {**inputs, "points": [points] * len(cells)}
    table = tabulate("trust", cells, given, k=7, n_resamples=3, clusterers=clusterers)
    assert table.columns[-1] == "resampled"
    assert table["resampled"].between(-1, 1).all()
    assert tabulate("trust", cells, inputs)["resampled"].isna().all()
    monkeypatch.setattr(resampling, "SHARE", 0.5)
    with pytest.raises(UserError, match="found a sample of 6 images for k = 7"):
        tabulate("trust", cells, given, k=7, n_resamples=3, clusterers=clusterers)


def test_whole_numbers_stay_whole_beside_null():
    choices = choices_of([{**CELL, "n_components": n} for n in (None, 50)])
    assert [word("n_components", n) for n in choices["n_components"]] == ["all components", "50 components"]
