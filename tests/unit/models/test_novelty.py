"""Novelty against plain loops, and what a new class does to it."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from workflow_scripts.errors import UserError
from workflow_scripts.models import novelty as module
from workflow_scripts.models.novelty import NEIGHBOURS, kept_images, novelty, own_novelty

RNG = np.random.default_rng(0)
KEPT = RNG.normal(size=(40, 6)).astype(np.float32)


def _spread(place: int) -> float:
    return float(np.mean(np.sort([np.linalg.norm(KEPT[place] - other) for other in KEPT])[1 : NEIGHBOURS + 1]))


def test_novelty_of_the_kept_images_against_loops():
    own, spread = own_novelty(KEPT)
    np.testing.assert_allclose(spread, [_spread(place) for place in range(40)], rtol=1e-5)
    distances = np.linalg.norm(KEPT[7] - KEPT, axis=1)
    nearest = np.argsort(distances)[1 : NEIGHBOURS + 1]
    assert own[7] == pytest.approx(_spread(7) / np.mean([_spread(place) for place in nearest]), rel=1e-5)


def test_novelty_of_new_images_against_loops():
    spread = own_novelty(KEPT)[1]
    new = RNG.normal(size=(5, 6))
    for image, found in zip(new, novelty(new, KEPT, spread), strict=True):
        distances = np.linalg.norm(image - KEPT, axis=1)
        nearest = np.argsort(distances)[:NEIGHBOURS]
        assert found == pytest.approx(distances[nearest].mean() / spread[nearest].mean(), rel=1e-5)


def test_a_class_between_a_dense_and_a_loose_one_is_new():
    dense, loose = RNG.normal(0, 0.1, (100, 4)), RNG.normal(0, 2, (100, 4)) + 20
    kept = np.concatenate([dense, loose]).astype(np.float32)
    spread = own_novelty(kept)[1]
    new = RNG.normal(0, 0.1, (50, 4)) + 1.5  # nearer the dense class than the loose one's images are to each other
    known = np.concatenate([RNG.normal(0, 0.1, (50, 4)), RNG.normal(0, 2, (50, 4)) + 20])
    scores = novelty(np.concatenate([known, new]), kept, spread)
    assert roc_auc_score(np.arange(150) >= 100, scores) > 0.99


def test_images_that_are_all_the_same_are_not_new():
    kept = np.ones((20, 3), np.float32)
    own, spread = own_novelty(kept)
    assert (own == 0).all()
    assert novelty(kept[:2], kept, spread).tolist() == [0, 0]
    assert np.isfinite(novelty(kept[:2] + 1, kept, spread)).all()


def test_only_so_many_images_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST_IMAGES", 10)
    assert len(kept_images(KEPT)) == 10
    monkeypatch.setattr(module, "MOST_NUMBERS", 30)
    assert len(kept_images(KEPT)) == 5
    with pytest.raises(UserError, match="found 1 image"):
        kept_images(KEPT[:1])
