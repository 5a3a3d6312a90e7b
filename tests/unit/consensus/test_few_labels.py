"""A handful of labels beside the agreement of the cells."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.consensus.partitions import CHOICES, TRUTH
from workflow_scripts.consensus.few_labels import with_labels
from workflow_scripts.consensus.trust import Trust, trust


def test_without_labels_the_agreement_decides(trusted: Trust, partitions: np.ndarray) -> None:
    result = with_labels(trusted, partitions, [""] * 300)
    assert result.best == trusted.best
    assert result.probability.sum() == pytest.approx(1)
    assert result.labels_needed is None
    assert (np.argsort(-result.probability) == np.argsort(-trusted.table["agreement"])).all()


def test_labels_overrule_the_agreement(trusted: Trust, partitions: np.ndarray) -> None:
    labels = pd.Series("", index=range(300), dtype=object)
    shown = np.random.default_rng(0).choice(300, 60, replace=False)
    labels[shown] = [f"class {number}" for number in partitions[6][shown]]
    result = with_labels(trusted, partitions, labels)
    assert result.best == 6
    assert result.probability[6] > 0.95
    assert result.n_labels == 60
    assert result.labels_needed == 0


def test_evidence_is_the_chance_of_the_labels_one_by_one(trusted: Trust, partitions: np.ndarray) -> None:
    labels = pd.Series("", index=range(300), dtype=object)
    shown = np.arange(0, 300, 23)
    labels[shown] = np.where(TRUTH[shown] > 2, "b", "a")
    for cell, evidence in enumerate(with_labels(trusted, partitions, labels).evidence):
        chance = 0.0
        for number, image in enumerate(shown):  # the urn: each label given those before it in the same cluster
            before = [labels[j] for j in shown[:number] if partitions[cell, j] == partitions[cell, image]]
            chance += np.log((before.count(labels[image]) + 0.5) / (len(before) + 1))
        assert evidence == pytest.approx(chance)


def test_copies_share_the_probability(partitions: np.ndarray) -> None:
    rows = np.concatenate([partitions, partitions[[0]]])
    result = with_labels(
        trust(rows, pd.concat([CHOICES, CHOICES.iloc[[0]]]), n_samples=2), rows, [""] * 300
    ).probability
    assert result[0] == pytest.approx(result[8])


def test_copies_do_not_hide_the_best_cell(partitions: np.ndarray) -> None:
    rows = np.concatenate([partitions, partitions[[0] * 9]])
    trusted = trust(rows, pd.concat([CHOICES, CHOICES.iloc[[0] * 9]]), n_samples=2)
    result = with_labels(trusted, rows, [""] * 300)
    assert result.probability[1] > result.probability[0]  # the opinion of ten shares its probability
    assert result.best == 0
