"""The k that a metric prefers, against answers by hand."""

import numpy as np
import pandas as pd
import pytest

from workflow_scripts.io.best_k import best_k


@pytest.mark.parametrize(("by", "best"), [("ari", 3), ("inertia", 7), ("silhouette", None)])
def test_the_best_k_is_that_of_the_highest_mean_or_of_the_lowest_where_low_is_good(by, best):
    table = {"k": [3, 3, 5, 5, 7, 7], "ari": [0.9, 0.7, 0.8, 0.8, 0.1, 0.9], "inertia": [9, 9, 5, 5, 1, 2]}
    assert best_k(pd.DataFrame(table).assign(silhouette=np.nan), by) == best
