"""The consensus as a clusterer: the groups of the store, whatever the points."""

import numpy as np
import pytest

from workflow_scripts.clusterers.consensus import cluster
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.runs import Runs, write_runs

GROUPS = np.array([0, 0, 1, 0, 2, 1])
SETTINGS = {"method": "consensus", "study": "survey"}


@pytest.fixture
def path(tmp_path):
    ids = np.array(list("abcdef"))
    attributes = store.provenance("", store.manifest_digest(ids), {})
    write_runs(str(tmp_path / "survey.h5"), [(3, Runs.single(GROUPS[None]))], ids, attributes)
    return str(tmp_path / "survey.h5")


def _clustered(path, n):
    points = np.random.default_rng(n).normal(size=(n, 2))
    return dict(cluster(points, SETTINGS, 0, 1, lambda *_: None, path))


def test_clusters_are_the_groups_and_their_number_is_not_asked_for(path):
    (k, runs), *others = _clustered(path, len(GROUPS)).items()
    assert k is None
    assert not others
    np.testing.assert_array_equal(runs.labels, GROUPS[None])
    assert runs.centers.shape[1] == 0  # centres are those of the space in which somebody wants them


def test_a_consensus_of_other_images_is_refused(path):
    with pytest.raises(UserError, match="the consensus of survey has 6 images, the cell has 5"):
        _clustered(path, 5)
