"""Density Peaks against the definitions of Rodriguez & Laio (2014), every pair of points looked at."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from workflow_scripts.clusterers import density_peaks
from workflow_scripts.clusterers.density_peaks import best_centres, decision_graph
from workflow_scripts.settings.clusterers.given_k import DensityPeaks

SHAPES = {
    "blobs": make_blobs(400, 6, centers=9, cluster_std=2.0, random_state=2)[0],
    "moons": make_moons(300, noise=0.08, random_state=1)[0],
    "one cloud": np.random.default_rng(4).normal(size=(250, 20)),
    "a grid": np.stack(np.meshgrid(range(15), range(15)), axis=-1).reshape(-1, 2) * 1.0,
    "equal points": np.repeat(np.random.default_rng(5).normal(size=(40, 3)), 5, axis=0),
}
DENSITIES = [{"density": "knn", "n_neighbors": 3}, {"density": "knn", "n_neighbors": 25}, {"density": "cutoff"}]


def _settings(**given):
    return DensityPeaks(k=[3], **given).dump()


def _distances(points):
    return np.linalg.norm(points[:, None] - points, axis=2)


def _density(points, settings):
    """Either density of every point, from all distances."""
    between = _distances(points)
    if settings["density"] == "knn":
        with np.errstate(divide="ignore"):
            return 1 / np.sort(between, axis=1)[:, settings["n_neighbors"]]
    pairs = np.sort(between[np.triu_indices(len(points), 1)])
    place = settings["fraction"] * (len(pairs) - 1)
    cutoff = (pairs[int(np.floor(place))] + pairs[int(np.ceil(place))]) / 2
    np.fill_diagonal(between, np.inf)
    return (between < cutoff).sum(axis=1) * 1.0


def _brute_force(points, density):
    """Distance to, and number of, the nearest denser point: equation 2 of the paper, equals in the order of points."""
    between = _distances(points)
    n = len(points)
    distance, denser = np.empty(n), np.empty(n, dtype=int)
    for i in range(n):
        above = [j for j in range(n) if density[j] > density[i] or (density[j] == density[i] and j < i)]
        denser[i] = min(above, key=lambda j: (between[i, j], j)) if above else i
        distance[i] = between[i, denser[i]] if above else between[i].max()
    return distance, denser


def _follow(denser, centres):
    """Each point's way up to a centre, in the order of the points."""
    labels = []
    for point in range(len(denser)):
        while point not in centres:
            point = denser[point]
        labels.append(centres.index(point))
    return labels


@pytest.mark.parametrize("given", DENSITIES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_graph_and_clusters_are_those_of_all_pairs(shape, given):
    points, settings = SHAPES[shape], _settings(**given)
    graph = decision_graph(points, settings)
    density = _density(points, settings)
    np.testing.assert_allclose(graph.density, density, rtol=1e-12)
    distance, denser = _brute_force(points, graph.density)
    np.testing.assert_allclose(graph.distance, distance, rtol=1e-12)
    np.testing.assert_allclose(_distances(points)[np.arange(len(points)), denser], np.where(
        denser == np.arange(len(points)), 0, graph.distance), rtol=1e-12)  # fmt: skip
    if shape in ("blobs", "moons", "one cloud"):
        assert (graph.denser == denser).all()
    order = best_centres(graph.density, graph.distance).tolist()
    for k in (1, 2, 9, len(points)):
        assert graph.cut(k).tolist() == _follow(graph.denser, order[:k])


@pytest.mark.parametrize("n_neighbors", [1, 5, 100, 399, 1000])
def test_the_search_does_not_change_what_is_found(n_neighbors):
    graph = decision_graph(SHAPES["blobs"], _settings(density="cutoff", n_neighbors=n_neighbors))
    other = decision_graph(SHAPES["blobs"], _settings(density="cutoff"))
    for name, values in vars(graph).items():
        assert (values == getattr(other, name)).all(), name


def test_product_is_above_one_for_local_peaks_only():
    points, n_neighbors = SHAPES["blobs"], 12
    graph = decision_graph(points, _settings(n_neighbors=n_neighbors))
    neighbours = np.argsort(_distances(points), axis=1)[:, 1 : n_neighbors + 1]
    peaks = (graph.density[neighbours] < graph.density[:, None]).all(axis=1)
    assert 1 < peaks.sum() < 60
    assert ((graph.density * graph.distance > 1) == peaks).all()


@pytest.mark.parametrize("given", DENSITIES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_centres_go_by_the_product_and_begin_with_the_densest(shape, given):
    graph = decision_graph(SHAPES[shape], _settings(**given))
    order = best_centres(graph.density, graph.distance)
    assert sorted(order) == list(range(len(order)))
    assert order[0] == graph.density.argmax() == graph.denser[order[0]]
    with np.errstate(invalid="ignore"):
        product = np.nan_to_num(graph.density * graph.distance, nan=0, posinf=np.inf)[order]
    assert all(before >= after for before, after in pairwise(product))


def test_well_separated_blobs_are_found():
    points, truth = make_blobs(600, 8, centers=5, cluster_std=1.0, random_state=0)
    for given in DENSITIES[1:]:
        graph = decision_graph(points, _settings(**given))
        assert adjusted_rand_score(graph.cut(5), truth) == 1


def test_every_k_splits_one_cluster_and_the_graph_is_stored_once():
    settings = DensityPeaks(k="2-60").dump()
    calls = []
    found = density_peaks.cluster(SHAPES["blobs"], settings, 1, 1, lambda *done: calls.append(done))
    runs = dict(found)
    assert list(runs) == list(range(2, 61))
    assert calls[-1] == (59, 59)
    graph = decision_graph(SHAPES["blobs"], settings)
    assert (runs[2].diagnostics["density"] == graph.density).all()
    assert (runs[2].diagnostics["distance"] == graph.distance).all()
    for k, of_k in runs.items():
        assert np.unique(of_k.labels).tolist() == list(range(k))
        assert k == 2 or of_k.diagnostics == {}
        if k < 60:
            assert np.unique(np.stack([of_k.labels[0], runs[k + 1].labels[0]]), axis=1).shape[1] == k + 1


def test_of_many_points_the_cutoff_is_that_of_a_seeded_sample():
    points = make_blobs(3000, 3, centers=4, random_state=3)[0]
    settings = _settings(density="cutoff")
    first, again, other = (decision_graph(points, settings, its_seed).density for its_seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    everybody = _density(points, settings)
    assert first.mean() == pytest.approx(everybody.mean(), rel=0.1)
    assert everybody.mean() == pytest.approx(0.02 * 2999, rel=1e-3)


def test_nothing_depends_on_threads():
    for density in ("knn", "cutoff"):
        one, two = (decision_graph(SHAPES["one cloud"], _settings(density=density), 0, n) for n in (1, 2))
        for name, values in vars(one).items():
            assert (values == getattr(two, name)).all(), name
