"""The agreement of every two cells as a store: some of the cells are read, in any order."""

import numpy as np
import pytest

from workflow_scripts.io.agreement import read_agreement, write_agreement

CELLS = [{"layer": layer, "n_components": n, "whiten": n is None} for layer in "ab" for n in (5, None)]


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "agreement.h5")
    ari = np.arange(16.0).reshape(4, 4)
    write_agreement(path, CELLS, ari, np.array([7, 8, 9, 9]), {"settings": {}, "code": ""})
    return path


def test_the_rows_and_columns_are_those_of_the_cells_that_are_asked_for(path):
    ari, n_images = read_agreement(path, [CELLS[3], CELLS[2]])
    np.testing.assert_array_equal(ari, [[15, 14], [11, 10]])
    assert n_images == 9


def test_a_cell_is_known_by_its_choices_whatever_their_order(path):
    ari, _ = read_agreement(path, [dict(reversed(CELLS[1].items()))])
    np.testing.assert_array_equal(ari, [[5]])


def test_a_cell_that_was_not_compared_is_no_cell_of_the_store(path):
    with pytest.raises(KeyError):
        read_agreement(path, [{**CELLS[0], "layer": "c"}])
