"""Novelty against plain loops, and what a new class does to it."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from workflow_scripts.errors import UserError
from workflow_scripts.models import novelty as module
from workflow_scripts.models.novelty import NEIGHBOURS, SMALLEST, at_most, novelty, outlier_threshold, parted, spreads
from workflow_scripts.models.saved import SavedModel

RNG = np.random.default_rng(0)
KEPT = RNG.normal(size=(40, 6)).astype(np.float32)


def _spread(place: int) -> float:
    return float(np.mean(np.sort([np.linalg.norm(KEPT[place] - other) for other in KEPT])[1 : NEIGHBOURS + 1]))


def test_spreads_against_loops():
    np.testing.assert_allclose(spreads(KEPT), [_spread(place) for place in range(40)], rtol=1e-5)


def test_novelty_of_new_images_against_loops():
    spread = spreads(KEPT)
    new = RNG.normal(size=(5, 6))
    for image, found in zip(new, novelty(new, KEPT, spread), strict=True):
        distances = np.linalg.norm(image - KEPT, axis=1)
        nearest = np.argsort(distances)[:NEIGHBOURS]
        assert found == pytest.approx(distances[nearest].mean() / spread[nearest].mean(), rel=1e-5)


def test_a_class_between_a_dense_and_a_loose_one_is_new():
    dense, loose = RNG.normal(0, 0.1, (100, 4)), RNG.normal(0, 2, (100, 4)) + 20
    kept = np.concatenate([dense, loose]).astype(np.float32)
    spread = spreads(kept)
    new = RNG.normal(0, 0.1, (50, 4)) + 1.5  # nearer the dense class than the loose one's images are to each other
    known = np.concatenate([RNG.normal(0, 0.1, (50, 4)), RNG.normal(0, 2, (50, 4)) + 20])
    scores = novelty(np.concatenate([known, new]), kept, spread)
    assert roc_auc_score(np.arange(150) >= 100, scores) > 0.99


def test_images_that_are_all_the_same_are_not_new():
    kept = np.ones((20, 3), np.float32)
    spread = spreads(kept)
    assert novelty(kept[:2], kept, spread).tolist() == [0, 0]
    assert np.isfinite(novelty(kept[:2] + 1, kept, spread)).all()


def test_images_far_from_many_copies_have_a_novelty_that_a_model_can_hold():
    """Distances between copies, such as tiles without content, are 0."""
    kept = np.zeros((50, 3), np.float32)
    found = novelty(np.array([[0, 0, 0.1], [3, 4, 100]]), kept, spreads(kept)).astype(np.float32)
    assert np.isfinite(found).all()
    assert found[0] < found[1]
    model = SavedModel({"novelty": {"threshold": SMALLEST}}, {})
    assert np.isfinite(model.in_thresholds(found)).all()


def test_only_so_many_images_are_kept(monkeypatch):
    rows = np.arange(0, 80, 2)
    assert at_most(10, rows, 6).tolist() == rows[[0, 4, 9, 13, 17, 22, 26, 30, 35, 39]].tolist()
    monkeypatch.setattr(module, "MOST_NUMBERS", 30)
    assert len(at_most(10, rows, 6)) == 5


def test_a_third_is_held_out_and_no_group_is_on_both_sides():
    of_model, held_out = parted(90, None)
    assert sorted([*of_model, *held_out]) == list(range(90))
    assert len(held_out) == 30
    groups = np.repeat([f"specimen {n}" for n in range(15)], 6)
    of_model, held_out = parted(90, groups)
    assert len(held_out) == 30
    assert not set(groups[of_model]) & set(groups[held_out])


def test_single_images_are_held_out_of_two_large_groups():
    of_model, held_out = parted(6, np.array(list("aaabbb")))
    assert (len(of_model), len(held_out)) == (4, 2)


def test_too_few_images_to_hold_some_out():
    with pytest.raises(UserError, match="model: found 2 images, allowed: three or more, of which a third is held out"):
        parted(2, None)


@pytest.mark.parametrize(("n", "rate"), [(99, 0.01), (250, 0.01), (30, 1 / 31)])
def test_no_more_outliers_among_known_images_than_stated(n, rate):
    draws = np.random.default_rng(0).exponential(size=(40_000, n + 1))
    above = np.mean([draw[-1] > outlier_threshold(draw[:-1], 0.01) for draw in draws])
    assert above < rate + 4 * np.sqrt(rate / len(draws))
    assert above > 0.7 * rate
