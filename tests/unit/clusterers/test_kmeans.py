"""Many-restart k-means against scikit-learn, path against path, and its promises of reproducibility."""

import ctypes as ct
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from shutil import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.workflow import ROOT
from workflow_scripts import kmeans_kernels
from workflow_scripts.clusterers.kmeans import ManyRestartKMeans, Restarts, native, path_on, run_restarts
from workflow_scripts.clusterers.kmeans import restarts as restarts_module
from workflow_scripts.clusterers.kmeans.problem import Batch, Problem
from workflow_scripts.clusterers.kmeans.streams import random_points, uniforms
from workflow_scripts.errors import UserError

KERNELS = kmeans_kernels.kernels()
needs_kernel = pytest.mark.skipif(not KERNELS, reason="k-means was installed without a C compiler")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """1797 real images, whitened: 40 features, no two points alike."""
    return PCA(40, whiten=True, random_state=0).fit_transform(load_digits().data)


@pytest.fixture(params=["avx512", "avx2", "base", "torch"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test on every compiled kernel, and on the torch path."""
    if request.param not in (*KERNELS, "torch"):
        pytest.skip(f"no kernel for {request.param} here")
    monkeypatch.setenv(kmeans_kernels.VARIABLE, request.param)
    return request.param


@pytest.fixture
def on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kmeans_kernels.VARIABLE, "torch")


def points(n: int, restarts: int, k: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.choice(n, k, replace=False) for _ in range(restarts)])


def sklearn_run(X: np.ndarray, centers: np.ndarray, max_iter: int = 300) -> KMeans:
    return KMeans(len(centers), init=centers, n_init=1, tol=0, algorithm="lloyd", max_iter=max_iter).fit(X)


def means_of(X: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([X[labels == j].mean(axis=0) for j in range(labels.max() + 1)])


def assert_same(a: Restarts, b: Restarts) -> None:
    for field in fields(Restarts):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name), err_msg=field.name)


# ---------------------------------------------------------------- exactness


def lloyd_meets_tie(X: np.ndarray, centers: np.ndarray) -> bool:
    """Whether plain double-precision iterations from `centers` ever meet a choice that rounding could decide:
    two different centres, or two points to fill an empty cluster with, at nearly the same distance."""
    X = X - X.mean(axis=0)
    resolution = 1e-9 * (np.abs(X).max() + 1e-300) ** 2
    for _ in range(100):
        distance = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels = distance.argmin(axis=1)
        nearest = distance.min(axis=1)
        rival = np.where((centers[None] == centers[labels][:, None]).all(axis=2), np.inf, distance).min(axis=1)
        if (rival - nearest < resolution).any():
            return True
        counts = np.bincount(labels, minlength=len(centers))
        if (counts == 0).any():
            return True
        new = np.stack([X[labels == j].mean(axis=0) for j in range(len(centers))])
        if (new == centers).all():
            return False
        centers = new
    return True


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Points and starting centres: clouds and grids, duplicates, constant columns, offsets, scales, any k."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, d = draw(st.integers(1, 80)), draw(st.integers(1, 12))
    X = rng.integers(0, 4, (n, d)).astype(float) if draw(st.booleans()) else rng.normal(size=(n, d))
    if draw(st.booleans()):
        X += 5 * rng.normal(size=(3, d))[rng.integers(0, 3, n)]
    if draw(st.booleans()):
        X = X[rng.integers(0, n, n)]
    if draw(st.booleans()):
        X[:, 0] = 7
    X = X * 10.0 ** draw(st.sampled_from([-12, 0, 0, 9])) + draw(st.sampled_from([0, 0, 1e3]))
    k = draw(st.one_of(st.integers(1, min(n, 10)), st.just(n)))
    centers = X[rng.choice(n, k, replace=False)]
    if draw(st.booleans()):
        centers = centers + X.std() * rng.normal(size=centers.shape)
    return X, centers


def test_same_as_sklearn_on_random_problems() -> None:
    compared = 0

    @settings(max_examples=500, deadline=None, derandomize=True)
    @given(problems())
    def check(problem: tuple[np.ndarray, np.ndarray]) -> None:
        nonlocal compared
        X, centers = problem
        ours = run_restarts(X, len(centers), 1, 0, init=centers[None])
        rounding = 1e-9 * ((X - X.mean(axis=0)) ** 2).sum() + 1e-12 * (X**2).sum()
        assert_fixed_point(X, ours, rounding)
        if not lloyd_meets_tie(X, centers - X.mean(axis=0)):
            theirs = sklearn_run(X, centers)
            np.testing.assert_array_equal(ours.labels[0], theirs.labels_)
            assert ours.inertia[0] == pytest.approx(theirs.inertia_, rel=1e-6, abs=rounding)
            compared += 1

    check()
    assert compared >= 200


def assert_fixed_point(X: np.ndarray, ours: Restarts, rounding: float) -> None:
    """What holds with ties, too: the inertia is the labels', each point is at a nearest centre, centres are means."""
    distance = ((X[:, None] - ours.best_centers) ** 2).sum(axis=2)
    chosen = distance[np.arange(len(X)), ours.best_labels]
    assert ours.inertia[0] == pytest.approx(chosen.sum(), rel=1e-6, abs=rounding)
    k = len(ours.best_centers)
    if ours.converged[0] and len(np.unique(ours.best_labels)) == k:
        assert (chosen <= distance.min(axis=1) + rounding).all()
        means = np.stack([X[ours.best_labels == j].mean(axis=0) for j in range(k)])
        np.testing.assert_allclose(ours.best_centers, means, rtol=1e-6, atol=1e-9 * np.abs(X).max())


def test_same_as_sklearn_on_images(digits: np.ndarray, path: str) -> None:
    assert_same_as_sklearn(digits, points(len(digits), 12, 10), rel=1e-9)


def assert_same_as_sklearn(X: np.ndarray, init: np.ndarray, rel: float) -> None:
    """Assert that restarts from the points `init` (R, k) end as scikit-learn's do, after as many iterations."""
    ours = run_restarts(X, init.shape[1], len(init), 0, init=init)
    for r, start in enumerate(init):
        theirs = sklearn_run(X, X[start])
        np.testing.assert_array_equal(ours.labels[r], theirs.labels_)
        assert ours.inertia[r] == pytest.approx(theirs.inertia_, rel=rel)
        assert ours.n_iter[r] == theirs.n_iter_


def test_inner_products_path_is_exact() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(700, 300)) + 0.35 * rng.normal(size=(6, 300))[rng.integers(0, 6, 700)]
    init = points(700, 20, 7)
    ours = run_restarts(X, 7, 20, 0, init=init)
    for r, start in enumerate(init):
        theirs = sklearn_run(X, X[start])
        np.testing.assert_array_equal(ours.labels[r], theirs.labels_)
        assert ours.n_iter[r] == theirs.n_iter_


@pytest.mark.parametrize("max_iter", [1, 2, 5])
def test_unfinished_restarts_are_as_sklearn_leaves_them(digits: np.ndarray, max_iter: int, path: str) -> None:
    init = points(len(digits), 3, 10)
    ours = run_restarts(digits, 10, 3, 0, init=init, max_iter=max_iter)
    assert not ours.converged.any()
    for r, start in enumerate(init):
        theirs = sklearn_run(digits, digits[start], max_iter)
        np.testing.assert_array_equal(ours.labels[r], theirs.labels_)
        assert ours.inertia[r] == pytest.approx(theirs.inertia_, rel=1e-9)


def test_tolerance_stops_where_sklearn_stops(digits: np.ndarray, path: str) -> None:
    init = points(len(digits), 5, 10)
    ours = run_restarts(digits, 10, 5, 0, init=init, tol=1e-2)
    for r, start in enumerate(init):
        theirs = KMeans(10, init=digits[start], n_init=1, tol=1e-2, algorithm="lloyd").fit(digits)
        assert ours.n_iter[r] == theirs.n_iter_
        assert ours.inertia[r] == pytest.approx(theirs.inertia_, rel=1e-9)
    assert ours.converged.all()


def test_empty_clusters_take_the_farthest_points_as_in_sklearn(path: str) -> None:
    rng = np.random.default_rng(0)
    for trial in range(20):
        X = rng.normal(size=(60, 3))
        centers = np.concatenate([X[:3], 100 + rng.normal(size=(1 + trial % 2, 3))])  # no point is near the last ones
        ours = run_restarts(X, len(centers), 1, 0, init=centers[None])
        theirs = sklearn_run(X, centers)
        assert ours.inertia[0] == pytest.approx(theirs.inertia_, rel=1e-9)
        assert len(np.unique(ours.labels[0])) == len(centers)


# ---------------------------------------------------------------- edges


def test_one_cluster_and_as_many_as_points(path: str) -> None:
    X = np.random.default_rng(0).normal(size=(30, 4))
    one, all_ = run_restarts(X, [1, 30], 3, 0)
    np.testing.assert_allclose(one.inertia, ((X - X.mean(axis=0)) ** 2).sum())
    np.testing.assert_allclose(one.best_centers, X.mean(axis=0)[None], atol=1e-12)
    np.testing.assert_allclose(all_.inertia, 0, atol=1e-12)
    assert (all_.inertia >= 0).all()
    assert len(np.unique(all_.best_labels)) == 30


def test_fewer_distinct_points_than_clusters(path: str) -> None:
    X = np.repeat(np.array([[0.0, 0], [1, 0], [5, 5]]), 10, axis=0)
    with pytest.warns(ConvergenceWarning, match="k=5 but the best restart found 3 clusters"):
        out = run_restarts(X, 5, 8, 0)
    np.testing.assert_allclose(out.inertia, 0, atol=1e-25)
    assert len(np.unique(out.best_labels[::10])) == 3


def test_huge_offset_changes_nothing(digits: np.ndarray, path: str) -> None:
    assert_same_as_sklearn(digits + 1e9, points(len(digits), 5, 10), rel=1e-6)


def test_identical_points(path: str) -> None:
    out = run_restarts(np.full((12, 3), 1e6), 3, 2, 0)
    np.testing.assert_array_equal(out.inertia, 0)
    np.testing.assert_array_equal(out.best_centers, 1e6)


def test_many_clusters_need_wider_labels(path: str) -> None:
    X = np.random.default_rng(0).normal(size=(400, 2))
    few, many = run_restarts(X, [256, 257], 2, 0)
    assert few.labels.dtype == np.uint8
    assert many.labels.dtype == np.uint16
    assert many.labels.max() == 256
    theirs = sklearn_run(X, X[:300])
    np.testing.assert_array_equal(run_restarts(X, 300, 1, 0, init=np.arange(300)[None]).labels[0], theirs.labels_)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.array([[1.0, 2], [np.nan, 3]])}, "nan in row 1, column 0"),
        ({"X": np.array([[1.0, np.inf], [2, 3]])}, "inf in row 0, column 1"),
        ({"X": np.array([1.0, 2])}, "shape"),
        ({"X": np.array([["a"]])}, "real numbers"),
        ({"k": 11}, "k=11 but X has 10 points"),
        ({"k": [2, 0]}, "k=0"),
        ({"restarts": 0}, "restarts=0"),
        ({"init": "kmeans"}, "one of k-means"),
        ({"init": np.zeros((3, 2, 9))}, "init has shape"),
        ({"init": np.full((3, 2), 10)}, "points that do not exist"),
        ({"keep": "some"}, "keep='some'"),
    ],
)
def test_unusable_input_is_named(change: dict, message: str) -> None:
    usable = {"X": np.random.default_rng(0).normal(size=(10, 2)), "k": 2, "restarts": 3, "seed": 0}
    with pytest.raises(ValueError, match=message):
        run_restarts(**usable | change)


# ---------------------------------------------------------------- seeding


def sklearn_inertias(X: np.ndarray, k: int, restarts: int, **options) -> np.ndarray:
    return np.array([KMeans(k, n_init=1, tol=0, random_state=r, **options).fit(X).inertia_ for r in range(restarts)])


@needs_kernel  # the torch path ends where the kernel does, see test_torch_path_equals_the_kernel
@pytest.mark.parametrize("load", [load_iris, load_wine, lambda: load_digits(n_class=4)])
def test_inertias_are_distributed_as_sklearns(load) -> None:
    X = StandardScaler().fit_transform(load().data)[:250]
    ours = run_restarts(X, 6, 2000, 0).inertia
    theirs = sklearn_inertias(X, 6, 2000)
    assert ks_2samp(ours, theirs).pvalue > 0.01


@needs_kernel
def test_the_other_inits_are_distributed_as_sklearns() -> None:
    X = StandardScaler().fit_transform(load_wine().data)
    ours = {init: run_restarts(X, 6, 1000, 0, init=init).inertia for init in ("k-means++", "k-means++-plain", "random")}
    plain = [kmeans_plusplus(X, 6, random_state=r, n_local_trials=1)[0] for r in range(1000)]
    assert ks_2samp(ours["k-means++-plain"], run_restarts(X, 6, 1000, 0, init=np.stack(plain)).inertia).pvalue > 0.01
    assert ks_2samp(ours["random"], sklearn_inertias(X, 6, 1000, init="random")).pvalue > 0.01
    assert ks_2samp(ours["k-means++"], ours["random"]).pvalue < 1e-3  # the test tells the methods apart


def test_random_points_are_distinct_and_uniform() -> None:
    chosen = random_points(1, range(20000), 3, 7)
    assert (np.diff(np.sort(chosen, axis=1), axis=1) > 0).all()
    counts = np.bincount(chosen.ravel(), minlength=7)
    np.testing.assert_allclose(counts, 20000 * 3 / 7, rtol=0.04)


def test_streams_depend_on_seed_and_restart_alone() -> None:
    whole = uniforms(5, range(0, 100), 8)
    np.testing.assert_array_equal(whole[40:60, :3], uniforms(5, range(40, 60), 3))
    assert len(np.unique(np.concatenate([whole, uniforms(6, range(0, 100), 8)]))) == 1600
    assert abs(np.corrcoef(uniforms(0, range(20000), 2).T)[0, 1]) < 0.03


# ---------------------------------------------------------------- reproducibility


def test_threads_splits_memory_and_other_k_change_nothing(digits: np.ndarray, path: str) -> None:
    whole = run_restarts(digits, 10, 40, 3)
    assert_same(whole, run_restarts(digits, 10, 40, 3, n_threads=3))
    assert_same(whole, run_restarts(digits, [4, 10], 40, 3)[1])
    part = run_restarts(digits, 10, 15, 3)
    np.testing.assert_array_equal(whole.labels[:15], part.labels)
    np.testing.assert_array_equal(whole.inertia[:15], part.inertia)
    assert_same(whole, run_restarts(digits, 10, 40, 3, max_memory=100_000))  # nothing cached, batches of one


def duplicates() -> np.ndarray:
    """Points on a grid, most of them more than once: many are as near to one centre as to another."""
    return np.random.default_rng(0).integers(0, 3, (500, 4)).astype(float)


@pytest.mark.parametrize("far", [0, 1e6])
@pytest.mark.usefixtures("on_torch")
def test_torch_path_is_the_same_in_batches_of_any_size_with_ties(far: float) -> None:
    X = duplicates()
    X[0] += far
    whole = run_restarts(X, 6, 64, 0)
    for max_memory in (0, 2**17, 2**20):
        assert_same(whole, run_restarts(X, 6, 64, 0, max_memory=max_memory, n_threads=2))


@pytest.mark.usefixtures("on_torch")
def test_torch_path_gives_the_same_bits_in_double_precision(digits: np.ndarray) -> None:
    """Single precision is for the scores alone: what it leaves open is settled in double."""
    for X in (digits, duplicates()):
        assert_same(run_restarts(X, 7, 40, 0), run_restarts(X, 7, 40, 0, dtype=np.float64))


def test_torch_path_keeps_the_sums_of_a_restart_and_not_its_differences() -> None:
    import torch

    from workflow_scripts.clusterers.kmeans import torch_backend

    sums = torch_backend.folded_sum(torch.ones(3, 1000, dtype=torch.float64))
    assert sums.tolist() == [1000] * 3
    assert sums.untyped_storage().nbytes() == 3 * 8


BITS = """
import sys, numpy as np
from workflow_scripts.clusterers.kmeans import run_restarts
found = run_restarts(np.load(sys.argv[1]), [2, 9], 25, 0, n_threads=2)
print(*(getattr(each, name).tobytes().hex() for each in found for name in ("labels", "inertia", "best_centers")))
"""


@pytest.mark.parametrize(
    "processor",
    [
        {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "MKL_CBWR": "COMPATIBLE"},
        {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "OMP_NUM_THREADS": "2"},
    ],
    ids=["no vectors", "AVX2"],
)
def test_torch_path_gives_the_same_bits_on_other_processors(
    processor: dict[str, str], digits: np.ndarray, tmp_path: Path
) -> None:
    X = digits[:400] * 0.37
    np.save(tmp_path / "X.npy", X)
    bits = [
        subprocess.run(
            [sys.executable, "-c", BITS, tmp_path / "X.npy"],
            env={**os.environ, kmeans_kernels.VARIABLE: "torch", **variables},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for variables in ({}, processor)
    ]
    assert len(bits[0]) > 2 * 50 * 400
    assert bits[0] == bits[1]


def test_several_seeds_put_an_axis_in_front(digits: np.ndarray, path: str) -> None:
    both = run_restarts(digits, 5, 6, [7, 8])
    for row, seed in enumerate([7, 8]):
        alone = run_restarts(digits, 5, 6, seed)
        np.testing.assert_array_equal(both.labels[row], alone.labels)
        np.testing.assert_array_equal(both.best_labels[row], alone.best_labels)
        np.testing.assert_array_equal(both.best_centers[row], alone.best_centers)


def test_keeping_the_best_keeps_the_best(digits: np.ndarray, path: str) -> None:
    everything, best = run_restarts(digits, 5, 40, 0), run_restarts(digits, 5, 40, 0, keep="best")
    assert everything.best == best.best == everything.inertia.argmin()
    assert best.labels.shape == (len(digits),)
    np.testing.assert_array_equal(best.labels, everything.labels[everything.best])
    np.testing.assert_array_equal(best.inertia, everything.inertia)


def test_progress_counts_restarts_and_an_error_in_it_ends_the_run(digits: np.ndarray) -> None:
    seen: list[int] = []
    run_restarts(digits, 5, 700, 0, progress=seen.append)
    assert sum(seen) == 700
    assert len(seen) > 1

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_restarts(digits, 5, 10**6, 0, keep="best", progress=interrupt)


# ---------------------------------------------------------------- paths


def in_front(n: int = 600, d: int = 160) -> np.ndarray:
    """Points in six clouds, most of whose variance is in the first features, as in principal components."""
    rng = np.random.default_rng(1)
    return (rng.normal(size=(n, d)) + 1.5 * rng.normal(size=(6, d))[rng.integers(0, 6, n)]) / np.arange(1, d + 1)


HARD = {
    "clouds": in_front,
    "heavy tails": lambda: np.random.default_rng(2).standard_t(1.2, size=(600, 160)) / np.arange(1, 161),
    "far away": lambda: in_front() + 1e8,
    "duplicates": lambda: in_front()[np.random.default_rng(3).integers(0, 600, 600) % 150],
    "on a grid": lambda: np.round(2 * in_front()),
    "constant columns": lambda: np.where(np.arange(160) % 3, in_front(), 7.0),
    "nothing in front": lambda: in_front()[:, ::-1],
}


@needs_kernel
@pytest.mark.parametrize("instruction_set", KERNELS)
@pytest.mark.parametrize("data", HARD)
@pytest.mark.parametrize(("max_memory", "fits_in_cache"), [(0, 0), (2**30, 0), (2**30, 2**20)])
def test_sweeps_of_leading_features_change_no_bit(
    data: str, max_memory: int, fits_in_cache: int, instruction_set: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kmeans_kernels.VARIABLE, instruction_set)
    monkeypatch.setattr(native, "FITS_IN_CACHE", fits_in_cache)
    X = HARD[data]()

    def results(left_out: float) -> list[Restarts]:
        monkeypatch.setattr(native, "LEFT_OUT", left_out)
        assert (heads_of(X, 7) is None) == (left_out == 0)
        return run_restarts(X, [1, 2, 7, 25, 500], 5, 0, max_memory=max_memory, max_iter=8)

    for with_heads, without in zip(results(1e300), results(0), strict=True):
        assert_same(with_heads, without)


def heads_of(X: np.ndarray, k: int) -> np.ndarray | None:
    return native.NativeBackend(Problem.of(X), 2**30, next(iter(KERNELS.values()))).heads_for(k)


@needs_kernel
@pytest.mark.parametrize("offset", [0, 1e8])
def test_sweeps_of_leading_features_are_exact(offset: float, path: str) -> None:
    X = in_front() + offset
    assert heads_of(X, 7) is not None
    assert_same_as_sklearn(X, points(len(X), 12, 7), rel=1e-6)


@needs_kernel
def test_leading_features_are_swept_where_they_hold_most_of_the_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    def settled(X: np.ndarray) -> int:
        batch = Batch(
            9, 7, 300, 0, np.empty((9, len(X)), np.uint8), True, start_points=points(len(X), 9, 7).astype("i4")
        )
        return (
            native.NativeBackend(Problem.of(X), 2**30, next(iter(KERNELS.values()))).run(batch, ct.c_int32(0)).settled
        )

    assert [heads_of(in_front(), k).shape for k in (2, 7)] == [(19, 17, 32), (19, 33, 32)]
    for X, k in ((in_front(), 500), (in_front()[:, ::-1], 2), (in_front(d=60), 2)):
        assert heads_of(X, k) is None
    with_heads = settled(in_front())
    monkeypatch.setattr(native, "LEFT_OUT", 0)
    assert with_heads > settled(in_front())


@needs_kernel
@pytest.mark.parametrize("instruction_set", KERNELS)
@pytest.mark.parametrize(("max_memory", "fits_in_cache"), [(0, 0), (0, 2**20), (2**20, 2**20), (2**30, 2**20)])
def test_every_instruction_set_and_path_gives_sklearns_labels(
    instruction_set: str, max_memory: int, fits_in_cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "FITS_IN_CACHE", fits_in_cache)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(333, 210)) + rng.normal(size=(5, 210))[rng.integers(0, 5, 333)] * 0.3
    init = points(333, 10, 13).astype(np.int32)
    labels = np.empty((10, 333), np.uint8)
    backend = native.NativeBackend(Problem.of(X), max_memory, KERNELS[instruction_set])
    result = backend.run(Batch(10, 13, 300, 0.0, labels, True, start_points=init), ct.c_int32(0))
    for r in range(10):
        theirs = sklearn_run(X, X[init[r]])
        np.testing.assert_array_equal(labels[r], theirs.labels_)
        assert result.n_iter[r] == theirs.n_iter_


def test_every_path_gives_the_same(digits: np.ndarray, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    this = run_restarts(digits, 7, 60, 0)
    assert path_on("cpu") == path
    monkeypatch.setenv(kmeans_kernels.VARIABLE, "torch")
    batched = run_restarts(digits, 7, 60, 0)
    np.testing.assert_allclose(this.inertia, batched.inertia, rtol=2.0**-31)
    np.testing.assert_array_equal(this.labels, batched.labels)


def test_of_restarts_that_end_alike_the_first_is_the_best_on_every_path(path: str) -> None:
    """Iris in three clusters: nearly every restart ends in the same optimum, its clusters numbered otherwise."""
    X = StandardScaler().fit_transform(load_iris().data)
    every, best = (run_restarts(X, 3, 200, 2, keep=keep) for keep in ("all", "best"))
    direct = np.array([((X - means_of(X, labels)[labels]) ** 2).sum() for labels in every.labels])
    first = int(np.flatnonzero(direct <= direct.min() * (1 + 1e-9))[0])
    assert (np.abs(direct / direct.min() - 1) < 1e-9).sum() > 20
    assert every.best == best.best == first
    np.testing.assert_array_equal(best.labels, every.labels[first])
    np.testing.assert_allclose(best.best_centers, means_of(X, every.labels[first]), atol=1e-12)


def test_no_inertia_is_left_of_rounding(path: str) -> None:
    """As many clusters as distinct points: every restart that meets them all is as good as the first."""
    X = np.repeat(np.random.default_rng(0).normal(size=(6, 5)), 7, axis=0)
    out = run_restarts(X, 6, 20, 0)
    assert (out.inertia == 0).all()
    assert out.best == 0


def test_a_path_that_there_is_not_is_the_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kmeans_kernels.VARIABLE, "sse9")
    with pytest.raises(UserError, match=r"CLUSTERGRID_KMEANS: found sse9, allowed here: .*torch"):
        run_restarts(duplicates(), 2, 1, 0)


@pytest.fixture
def folder_of_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the C sources and of the library, which are read in place of the project's."""
    for file in [*kmeans_kernels.FOLDER.glob("*.[ch]"), *kmeans_kernels.FOLDER.glob("_kernel*.so")]:
        copy(file, tmp_path)
    monkeypatch.setattr(kmeans_kernels, "FOLDER", tmp_path)
    monkeypatch.delenv(kmeans_kernels.VARIABLE, raising=False)
    kmeans_kernels._compiled.cache_clear()
    restarts_module._warn_once.cache_clear()
    return tmp_path


def test_missing_compiler_is_said_once(
    folder_of_kernels: Path, digits: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    for library in folder_of_kernels.glob("_kernel*.so"):
        library.unlink()
    for _ in range(2):
        run_restarts(digits[:50], 2, 1, 0)
    assert [record.message for record in caplog.records] == [
        "k-means takes the slow path (no compiled kernel): no kernel was compiled; run `make env`, with a C compiler"
    ]
    with pytest.raises(SystemExit, match=r"will take 10 to 20 times as long, because no kernel was compiled: install"):
        kmeans_kernels.check(folder_of_kernels)


@needs_kernel
def test_a_library_of_other_sources_is_refused(folder_of_kernels: Path) -> None:
    assert kmeans_kernels.kernels()
    with open(folder_of_kernels / "_kernel.h", "a") as header:
        header.write("/* a field more */")
    kmeans_kernels._compiled.cache_clear()
    assert kmeans_kernels.kernels() == {}
    assert "was compiled from other sources" in kmeans_kernels.why_none()


@needs_kernel
def test_a_library_that_cannot_be_loaded_is_refused(folder_of_kernels: Path) -> None:
    for library in folder_of_kernels.glob("_kernel*.so"):
        library.write_bytes(b"of another machine")
    assert kmeans_kernels.kernels() == {}
    assert kmeans_kernels.why_none().endswith("is damaged or was compiled for another machine")


# ---------------------------------------------------------------- the estimator


@parametrize_with_checks([ManyRestartKMeans(n_clusters=3, n_init=5)])
def test_estimator_keeps_sklearns_rules(estimator, check) -> None:
    check(estimator)


def test_estimator_in_a_pipeline(digits: np.ndarray) -> None:
    pipeline = make_pipeline(PCA(10), ManyRestartKMeans(10, n_init=20, random_state=0))
    labels = pipeline.fit_predict(digits)
    np.testing.assert_array_equal(labels, pipeline.predict(digits))
    assert pipeline.transform(digits).shape == (len(digits), 10)
    estimator = pipeline[-1]
    assert estimator.inertia_ == estimator.restarts_.inertia.min()
    assert -pipeline.score(digits) == pytest.approx(estimator.inertia_, rel=1e-6)
