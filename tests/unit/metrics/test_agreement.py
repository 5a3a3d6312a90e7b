"""score_restarts against scikit-learn, metric by metric."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment
from sklearn import metrics as skm
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from workflow_scripts import metrics
from workflow_scripts.metrics.agreement import expected_information

AGREEMENT = {
    "ari": skm.adjusted_rand_score,
    "ami": skm.adjusted_mutual_info_score,
    "nmi_arithmetic": skm.normalized_mutual_info_score,
    "nmi_geometric": lambda y, c: skm.normalized_mutual_info_score(y, c, average_method="geometric"),
    "homogeneity": skm.homogeneity_score,
    "completeness": skm.completeness_score,
}


def score_restarts(*arguments: Any, **more: Any) -> pd.DataFrame:
    return pd.DataFrame(metrics.score_restarts(*arguments, **more))


@st.composite
def partitions_and_classes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Small (R, N) label matrices with noise and gaps between cluster numbers, and classes with missing labels."""
    n = draw(st.integers(1, 40))
    labels = draw(hnp.arrays(np.int16, (draw(st.integers(1, 6)), n), elements=st.integers(-2, draw(st.integers(0, 9)))))
    classes = st.sampled_from(["Cr", "In", "Pa", "Sc", "", None, float("nan")])
    return labels, np.array(draw(st.lists(classes, min_size=n, max_size=n)), dtype=object)


def known(y: np.ndarray) -> np.ndarray:
    return np.array([isinstance(label, str) and label != "" for label in y])


def expected_row(labels: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """One row of score_restarts by scikit-learn calls, noise and missing labels taken out by hand."""
    clustered = known(y) & (labels >= 0)
    row = {"n_clusters": len(set(labels[labels >= 0])), "noise_fraction": np.mean(labels < 0)}
    row["largest_cluster"] = max(Counter(labels[labels >= 0].tolist()).values(), default=0) / len(labels)
    row |= dict.fromkeys(("accuracy_majority", "accuracy_matched", "purity", "largest_class", *AGREEMENT), np.nan)
    if not known(y).any():
        return row
    row |= {"accuracy_majority": 0.0, "accuracy_matched": 0.0}
    row["largest_class"] = max(Counter(y[known(y)]).values()) / known(y).sum()
    if clustered.any():
        truth, clusters = y[clustered].astype(str), labels[clustered]
        table = contingency_matrix(truth, clusters)
        row |= {name: score(truth, clusters) for name, score in AGREEMENT.items()}
        row["purity"] = table.max(axis=0).sum() / clustered.sum()
        row["accuracy_majority"] = table.max(axis=0).sum() / known(y).sum()
        row["accuracy_matched"] = table[linear_sum_assignment(-table)].sum() / known(y).sum()
    return row


@settings(max_examples=120, deadline=None)
@given(partitions_and_classes())
def test_every_metric_is_scikit_learns(case: tuple[np.ndarray, np.ndarray]) -> None:
    labels, y = case
    scores = score_restarts(labels, y)
    expected = pd.DataFrame([expected_row(row, y) for row in labels])
    assert set(scores) == set(expected)
    np.testing.assert_allclose(scores, expected[[*scores]], rtol=0, atol=1e-10)


@pytest.mark.parametrize(("n", "k", "n_classes"), [(1800, 7, 6), (1800, 25, 6), (3000, 600, 11), (20_000, 4, 3)])
def test_larger_partitions(n: int, k: int, n_classes: int) -> None:
    rng = np.random.default_rng(n + k)
    classes = rng.integers(n_classes, size=n)
    labels = np.where(rng.random((3, n)) < 0.7, classes, rng.integers(-1, k, (3, n)))
    y = np.array([f"class {c}" for c in classes], dtype=object)
    scores, expected = score_restarts(labels, y), pd.DataFrame([expected_row(row, y) for row in labels])
    np.testing.assert_allclose(scores, expected[[*scores]], rtol=0, atol=1e-10)


def test_expected_information_of_large_margins() -> None:
    """Where only the terms near the mean are summed: a table that fits its margins, n = 200 000."""
    rng = np.random.default_rng(0)
    table = rng.multinomial(200_000, rng.dirichlet(np.ones(20))).reshape(4, 5)
    ours = expected_information(table.sum(axis=1)[None], table.sum(axis=0)[None], np.array([200_000]))
    np.testing.assert_allclose(ours, expected_mutual_information(table, 200_000), rtol=1e-7)


@settings(max_examples=50, deadline=None)
@given(partitions_and_classes(), st.integers(1, 200))
def test_a_row_depends_on_itself_alone(case: tuple[np.ndarray, np.ndarray], chunk_cells: int) -> None:
    """The same bits in any chunk, by itself, and beside a partition with more clusters."""
    labels, y = case
    whole = score_restarts(labels, y)
    pd.testing.assert_frame_equal(score_restarts(labels, y, chunk_cells=chunk_cells), whole, check_exact=True)
    alone = pd.concat([score_restarts(row[None], y) for row in labels], ignore_index=True)
    pd.testing.assert_frame_equal(alone, whole, check_exact=True)
    beside = np.vstack([labels, np.arange(labels.shape[1]) + 30])
    pd.testing.assert_frame_equal(score_restarts(beside, y).iloc[:-1], whole, check_exact=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64])
def test_integer_types_of_labels_and_classes(dtype: type) -> None:
    rng = np.random.default_rng(1)
    labels, classes = rng.integers(5, size=(4, 60)), rng.integers(3, size=60)
    as_text = score_restarts(labels, [f"{c}" for c in classes])
    pd.testing.assert_frame_equal(score_restarts(labels.astype(dtype), classes), as_text)
    with_gaps = np.where(classes == 2, np.nan, classes)
    pd.testing.assert_frame_equal(
        score_restarts(labels, with_gaps), score_restarts(labels, ["" if c == 2 else f"{c}" for c in classes])
    )


def test_majority_vote_is_one_sided_where_matching_is_not() -> None:
    """The errata's example: a perfect split of one of six classes in two costs .083 under one-to-one matching."""
    y = np.repeat(list("abcdef"), 300)
    labels = np.repeat(range(6), 300)
    labels[:150] = 6
    scores = score_restarts(labels[None], y).iloc[0]
    assert scores["accuracy_majority"] == 1
    assert scores["accuracy_matched"] == pytest.approx(1650 / 1800)


def test_no_restart_gives_an_empty_table() -> None:
    scores = score_restarts(np.empty((0, 5), dtype=int), list("aabbc"))
    assert set(scores) == set(expected_row(np.zeros(5, dtype=int), np.array([*"aabbc"])))
    assert scores.empty


@pytest.mark.parametrize("labels", [np.zeros(4, int), np.zeros((2, 3), int), np.zeros((2, 4))])
def test_wrong_labels_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected integers of shape \(R, 4\)"):
        score_restarts(labels, list("aabb"))
