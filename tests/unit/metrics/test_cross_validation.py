"""Cross-validation against scikit-learn, step by step, and that nothing leaks from the fold that judges."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedGroupKFold

from workflow_scripts.errors import UserError
from workflow_scripts.io.runs import NOT_APPLICABLE, Runs
from workflow_scripts.io.tables import as_frame
from workflow_scripts.metrics.cross_validation import Model, cross_validate, matched_names, stratified_folds
from workflow_scripts.seeds import seed

CELL = {
    **{"dataset": "d", "preprocess": "p", "backbone": "b", "layer": "l", "reducer": "pca3w", "clusterer": "kmeans"},
    **{"n_components": 3, "whiten": True},
}
SETTINGS = {"folds": 4, "mapping": ["training", "validation"]}


def sklearn_kmeans(points, settings, seed, n_threads, progress):
    """A clusterer that is scikit-learn's, one repeat."""
    fit = KMeans(settings["k"], n_init=settings["n_init"], random_state=seed).fit(points)
    one = {name: np.array([value]) for name, value in (("n_iter", fit.n_iter_), ("converged", True), ("repeat", 0))}
    rest = {"restart": np.array([0]), "seed": np.array([seed]), "centers": fit.cluster_centers_[None]}
    yield settings["k"], Runs(labels=fit.labels_[None], inertia=np.array([fit.inertia_]), **one, **rest)


MODEL = Model(3, True, None, None, sklearn_kmeans, {"k": 5, "n_init": 2})


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], (40, 32, 28))
    centres = rng.normal(0, 1.2, (3, 10))
    return centres[np.searchsorted(["a", "b", "c"], labels)] + rng.normal(0, 1, (100, 10)), labels


def validated(features, labels, model=MODEL):
    return list(map(as_frame, cross_validate(features, labels, model, SETTINGS, CELL, 7, 1, lambda *_: None)))


def test_no_more_components_are_used_than_the_decomposition_keeps(blobs):
    kept, few = (
        validated(*blobs, replace(MODEL, n_components=n, max_components=most))[0] for n, most in ((8, 3), (3, None))
    )
    assert set(kept["n_components_used"]) == {3}
    assert kept["inertia"].tolist() == pytest.approx(few["inertia"].tolist())


def test_every_step_is_scikit_learns(blobs):
    features, labels = blobs
    scores, classes = validated(features, labels)
    table = scores.set_index(["fold", "split"])
    for fold, (training, validation) in enumerate(stratified_folds(labels, 4, 7)):
        pca = PCA(3, whiten=True, svd_solver="full").fit(features[training])
        fold_seed = int(table.loc[fold, "seed"].iloc[0])
        fit = KMeans(5, n_init=2, random_state=fold_seed).fit(pca.transform(features[training]))
        vote = {c: max("abc", key=list(labels[training][fit.labels_ == c]).count) for c in range(5)}
        named = [vote[c] for c in fit.predict(pca.transform(features[validation]))]
        expected = accuracy_score(labels[validation], named)
        assert table.loc[(fold, "validation"), "accuracy_majority"] == pytest.approx(expected)
        assert table.loc[(fold, "train"), "inertia"] == pytest.approx(fit.inertia_, rel=1e-6)
        assert table.loc[(fold, "validation"), "inertia"] == pytest.approx(
            -fit.score(pca.transform(features[validation])), rel=1e-6
        )
        recall = classes.set_index(["fold", "split", "label"]).loc[(fold, "validation", "a"), "recall"]
        of_a = labels[validation] == "a"
        assert recall == pytest.approx(np.mean(np.array(named)[of_a] == "a"))


def without_centres(noise):
    """The same clusterer with no centres stored and some of the training images noise; it finds k itself."""

    def cluster(*given):
        ((_, runs),) = sklearn_kmeans(*given)
        labels = runs.labels.astype(int)
        labels[:, :noise] = -1
        yield None, replace(runs, labels=labels, centers=np.empty((1, 0, 0)), seed=np.array([NOT_APPLICABLE]))

    return Model(3, True, None, None, cluster, {"k": 5, "n_init": 2})


def test_means_stand_in_for_centres_that_a_method_does_not_have(blobs):
    expected, _ = validated(*blobs)
    found, _ = validated(*blobs, without_centres(noise=0))
    assert found[["k", "seed"]].isna().all(axis=None)
    for column in ("fold", "split", "accuracy_majority", "accuracy_matched", "ari", "silhouette"):
        np.testing.assert_array_equal(found[column], expected[column])
    np.testing.assert_allclose(found["inertia"].astype(float), expected["inertia"].astype(float))


def test_noise_of_the_training_folds_gets_no_centre(blobs):
    found, _ = validated(*blobs, without_centres(noise=15))
    train = found[found["split"] == "train"]
    np.testing.assert_allclose(train["noise_fraction"], 15 / 75)
    assert (found.loc[found["split"] == "validation", "noise_fraction"] == 0).all()
    with pytest.raises(UserError, match="every image of a fold is noise"):
        validated(*blobs, without_centres(noise=100))


def test_all_components_are_counted_where_no_number_is_asked_for(blobs):
    scores, _ = validated(*blobs, Model(None, False, None, None, sklearn_kmeans, {"k": 3, "n_init": 1}))
    assert set(scores["n_components_used"]) == {10}


def test_labels_of_the_judging_fold_do_not_name_clusters():
    features = np.repeat(np.eye(3) * 100, 40, axis=0) + np.random.default_rng(0).normal(0, 1, (120, 3))
    labels = np.repeat(["a", "b", "c"], 40)
    judged = next(stratified_folds(labels, 4, 7))[1]
    # The held-out fold's labels are turned round; folds stay, since every class has as many of them as before.
    turned = labels.copy()
    turned[judged] = np.array(["b", "c", "a"])[np.searchsorted(["a", "b", "c"], labels[judged])]
    folds = list(stratified_folds(labels, 4, 7))

    def same_folds(*_):
        return iter(folds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workflow_scripts.metrics.cross_validation.stratified_folds", same_folds)
        model = Model(2, False, None, None, sklearn_kmeans, {"k": 3, "n_init": 5})
        scores, _ = validated(features, turned, model)
    first = scores[scores["fold"] == 0].set_index("split")["accuracy_majority"]
    assert first.to_dict() == {"train": 1, "validation": 0, "validation_refitted": 1}


def test_folds_hold_every_image_once_and_every_class_alike():
    labels = np.repeat(["a", "b", ""], (40, 20, 8))
    folds = [validation for _, validation in stratified_folds(labels, 4, 0)]
    assert sorted(np.concatenate(folds)) == list(range(68))
    assert [sorted(np.unique(labels[fold], return_counts=True)[1]) for fold in folds] == [[2, 5, 10]] * 4


def test_more_folds_than_images_of_a_class_is_an_error():
    with pytest.raises(UserError, match="found 5, allowed: at most 4"):
        stratified_folds(np.array(["a"] * 4), 5, 0)


def test_one_to_one_names_leave_spare_clusters_without_a_class():
    clusters, labels = np.array([0, 0, 0, 1, 1, 2, 2, 2]), np.array(["a", "a", "a", "a", "a", "b", "b", ""])
    assert matched_names(clusters, labels)["predicted"].to_dict() == {0: "a", 2: "b"}


def test_folds_of_groups_are_scikit_learns_and_never_share_a_group(blobs):
    features, labels = blobs
    groups = np.array([f"wafer {number % 17}" for number in range(100)])
    folds = list(stratified_folds(labels, 4, 7, groups))
    oracle = StratifiedGroupKFold(4, shuffle=True, random_state=seed(7, "folds"))
    for (training, validation), expected in zip(folds, oracle.split(features, labels, groups), strict=True):
        np.testing.assert_array_equal(validation, expected[1])
        assert not set(groups[training]) & set(groups[validation])
    assert sorted(np.concatenate([validation for _, validation in folds])) == list(range(100))
    seen = []

    def watched(points, *given):
        seen.append(len(points))
        return sklearn_kmeans(points, *given)

    cross_validate(features, labels, replace(MODEL, cluster=watched), SETTINGS, CELL, 7, 1, lambda *_: None, groups)
    assert seen == [len(training) for training, _ in folds]


def test_more_folds_than_groups_of_a_class_is_an_error():
    with pytest.raises(UserError, match="found 3, allowed: at most 2, the groups of the largest class"):
        stratified_folds(np.array(["a"] * 4), 3, 0, np.array(list("xxyy")))
