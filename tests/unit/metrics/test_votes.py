"""Majority vote, confusion and per-class scores against counting by hand and scikit-learn."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as skm

from workflow_scripts.metrics import class_scores, confusion, majority_names, predict_classes, score_restarts

CASES = st.lists(st.tuples(st.integers(-1, 6), st.sampled_from(["Cr", "In", "Sc", "", None])), min_size=1, max_size=40)


def test_names_by_size_with_ties_and_unlabelled_clusters() -> None:
    #        Sc x 3          Sc x 2     tie In/Cr    no label    noise
    labels = [4, 4, 4, 0, 0, 2, 2, 7, 7, -1]
    y = ["Sc", "Sc", "Sc", "Sc", "Sc", "In", "Cr", None, "", "Cr"]
    names = majority_names(labels, y)
    assert names.index.name == "cluster"
    assert names["name"].to_dict() == {0: "Sc-2", 2: "Cr", 4: "Sc", 7: "?"}
    assert names["predicted"].to_dict() == {0: "Sc", 2: "Cr", 4: "Sc", 7: None}
    assert names["size"].to_dict() == {0: 2, 2: 2, 4: 3, 7: 2}
    assert predict_classes([7, 0, -1, 5, 2], names).tolist() == [None, "Sc", None, None, "Cr"]


def test_without_any_label_every_cluster_is_unknown() -> None:
    names = majority_names([0, 1, 1], [None, "", np.nan])
    assert names["name"].tolist() == ["?", "?"]
    assert confusion([0, 1, 1], [None, "", np.nan]).empty
    assert not any(map(len, class_scores([0, 1, 1], [None, "", np.nan]).values()))


def test_integer_classes_are_kept() -> None:
    names = majority_names([0, 0, 1], [3, 3, 10])
    assert names["predicted"].tolist() == [3, 10]
    assert confusion([0, 0, 1], [3, 3, 10]).loc[10, 10] == 1


@settings(max_examples=200, deadline=None)
@given(CASES)
def test_vote_is_the_most_frequent_class(pairs: list[tuple[int, str | None]]) -> None:
    labels, y = zip(*pairs, strict=True)
    names = majority_names(labels, y)
    assert set(names.index) == {cluster for cluster in labels if cluster >= 0}
    for cluster, predicted in names["predicted"].items():
        votes = Counter(label for c, label in pairs if c == cluster and label)
        best = sorted(label for label, count in votes.items() if count == max(votes.values()))
        assert predicted == (best[0] if best else None)


@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=100, deadline=None)
@given(CASES, CASES)
def test_confusion_and_scores_are_scikit_learns(
    pairs: list[tuple[int, str | None]], training: list[tuple[int, str | None]]
) -> None:
    """With the vote of these images and with that of others."""
    labels, y = (np.array(column, dtype=object) for column in zip(*pairs, strict=True))
    labels = labels.astype(int)
    for names in (majority_names(labels, y), majority_names(*zip(*training, strict=True))):
        known = np.array([bool(label) for label in y])
        predicted = np.array(
            ["noise" if cluster < 0 else names["predicted"].to_dict().get(cluster) or "?" for cluster in labels[known]]
        )
        table = confusion(labels, y, names)
        assert table.columns.tolist()[: len(table)] == table.index.tolist()
        assert set(table.columns) == set(y[known]) | set(names["predicted"].dropna()) | (
            set(predicted) & {"noise", "?"}
        )
        if known.any():
            order = table.columns.tolist()
            expected = skm.confusion_matrix(y[known].astype(str), predicted, labels=order)[: len(table)]
            np.testing.assert_array_equal(table, expected)
            scores = class_scores(labels, y, names)
            expected_scores = skm.precision_recall_fscore_support(
                y[known].astype(str), predicted, labels=scores["label"].tolist(), zero_division=np.nan
            )
            found = [scores[name] for name in ("precision", "recall", "f1", "support")]
            np.testing.assert_allclose(found, expected_scores)


@settings(max_examples=100, deadline=None)
@given(CASES)
def test_confusion_agrees_with_the_accuracy(pairs: list[tuple[int, str | None]]) -> None:
    labels, y = zip(*pairs, strict=True)
    table = confusion(labels, y).to_numpy()
    if table.sum():
        accuracy = score_restarts(np.array(labels)[None], y)["accuracy_majority"][0]
        np.testing.assert_allclose(np.trace(table) / table.sum(), accuracy)
