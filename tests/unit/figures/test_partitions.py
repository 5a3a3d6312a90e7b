"""The agreement of a study's cells: that of scikit-learn, and none between cells of different images."""

import numpy as np
from figure_artefacts import CELL, write_clusters
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.figures.partitions import agreement_of


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
