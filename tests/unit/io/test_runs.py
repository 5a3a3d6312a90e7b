"""Runs of clusterers (k, repeats, restarts and seeds) against direct calls of the libraries; points; the store."""

from itertools import product

import h5py
import numpy as np
import pytest
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from workflow_scripts.clusterers import kmeans, minibatch_kmeans
from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.errors import UserError
from workflow_scripts.io import store
from workflow_scripts.io.points import read_points
from workflow_scripts.io.runs import ROWS, Runs, read_runs, write_runs
from workflow_scripts.seeds import seed
from workflow_scripts.settings.clusterers.kmeans import KMeans
from workflow_scripts.settings.clusterers.kmeans import MiniBatchKMeans as MiniBatchSettings

POINTS, _ = make_blobs(90, 4, centers=6, cluster_std=3.0, random_state=1)
KS, REPEATS, N_INIT, BASE_SEED = [3, 8], 3, 7, 11


def _silent(done, total):
    pass


def _settings(keep="all", **other):
    return KMeans(k=KS, repeats=REPEATS, n_init=N_INIT, keep=keep, **other).dump()


def _cluster(settings, threads=1, base=BASE_SEED):
    return dict(kmeans.cluster(POINTS, settings, base, threads, _silent))


def _direct(k, repeat, **options):
    """Return the result of a single repeat."""
    return run_restarts(POINTS, k, N_INIT, seed(BASE_SEED, "kmeans", k, repeat), keep="all", **options)


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_every_row_is_the_restart_that_it_says(init):
    found = _cluster(_settings(init=init))
    assert list(found) == KS
    for k, runs in found.items():
        assert list(zip(runs.repeat, runs.restart, strict=True)) == list(product(range(REPEATS), range(N_INIT)))
        for row, (repeat, restart) in enumerate(zip(runs.repeat, runs.restart, strict=True)):
            direct = _direct(k, repeat, init=init)
            assert runs.seed[row] == seed(BASE_SEED, "kmeans", k, int(repeat))
            assert runs.inertia[row] == direct.inertia[restart]
            assert runs.n_iter[row] == direct.n_iter[restart]
            assert runs.converged[row] == direct.converged[restart]
            assert (runs.labels[row] == direct.labels[restart]).all()


def test_the_best_are_the_best_of_all():
    every, best = _cluster(_settings("all")), _cluster(_settings("best"))
    for k in KS:
        rows = [
            repeat * N_INIT + int(every[k].inertia[every[k].repeat == repeat].argmin()) for repeat in range(REPEATS)
        ]
        assert every[k].best_of_repeats.tolist() == rows
        for name in ("labels", "inertia", "n_iter", "converged", "repeat", "restart", "seed"):
            assert (getattr(best[k], name) == getattr(every[k], name)[rows]).all(), name
        assert (best[k].centers == every[k].centers).all()
        assert best[k].best_of_repeats.tolist() == list(range(REPEATS))


@pytest.mark.parametrize("keep", ["all", "best"])
def test_inertia_labels_and_centres_fit_each_other(keep):
    for k, runs in _cluster(_settings(keep)).items():
        for labels, inertia in zip(runs.labels, runs.inertia, strict=True):
            means = np.stack([POINTS[labels == cluster].mean(axis=0) for cluster in range(k)])
            assert inertia == pytest.approx(((POINTS - means[labels]) ** 2).sum())
        for row, centers in zip(runs.best_of_repeats, runs.centers, strict=True):
            means = np.stack([POINTS[runs.labels[row] == cluster].mean(axis=0) for cluster in range(k)])
            np.testing.assert_allclose(centers, means)


def test_nothing_depends_on_threads_other_k_or_other_repeats():
    alone = _cluster(_settings() | {"k": [8], "repeats": 1}, threads=1)[8]
    among = _cluster(_settings(), threads=3)[8]
    for name in ("labels", "inertia", "n_iter", "seed"):
        assert (getattr(among, name)[:N_INIT] == getattr(alone, name)).all(), name
    other = _cluster(_settings(), base=BASE_SEED + 1)[8]
    assert not np.array_equal(other.labels, among.labels)


@pytest.mark.parametrize(("method", "settings", "total"), [
    (kmeans, _settings(), len(KS) * REPEATS * N_INIT),
    (minibatch_kmeans, MiniBatchSettings(k=KS, repeats=REPEATS, n_init=N_INIT).dump(), len(KS) * REPEATS),
])  # fmt: skip
def test_progress_counts_the_fits_of_all_k(method, settings, total):
    calls = []
    list(method.cluster(POINTS, settings, 0, 1, lambda done, total: calls.append((done, total))))
    assert {each for _, each in calls} == {total}
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert calls[-1][0] == total


def test_a_gpu_that_is_not_there_is_the_users_mistake(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="found cuda, but torch sees no GPU"):
        _cluster(_settings(device="cuda"))


def test_minibatch_is_scikit_learns_with_the_seed_of_its_repeat():
    settings = MiniBatchSettings(k=KS, repeats=2, n_init=3, batch_size=20, max_iter=40).dump()
    for k, runs in minibatch_kmeans.cluster(POINTS, settings, BASE_SEED, 2, _silent):
        assert runs.repeat.tolist() == [0, 1]
        assert runs.restart.tolist() == [0, 0]
        for repeat in (0, 1):
            its_seed = seed(BASE_SEED, "minibatch_kmeans", k, repeat)
            with threadpool_limits(1):
                direct = MiniBatchKMeans(
                    k, n_init=3, max_iter=40, batch_size=20, random_state=its_seed
                ).fit(POINTS)  # fmt: skip
            assert runs.seed[repeat] == its_seed
            assert (runs.labels[repeat] == direct.labels_).all()
            assert runs.inertia[repeat] == direct.inertia_
            assert runs.n_iter[repeat] == direct.n_iter_
            assert (runs.centers[repeat] == direct.cluster_centers_).all()


def _runs(**changes):
    rows = {
        "labels": np.array([[0, 1, 1], [0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=np.uint8),
        "inertia": np.array([3.0, 2.0, 2.0, 5.0]),
        "n_iter": np.array([4, 5, 6, 7], dtype=np.int32),
        "converged": np.array([True, True, False, True]),
        "repeat": np.array([0, 0, 0, 1]),
        "restart": np.array([0, 1, 2, 0]),
        "seed": np.array([9, 9, 9, 2**32 - 1], dtype=np.uint32),
        "centers": np.zeros((2, 2, 4)),
    }
    return Runs(**(rows | changes))


def test_of_equals_the_first_is_the_best():
    assert _runs().best_of_repeats.tolist() == [1, 3]


def test_the_store_gives_back_values_and_types_in_the_order_of_k(tmp_path):
    path = str(tmp_path / "runs.h5")
    noise = _runs(labels=np.array([[-1, 0, 1]] * 4, dtype=np.int16), diagnostics={"heights": np.array([1.0, 0.5])})
    ids = np.array(["a", "b", "c"])
    write_runs(path, [(10, _runs()), (9, noise)], ids, store.provenance("c", "m", {"clusterer": {}}))
    with store.reading(path, "m") as file:
        found = read_runs(file)
        assert store.image_ids(file).tolist() == ["a", "b", "c"]
    assert list(found) == [9, 10]
    for k, runs in ((10, _runs()), (9, noise)):
        for name in ROWS:
            assert getattr(found[k], name).dtype == getattr(runs, name).dtype, name
            assert (getattr(found[k], name) == getattr(runs, name)).all(), name
    assert found[9].diagnostics["heights"].tolist() == [1.0, 0.5]
    assert found[10].diagnostics == {}


# ------------------------------------------------------------------------------------------------ what is clustered

FEATURES = np.random.default_rng(3).normal(size=(30, 6)).astype(np.float32) * np.arange(6, 0, -1, dtype=np.float32)
FITTED = PCA().fit(FEATURES.astype(np.float64))


def _store(tmp_path, **datasets):
    path = str(tmp_path / "points.h5")
    with store.writing(path, store.provenance("c", "m", {})) as file:
        file["image_id"] = np.array([f"i{number}" for number in range(30)], dtype="S")
        for name, values in datasets.items():
            file[name] = values
    return path


@pytest.mark.parametrize("whiten", [True, False])
@pytest.mark.parametrize(("wanted", "used"), [(1, 1), (4, 4), (None, 6), (6, 6), (7, 6), (1800, 6)])
def test_components_are_scikit_learns_and_capped_aloud(tmp_path, whiten, wanted, used):
    scores = FITTED.transform(FEATURES.astype(np.float64))
    path = _store(tmp_path, scores=scores, explained_variance=FITTED.explained_variance_)
    points = read_points(path, wanted, whiten)
    expected = PCA(used, whiten=whiten, svd_solver="full").fit_transform(FEATURES.astype(np.float64))
    np.testing.assert_allclose(points.values, expected, atol=1e-10)
    assert points.values.dtype == np.float64
    assert points.n_components == used
    assert points.manifest == "m"
    assert points.image_ids.tolist() == [f"i{number}" for number in range(30)]
    capped = f"n_components {wanted} is capped at {used}, all that the decomposition has"
    assert points.note == (capped if wanted and wanted > used else "")


@pytest.mark.parametrize("dataset", ["features", "scores"])
def test_features_and_maps_are_taken_as_they_are(tmp_path, dataset):
    points = read_points(_store(tmp_path, **{dataset: FEATURES}), None, False)
    assert (points.values == FEATURES).all()
    assert points.values.dtype == np.float64
    assert (points.n_components, points.note) == (None, "")


def test_points_of_another_format_are_refused(tmp_path):
    path = _store(tmp_path, features=FEATURES)
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(UserError, match="format version 99"):
        read_points(path, None, False)
