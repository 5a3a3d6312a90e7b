"""Intrinsic dimension against scikit-dimension, manifolds of known dimension, and the thesis's thick line."""

import numpy as np
import pytest
import skdim

from workflow_scripts.errors import UserError
from workflow_scripts.metrics.two_nn import dimension_by_size, thick_line, two_nn


def manifolds() -> dict[str, tuple[np.ndarray, int]]:
    """Points of known dimension, linear and curved, some in a space of many more dimensions."""
    rng = np.random.default_rng(0)
    embedding = np.linalg.qr(rng.normal(size=(200, 5)))[0]
    angles = rng.uniform(0, 2 * np.pi, (2000, 2))
    return {
        "ball": (skdim.datasets.hyperBall(2000, 3, random_state=0), 3),
        "sphere": (skdim.datasets.hyperSphere(2000, 7, random_state=0), 7),
        "swiss roll": (skdim.datasets.swissRoll3Sph(2000, 0, random_state=0), 2),
        "flat torus": (np.concatenate([np.cos(angles), np.sin(angles)], axis=1), 2),
        "normal, 5 of 200": (rng.normal(size=(2000, 5)) @ embedding.T + 100, 5),
    }


MANIFOLDS = manifolds()


@pytest.mark.parametrize("name", MANIFOLDS)
@pytest.mark.parametrize("fraction", [0.9, 0.7, 0.5])
def test_the_fit_is_that_of_scikit_dimension(name: str, fraction: float) -> None:
    X, _ = MANIFOLDS[name]
    expected = skdim.id.TwoNN(discard_fraction=1 - fraction).fit(X).dimension_
    assert two_nn(X).dimension(fraction) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", MANIFOLDS)
def test_the_dimension_of_manifolds_is_found(name: str) -> None:
    X, dimension = MANIFOLDS[name]
    assert two_nn(X).dimension() == pytest.approx(dimension, rel=0.1)


def test_all_points_but_the_last_by_least_squares() -> None:
    X = MANIFOLDS["ball"][0][:100]
    between = np.sort(np.linalg.norm(X[:, None] - X, axis=2), axis=1)
    mu = np.sort(between[:, 2] / between[:, 1])[:-1]
    y = -np.log(1 - np.arange(1, 100) / 100)
    expected = np.linalg.lstsq(np.log(mu)[:, None], y, rcond=None)[0][0]
    assert two_nn(X).dimension(1.0) == pytest.approx(expected, rel=1e-12)


def test_of_copies_one_is_kept_also_far_from_the_origin() -> None:
    X = MANIFOLDS["normal, 5 of 200"][0]
    found = two_nn(np.concatenate([X, X[:300], X[:100]]))
    assert found.n_copies == 400
    assert found.dimension() == pytest.approx(skdim.id.TwoNN().fit(X).dimension_, rel=1e-9)


def test_too_few_different_points_are_the_users_mistake() -> None:
    with pytest.raises(UserError, match="found 6 different points"):
        two_nn(np.concatenate([np.eye(5), np.zeros((40, 5))]))


def test_the_thick_line_is_one_dimensional_from_afar_and_two_dimensional_from_near() -> None:
    """Coronica 2018, figures 3.4 and 3.5: 1000 and 50 000 points of 100 x N(0, 0.001)."""
    assert two_nn(thick_line(1000)).dimension() == pytest.approx(1, abs=0.1)
    by_size = dimension_by_size(thick_line(50_000), fractions=[0.9])
    means = by_size.groupby("size")["dimension"].mean()
    assert means.index.tolist() == [97, 195, 390, 781, 1562, 3125, 6250, 12_500, 25_000, 50_000]
    assert (abs(means[:5] - 1) < 0.1).all()
    assert (np.diff(means[4:]) > 0).all()
    assert means.iloc[-1] > 1.7
    assert by_size.groupby("size")["block"].nunique().tolist() == [64, 64, 64, 64, 32, 16, 8, 4, 2, 1]


def test_blocks_of_a_size_share_no_point_and_the_largest_has_all() -> None:
    X = MANIFOLDS["ball"][0]
    by_size = dimension_by_size(X, smallest=500)
    assert by_size.groupby("size")["block"].nunique().to_dict() == {2000: 1, 1000: 2, 500: 4}
    assert by_size.query("size == 2000 and fraction == 0.7")["dimension"].item() == pytest.approx(
        two_nn(X).dimension(0.7)
    )
    assert by_size["dimension"].equals(dimension_by_size(X, smallest=500)["dimension"])
    assert by_size["dimension"].sum() != dimension_by_size(X, smallest=500, seed=1)["dimension"].sum()
