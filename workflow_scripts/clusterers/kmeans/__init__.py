"""k-means with many restarts, of which every result can be kept."""

from typing import TYPE_CHECKING, Any

from workflow_scripts.clusterers.kmeans.checks import INITS
from workflow_scripts.clusterers.kmeans.method import cluster, kmeans_path
from workflow_scripts.clusterers.kmeans.restarts import path_on, run_restarts
from workflow_scripts.clusterers.kmeans.results import Restarts

if TYPE_CHECKING:
    from workflow_scripts.clusterers.kmeans.estimator import ManyRestartKMeans

__all__ = ["INITS", "ManyRestartKMeans", "Restarts", "cluster", "kmeans_path", "path_on", "run_restarts"]


def __getattr__(name: str) -> Any:
    """Import the estimator when it is first used, because scikit-learn takes a second, which jobs would wait for."""
    if name == "ManyRestartKMeans":
        from workflow_scripts.clusterers.kmeans.estimator import ManyRestartKMeans

        return ManyRestartKMeans
    raise AttributeError(name)
