"""Reference curves of NMI: the example of Coronica 2018 (section 4.3.2) exactly, and scikit-learn for the rest."""

from math import log, sqrt

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import mutual_info_score, normalized_mutual_info_score

from workflow_scripts.metrics.reference_curves import nmi_geometric, reference_curves

ELEMENTS = np.arange(100)
CLASSES = np.repeat(["Cr", "In", "Pa", "RS"], [40, 100, 7, 253])


def _nmi(one, other):
    return normalized_mutual_info_score(one, other, average_method="geometric")


def _curve(name, y, ks, **options):
    curves = reference_curves(y, ks, **options)
    return curves[curves["curve"] == name].set_index("k")["nmi"]


# ------------------------------------------------------------------------- the 10 x 10 matrix with columns as classes


def _joint_of_seven():
    """Entropy of (i mod 10, i mod 7) over i = 0..99: of the 70 pairs the first 30 come twice."""
    return -30 * 0.02 * log(0.02) - 40 * 0.01 * log(0.01)


def _entropy_of_seven():
    """100 = 7 * 14 + 2: two parts of 15 and five of 14."""
    return -2 * 0.15 * log(0.15) - 5 * 0.14 * log(0.14)


@pytest.mark.parametrize(("k", "exact"), [
    (5, sqrt(log(5) / log(10))),
    (20, sqrt(log(10) / log(20))),
    (7, (log(10) + _entropy_of_seven() - _joint_of_seven()) / sqrt(log(10) * _entropy_of_seven())),
    (10, 1.0),
    (100, sqrt(log(10) / log(100))),
    (1, 0.0),
])  # fmt: skip
def test_the_thesiss_example(k, exact):
    assert nmi_geometric(ELEMENTS % 10, ELEMENTS % k) == pytest.approx(exact, abs=1e-12)
    assert nmi_geometric(ELEMENTS % k, ELEMENTS % 10) == pytest.approx(exact, abs=1e-12)
    assert _nmi(ELEMENTS % 10, ELEMENTS % k) == pytest.approx(exact, abs=1e-12)


def test_the_examples_values_to_four_digits():
    assert [round(nmi_geometric(ELEMENTS % 10, ELEMENTS % k), 4) for k in (5, 20, 7)] == [0.836, 0.8767, 0.0277]


def test_multiples_of_ten_are_the_refinement_curve():
    ks = (10, 20, 40)
    refinement = _curve("refinement", ELEMENTS % 10, ks)
    for k in ks:  # 10, 5, 2 or 3 elements in each part
        assert refinement[k] == pytest.approx(nmi_geometric(ELEMENTS % 10, ELEMENTS % k), rel=2e-3)


def test_seven_is_the_orthogonal_curve_and_not_the_random_one():
    """The thesis says that for k prime to 10 the score is the expected one of random labels; that is larger."""
    curves = reference_curves(ELEMENTS % 10, [7], draws=2000).set_index("curve")
    of_seven = nmi_geometric(ELEMENTS % 10, ELEMENTS % 7)
    assert of_seven == pytest.approx(curves.loc["orthogonal", "nmi"], abs=1e-12)
    assert of_seven < curves.loc["random", "nmi"] - 3 * curves.loc["random", "sd"]


def test_rows_are_orthogonal_to_columns():
    assert _curve("orthogonal", ELEMENTS % 10, [2, 5, 10]).to_numpy() == pytest.approx(0, abs=1e-12)


# ------------------------------------------------------------------------------------------------ against the labels


def _split(labels):
    """The largest part in two halves, the first of equals."""
    largest = np.bincount(labels).argmax()
    members = np.flatnonzero(labels == largest)
    labels = labels.copy()
    labels[members[: len(members) // 2]] = labels.max() + 1
    return labels


def test_refinement_is_that_of_real_partitions():
    labels = np.unique(CLASSES, return_inverse=True)[1]
    curve = _curve("refinement", CLASSES, range(1, 300))
    assert curve.loc[:3].isna().all()
    for k in range(4, 300):
        assert curve[k] == pytest.approx(_nmi(CLASSES, labels), abs=1e-12)
        labels = _split(labels)


def test_random_has_the_mutual_information_that_is_expected():
    """I = H(labels) + H(parts) - H(both), each entropy a sum over binomial sizes, so that its expectation is exact."""
    k, n = 9, len(CLASSES)

    def expected_sum(size):
        m = np.arange(1, size + 1)
        return (binom.pmf(m, size, 1 / k) * m * np.log(m)).sum()

    _, sizes = np.unique(CLASSES, return_counts=True)
    of_parts = log(n) - k * expected_sum(n) / n
    of_both = log(n) - k * sum(expected_sum(size) for size in sizes) / n
    of_labels = -(sizes / n * np.log(sizes / n)).sum()
    expected = (of_labels + of_parts - of_both) / sqrt(of_labels * of_parts)
    random = reference_curves(CLASSES, [k], draws=3000).set_index("curve").loc["random"]
    assert random["nmi"] == pytest.approx(expected, abs=4 * random["sd"] / sqrt(3000))
    rng = np.random.default_rng(5)
    draws = [_nmi(CLASSES, rng.integers(k, size=n)) for _ in range(300)]
    assert random["sd"] == pytest.approx(np.std(draws, ddof=1), rel=0.2)


@pytest.mark.parametrize("k", [2, 3, 10, 57])
def test_orthogonal_labels_share_less_than_random_ones(k):
    curve = _curve("orthogonal", CLASSES, [k])
    rng = np.random.default_rng(k)
    drawn = [mutual_info_score(CLASSES, rng.integers(k, size=len(CLASSES))) for _ in range(200)]
    assert curve[k] == pytest.approx(_nmi(CLASSES, np.arange(400) % k), abs=1e-12)
    assert mutual_info_score(CLASSES, np.arange(400) % k) < np.quantile(drawn, 0.05)


def test_all_curves_meet_where_every_image_is_a_part():
    curves = reference_curves(CLASSES, [400]).set_index("curve")["nmi"]
    assert curves["refinement"] == pytest.approx(curves["orthogonal"], abs=1e-12)
    assert curves["random"] < curves["refinement"]


def test_a_k_does_not_depend_on_the_others():
    alone, among = (reference_curves(CLASSES, ks) for ks in ([30], [2, 30, 31]))
    assert (alone.to_numpy() == among[among["k"] == 30].to_numpy()).all()


def test_images_without_a_label_are_left_out():
    with_missing = np.concatenate([CLASSES.astype(object), ["", None, np.nan]])
    assert reference_curves(with_missing, [5, 402]).equals(reference_curves(CLASSES, [5]))


def test_one_label_alone_shares_nothing():
    curves = reference_curves(["a"] * 10, [1, 2]).set_index(["k", "curve"])["nmi"]
    assert curves[1].tolist() == [1, 1, 1]
    assert curves[2].tolist() == [0, 0, 0]
