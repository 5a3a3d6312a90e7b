"""The criteria for the number of groups: against brute force, scipy, scikit-learn and what the papers report."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist, pdist
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score
from sklearn.mixture import GaussianMixture

from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.figures import choose_k
from workflow_scripts.n_clusters import elbow, gap, mixture, silhouette, stability
from workflow_scripts.n_clusters.survey import CRITERIA, Options, standing_out, survey
from workflow_scripts.settings.figures import Style
from workflow_scripts.settings.figures.clusterers import ChooseK

POINTS, LABELS = make_blobs(160, 3, centers=[[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]], random_state=2)
KS = np.arange(1, 8)
OPTIONS = Options(n_init=10, n_references=6, n_resamples=6)


@pytest.fixture(scope="module")
def table():
    return survey(POINTS, KS, OPTIONS, 0)


def test_four_groups_stand_out(table):
    assert table[table["recommended"]].set_index("criterion")["k"].to_dict() == dict.fromkeys(CRITERIA, 4)
    assert (table[table["recommended"]]["share"] == 1).all()
    assert standing_out(table) == 4


def test_no_k_stands_out_of_a_cloud():
    cloud = np.random.default_rng(1).normal(size=(160, 3))
    found = survey(cloud, KS, OPTIONS, 0)
    assert standing_out(found) in (None, 1)
    assert found[found["recommended"] & (found["criterion"] == "gap")]["k"].tolist() == [1]


def test_the_order_of_k_changes_nothing(table):
    pd.testing.assert_frame_equal(table, survey(POINTS, KS[::-1], OPTIONS, 0))


def test_shares_are_of_all_resamples(table):
    sums = table.groupby("criterion")["share"].sum() + table.groupby("criterion")["undecided"].first()
    np.testing.assert_allclose(sums, 1)


def test_the_silhouettes_are_those_of_scikit_learn(table):
    ours = table[table["criterion"] == "silhouette"].set_index("k")["value"]
    for k in (2, 4):
        fitted = KMeans(k, n_init=20, random_state=0).fit(POINTS)
        assert ours[k] == pytest.approx(silhouette_score(POINTS, fitted.labels_), abs=1e-9)


def test_the_gap_is_the_papers():
    """W_k from the distances of all pairs, as in the paper's equations 1 to 3, and the deviations of step 3."""
    sets = list(gap.references(POINTS, 4, 0))

    def log_w(X, k):
        labels = KMeans(k, n_init=20, random_state=0).fit(X).labels_
        inside = [X[labels == cluster] for cluster in range(k)]
        return np.log(sum(2 * (pdist(points) ** 2).sum() / (2 * len(points)) for points in inside))

    def inertia(X):
        return np.exp([log_w(X, k) for k in KS[:4]])

    ours, s = gap.gaps(inertia(POINTS), np.array([inertia(X) for X in sets]))
    for place, k in enumerate(KS[:4]):
        logs = [log_w(X, k) for X in sets]
        mean = sum(logs) / 4
        assert ours[place] == pytest.approx(mean - log_w(POINTS, k))
        assert s[place] == pytest.approx(np.sqrt(sum((log - mean) ** 2 for log in logs) / 4) * np.sqrt(1 + 1 / 4))
    assert _inertia(POINTS)[3] == pytest.approx(np.exp(log_w(POINTS, 4)))


def test_references_fill_the_box_along_the_principal_axes():
    stretched = POINTS @ np.array([[3, 1, 0], [0, 1, 0.5], [0, 0, 0.2]])
    (reference,) = gap.references(stretched, 1, 0)
    centred = stretched - stretched.mean(axis=0)
    axes = np.linalg.eigh(np.cov(centred.T))[1]
    box, inside = centred @ axes, (reference - stretched.mean(axis=0)) @ axes
    assert (inside >= box.min(axis=0) - 1e-9).all()
    assert (inside <= box.max(axis=0) + 1e-9).all()
    np.testing.assert_allclose(np.ptp(inside, axis=0), np.ptp(box, axis=0), rtol=0.1)


def test_the_gap_is_found_where_the_paper_finds_it():
    """Tibshirani et al. (2001), section 4, models 1 and 2: one uniform box in 10 dimensions; three groups in two."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(8):
        box = random.uniform(size=(200, 10))
        groups = [random.normal(size=(n, 2)) + at for n, at in ((25, (0, 0)), (25, (0, 5)), (50, (5, -3)))]
        for X in (box, np.concatenate(groups)):
            inertias = [_inertia(data) for data in (X, *gap.references(X, 10, 1))]
            found.append(gap.recommend(KS, *gap.gaps(inertias[0], np.array(inertias[1:]))))
    assert found[0::2] == [1] * 8
    assert found[1::2].count(3) >= 7


def _inertia(X):
    return np.array([restarts.inertia.min() for restarts in run_restarts(X, KS.tolist(), 10, 0)])


def test_the_gap_takes_the_first_within_one_standard_error():
    ks = np.array([1, 2, 3, 4])
    assert gap.recommend(ks, np.array([0.1, 0.5, 0.55, 0.2]), np.array([0, 0, 0.1, 0])) == 2
    assert gap.recommend(ks, np.array([0.1, 0.5, 0.55, 0.2]), np.array([0, 0, 0.01, 0])) == 3
    assert gap.recommend(ks, np.array([0.1, 0.2, 0.3, 0.4]), np.zeros(4)) is None


def test_the_bic_is_that_of_the_densities():
    """-2 log likelihood + parameters x log n, from scipy's normal densities, for the mixture that was reached."""
    ours = mixture.bic(POINTS, LABELS, "full")
    model = GaussianMixture(4, random_state=0, n_init=3).fit(POINTS)
    parts = zip(model.weights_, model.means_, model.covariances_, strict=True)
    logs = [np.log(weight) + multivariate_normal(mean, covariance).logpdf(POINTS) for weight, mean, covariance in parts]
    n_parameters = 3 + 4 * 3 + 4 * 6
    expected = -2 * logsumexp(logs, axis=0).sum() + n_parameters * np.log(len(POINTS))
    assert ours == pytest.approx(expected, rel=1e-4)


def test_the_bic_at_the_end_of_the_range_recommends_nothing():
    ks = np.array([1, 2, 3])
    assert mixture.recommend(ks, np.array([3.0, 1, 2])) == 2
    assert mixture.recommend(ks, np.array([3.0, 2, 1])) is None
    assert mixture.recommend(ks, np.full(3, np.nan)) is None
    assert mixture.recommend(ks, np.array([3.0, 1, np.nan])) == 2


def test_prediction_strength_is_the_papers_sum_over_pairs():
    random = np.random.default_rng(3)
    points, centers, labels = random.normal(size=(40, 2)), random.normal(size=(3, 2)), random.integers(4, size=40)
    near = cdist(points, centers).argmin(axis=1)
    strengths = []
    for cluster in range(4):
        members = np.flatnonzero(labels == cluster)
        pairs = [near[i] == near[j] for i in members for j in members if i != j]
        strengths.append(sum(pairs) / (len(members) * (len(members) - 1)))
    assert stability.prediction_strength(points, labels, centers) == pytest.approx(min(strengths))


def test_a_cluster_of_one_point_has_no_pair_to_predict():
    points = np.array([[0.0], [1], [9]])
    assert stability.prediction_strength(points, np.array([0, 0, 1]), np.array([[0.5], [9]])) == 1


def test_stability_takes_the_largest_k_that_is_strong_enough():
    ks = np.array([1, 2, 3, 4])
    assert stability.recommend(ks, np.array([1, 0.9, 0.78, 0.5]), np.array([0, 0, 0.03, 0])) == 3
    assert stability.recommend(ks, np.array([1, 0.9, 0.78, 0.5]), np.zeros(4)) == 2
    assert stability.recommend(ks[1:], np.full(3, 0.3), np.zeros(3)) is None


def test_the_elbow_is_kneedles():
    """Satopää et al. (2011), figure 2: y = -1 / (x + 0.1) + 5 at ten points has its knee at 0.22; here upside down."""
    x = np.linspace(0, 1, 10)
    curve = 1 / (x + 0.1) - 5
    assert x[elbow.sag(np.arange(10), curve).argmax()] == pytest.approx(0.22, abs=0.005)
    assert elbow.recommend(np.arange(1, 11), curve, 0.3) == 3
    assert elbow.recommend(np.arange(1, 11), curve, 0.9) is None
    assert elbow.recommend(np.arange(1, 11), np.linspace(10, 1, 10), 0.0) is None


def test_a_silhouette_counts_if_it_is_above_chance_and_not_at_the_end():
    ks = np.array([1, 2, 3, 4])
    assert silhouette.recommend(ks, np.array([np.nan, 0.2, 0.5, 0.3]), 0.4) == 3
    assert silhouette.recommend(ks, np.array([np.nan, 0.2, 0.5, 0.3]), 0.6) is None
    assert silhouette.recommend(ks, np.array([np.nan, 0.2, 0.3, 0.5]), 0.1) is None


@pytest.mark.parametrize("width", [170, 85])
def test_the_figure_says_what_stands_out(table, width):
    facts = {"n_images": 160, "n_classes": 4, "n_resamples": 6, "n_references": 6, "standing_out": standing_out(table)}
    figure = ChooseK(width=width).draw_settings()
    drawn = choose_k.draw(table.assign(**facts), figure, {}, Style().dump())
    words = [text.get_text() for ax in drawn.axes for text in [ax.title, ax._left_title]]
    assert "Gap statistic: k = 4 (100 %)" in words
    assert "k = 4 stands out" in drawn._supxlabel.get_text().replace("\n", " ")
    nothing = table.assign(**{**facts, "standing_out": None, "recommended": False})
    drawn = choose_k.draw(nothing, figure, {}, Style().dump())
    assert "No k stands out" in drawn._supxlabel.get_text().replace("\n", " ")
