"""The clusterers of scikit-learn's: what the library gives with the seed of the repeat, and what cannot run says so."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import (
    DBSCAN,
    HDBSCAN,
    OPTICS,
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    MeanShift,
    MiniBatchKMeans,
    SpectralClustering,
    estimate_bandwidth,
)
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.runs import NOISE, read_runs, write_runs
from workflow_scripts.seeds import seed
from workflow_scripts.settings.clusterers import Clusterer

POINTS, TRUTH = make_blobs(150, 5, centers=4, cluster_std=1.0, random_state=3)
KS, BASE_SEED = [2, 4], 11
OF_K = {
    "bisecting_kmeans": (
        {"n_init": 2, "bisecting_strategy": "largest_cluster"},
        lambda k, s: BisectingKMeans(k, n_init=2, bisecting_strategy="largest_cluster", random_state=s),
    ),
    "minibatch_kmeans": (
        {"n_init": 2, "batch_size": 64},
        lambda k, s: MiniBatchKMeans(k, n_init=2, batch_size=64, max_iter=300, random_state=s),
    ),
    "gaussian_mixture": (
        {"covariance_type": "diag", "n_init": 2},
        lambda k, s: GaussianMixture(k, covariance_type="diag", n_init=2, max_iter=200, random_state=s),
    ),
    "spectral": (
        {"n_neighbors": 7},
        lambda k, s: SpectralClustering(k, affinity="nearest_neighbors", n_neighbors=7, random_state=s),
    ),
}
OWN_K = {
    "dbscan": ({"eps": 2.0, "min_samples": 5}, lambda: DBSCAN(eps=2.0, min_samples=5)),
    "hdbscan": ({"min_cluster_size": 8}, lambda: HDBSCAN(min_cluster_size=8, copy=True)),
    "optics": ({"min_samples": 6, "xi": 0.1}, lambda: OPTICS(min_samples=6, xi=0.1)),
    "affinity_propagation": (
        {},
        lambda: AffinityPropagation(
            damping=0.9, max_iter=500, random_state=seed(BASE_SEED, "affinity_propagation")
        ),
    ),
    "mean_shift": ({"bandwidth": 4.0}, lambda: MeanShift(bandwidth=4.0)),
}  # fmt: skip


def run(method, points=POINTS, base_seed=BASE_SEED, threads=1, progress=lambda *_: None, **settings):
    model = Clusterer.registry[method]
    if not model.finds_k:
        settings = {"k": KS, **settings}
    cluster = import_module(f"workflow_scripts.clusterers.{method}").cluster
    return dict(cluster(points, model(**settings).dump(), base_seed, threads, progress))


def fitted(estimator, points=POINTS):
    with threadpool_limits(1):
        return estimator.fit(points)


def test_every_method_of_scikit_learn_is_tested_here():
    of_library = {name for name in Clusterer.registry if "from sklearn.cluster import" in code(name)}
    assert of_library | {"gaussian_mixture"} == {*OF_K, *OWN_K, "birch"}


def code(method):
    return Path(import_module(f"workflow_scripts.clusterers.{method}").__file__).read_text()


@pytest.mark.parametrize("method", OF_K)
def test_each_k_and_repeat_is_the_librarys_with_its_seed(method):
    settings, estimator = OF_K[method]
    found = run(method, **settings, repeats=2)
    assert list(found) == KS
    for k, runs in found.items():
        assert runs.repeat.tolist() == [0, 1]
        for repeat, labels in enumerate(runs.labels):
            its_seed = seed(BASE_SEED, method, k, repeat)
            assert runs.seed[repeat] == its_seed
            fit = fitted(estimator(k, its_seed))
            expected = fit.labels_ if hasattr(fit, "labels_") else fit.predict(POINTS)
            np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("method", OWN_K)
def test_a_method_that_finds_k_gives_one_run_of_the_librarys(method):
    settings, estimator = OWN_K[method]
    ((k, runs),) = run(method, **settings).items()
    expected = fitted(estimator()).labels_
    assert k is None
    assert len(set(expected)) > 2
    np.testing.assert_array_equal(runs.labels, expected[None])
    assert np.isnan(runs.inertia).all()


@pytest.mark.parametrize("method", [*OF_K, *OWN_K, "birch"])
def test_a_run_does_not_depend_on_threads_and_is_told(method):
    settings = {**OF_K, **OWN_K, "birch": ({}, None)}[method][0]
    calls = []
    once = run(method, progress=lambda done, total: calls.append((done, total)), **settings)
    again = run(method, threads=2, **settings)
    for k, runs in once.items():
        np.testing.assert_array_equal(runs.labels, again[k].labels)
    assert calls[-1][0] == calls[-1][1] == {total for _, total in calls}.pop()


def test_one_tree_of_birch_serves_every_k():
    found = run("birch", threshold=1.5)
    for k, runs in found.items():
        expected = fitted(Birch(threshold=1.5, n_clusters=k)).predict(POINTS)
        assert adjusted_rand_score(runs.labels[0], expected) == 1
    distances = np.linalg.norm(POINTS[:, None] - POINTS, axis=2) + np.diag(np.full(len(POINTS), np.inf))
    typical = import_module("workflow_scripts.clusterers.birch").typical_distance(POINTS)
    assert typical == pytest.approx(np.median(distances.min(axis=1)))
    assert adjusted_rand_score(run("birch", k=4)[4].labels[0], TRUTH) > 0.95


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_the_criteria_of_a_mixture_are_the_librarys_and_find_four_groups(covariance_type):
    found = run("gaussian_mixture", k=[2, 3, 4, 5, 6], covariance_type=covariance_type, repeats=1)
    for k, runs in found.items():
        fit = fitted(GaussianMixture(
            k, covariance_type=covariance_type, n_init=3, max_iter=200, random_state=int(runs.seed[0])
        ))  # fmt: skip
        assert runs.diagnostics["bic"] == pytest.approx([fit.bic(POINTS)])
        assert runs.diagnostics["aic"] == pytest.approx([fit.aic(POINTS)])
        assert runs.diagnostics["log_likelihood"] == pytest.approx([fit.score(POINTS)])
        assert (runs.n_iter[0], runs.converged[0]) == (fit.n_iter_, fit.converged_)
    assert min(found, key=lambda k: found[k].diagnostics["bic"][0]) == 4


def test_a_singular_covariance_is_one_line():
    same = np.repeat(np.eye(4), 10, axis=0)
    with pytest.raises(UserError, match=r"config: clusterers: gaussian_mixture: .*covariance"):
        run("gaussian_mixture", same, k=4, reg_covar=0)


def test_bisecting_keeps_centres_and_inertia():
    for k, runs in run("bisecting_kmeans").items():
        for labels, centers, inertia in zip(runs.labels, runs.centers, runs.inertia, strict=True):
            means = np.stack([POINTS[labels == cluster].mean(axis=0) for cluster in range(k)])
            np.testing.assert_allclose(centers, means)
            assert inertia == pytest.approx(((POINTS - means[labels]) ** 2).sum())


def test_the_bandwidth_is_estimated_by_the_library():
    runs = run("mean_shift", quantile=0.2)[None]
    expected = estimate_bandwidth(POINTS, quantile=0.2)
    assert runs.diagnostics["bandwidth"] == pytest.approx([expected])
    np.testing.assert_array_equal(runs.labels[0], fitted(MeanShift(bandwidth=expected)).labels_)


def test_noise_is_kept_as_noise(tmp_path):
    far = np.vstack([POINTS, [[99.0] * 5]])
    for method, settings in (
        ("dbscan", {"eps": 2.0}), ("hdbscan", {}), ("mean_shift", {"bandwidth": 4.0, "cluster_all": False}),
        ("affinity_propagation", {"max_iter": 1}),
    ):  # fmt: skip
        runs = run(method, far if method != "affinity_propagation" else POINTS, **settings)
        path = str(tmp_path / f"{method}.h5")
        ids = np.array([f"i{number}" for number in range(runs[None].labels.shape[1])])
        write_runs(path, runs.items(), ids, store.provenance("c", "m", {"clusterer": settings}))
        with store.reading(path) as file:
            ((k, found),) = read_runs(file).items()
        assert k is None
        if method == "affinity_propagation":  # stopped before it converges
            assert (found.labels == NOISE).all()
        elif method != "mean_shift":
            assert found.labels[0, -1] == NOISE
        np.testing.assert_array_equal(found.labels, runs[None].labels)


def test_what_cannot_run_says_so_before_it_starts():
    """Points of a stride of zero: a hundred thousand rows that take no memory."""
    many = np.broadcast_to(np.zeros(50), (1_000_000, 50))
    for method in ("optics", "mean_shift", "hdbscan", "spectral", "dbscan"):
        with pytest.raises(UserError, match=r" of 1000000 images in 50 dimensions takes about [\d.]+ hours"):
            run(method, many)
    with pytest.raises(UserError, match=r"affinity propagation of 1000000 images needs [\d,]+ bytes \(\d+\.\d GiB\)"):
        run("affinity_propagation", many)
    wide = np.broadcast_to(0.0, (10, 200_000))
    with pytest.raises(UserError, match=r"full covariances of 200000 components needs .* bytes"):
        run("gaussian_mixture", wide)


def test_fewer_images_than_a_method_needs_are_told():
    few = np.zeros((5, 2))
    for method in ("optics", "hdbscan"):
        with pytest.raises(UserError, match=rf"config: clusterers: {method}: min_samples: found 10, allowed: .*, 5"):
            run(method, few)


def test_dbscan_counts_neighbours_before_it_keeps_them(monkeypatch):
    monkeypatch.setattr("workflow_scripts.clusterers.memory.os.sysconf", lambda name: 4)  # 16 bytes of memory
    with pytest.raises(UserError, match="DBSCAN of 150 images at eps 100 needs 360,000 bytes"):
        run("dbscan", eps=100.0)  # 2 x 8 x 150 x 150: everything is everything's neighbour
