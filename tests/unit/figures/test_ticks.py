"""Ticks of axes that have room."""

from workflow_scripts.figures.ticks import far_apart


def test_of_names_too_near_that_of_the_larger_cluster_stays():
    assert far_apart([0.0, 0.1, 0.25, 0.3, 0.9], [5, 9, 2, 3, 1], 0.12) == [1, 3, 4]
