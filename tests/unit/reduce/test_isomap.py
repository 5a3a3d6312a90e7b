"""An Isomap map unrolls a curved strip, and is the same every time."""

import numpy as np

from workflow_scripts.reduce import isomap

RNG = np.random.default_rng(0)
LENGTH = np.sort(RNG.uniform(0, 3 * np.pi, 300))
STRIP = np.column_stack([LENGTH * np.cos(LENGTH), LENGTH * np.sin(LENGTH), RNG.uniform(0, 2, 300)])


def test_a_spiral_is_unrolled_along_its_length():
    along = (LENGTH * np.sqrt(1 + LENGTH**2) + np.arcsinh(LENGTH)) / 2  # of an Archimedean spiral
    embedding = isomap.embed(STRIP, n_neighbors=8)
    assert embedding.shape == (300, 2)
    assert abs(np.corrcoef(embedding[:, 0], along)[0, 1]) > 0.99
    assert isomap.embed(STRIP, n_neighbors=8).tobytes() == embedding.tobytes()


def test_parts_that_are_far_from_each_other_and_few_points_are_mapped():
    assert np.isfinite(isomap.embed(np.vstack([STRIP[:20], STRIP[:20] + 1000]), n_neighbors=3)).all()
    assert isomap.embed(STRIP[:5], n_neighbors=4, dimensions=3).shape == (5, 3)
