"""Points that are equal, on a line, not finite, or as few as clusters: a message of one line, or a clustering."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from tests.stores import SMALL
from workflow_scripts.clusterers.degenerate import check_points
from workflow_scripts.errors import UserError
from workflow_scripts.io.runs import Runs
from workflow_scripts.settings.clusterers import Clusterer
from workflow_scripts.settings.clusterers.base import OfK

N = 24
RANDOM = np.random.default_rng(0)
GOOD = RANDOM.normal(size=(N, 3))
POINTS = {
    "equal": np.ones((N, 3)),
    "zeros": np.zeros((N, 3)),
    "two": np.repeat(GOOD[:2], N // 2, axis=0),
    "twins": np.repeat(GOOD[: N // 2], 2, axis=0),
    "all but one": np.vstack([np.ones((N - 1, 3)), np.zeros((1, 3))]),
    "rank 1": np.outer(np.arange(N), np.ones(3)),
    "one column": GOOD[:, :1],
    "constant columns": np.hstack([GOOD[:, :1], np.ones((N, 2))]),
    "huge": GOOD * 1e150,
    "tiny": GOOD * 1e-160,
    "far": GOOD * 1e-9 + 1e6,
    "nan": np.where(np.arange(N)[:, None] == 5, np.nan, GOOD),
    "infinite": np.where(np.arange(N)[:, None] == 5, np.inf, GOOD),
    "one image": GOOD[:1],
    "two images": GOOD[:2],
    "three images": GOOD[:3],
}
METHODS = [name for name in Clusterer.registry if Clusterer.registry[name].model_fields.get("study") is None]


def clustered(points: np.ndarray, method: str, k: int) -> list[tuple[int | None, Runs]]:
    """Cluster points in the same way as the job."""
    model = Clusterer.registry[method]
    of_k: dict[str, Any] = {"k": [k]} if issubclass(model, OfK) else {}
    settings = model(**of_k, **SMALL.get(method, {})).dump()
    check_points(points, settings, "it", "main")
    cluster = import_module(f"workflow_scripts.clusterers.{method}").cluster
    return list(cluster(points, settings, 0, 1, lambda *_: None))


def check(points: np.ndarray, method: str, k: int) -> None:
    try:
        runs = clustered(points, method, k)
    except UserError as error:
        line = str(error)
        assert "\n" not in line, line
    else:
        assert all(of_k.labels.shape[1] == len(points) for _, of_k in runs)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", POINTS)
@pytest.mark.parametrize("method", METHODS)
def test_degenerate_points_are_one_line_or_are_clustered(method: str, kind: str) -> None:
    check(POINTS[kind], method, 3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [1, N - 1, N, N + 1])
def test_any_k_is_one_line_or_is_clustered(method: str, k: int) -> None:
    check(GOOD, method, k)


@pytest.mark.parametrize("method", METHODS)
def test_what_no_method_can_cluster_is_the_same_line(method: str) -> None:
    for kind, says in (("equal", "all images have the same features"), ("nan", "image number 5 has numbers")):
        with pytest.raises(UserError, match=says):
            clustered(POINTS[kind], method, 3)
