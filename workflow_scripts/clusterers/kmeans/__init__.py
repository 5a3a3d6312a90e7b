"""Many-restart k-means: every restart of thousands kept, at the speed of the machine."""

from workflow_scripts.clusterers.kmeans.estimator import ManyRestartKMeans
from workflow_scripts.clusterers.kmeans.method import cluster, kmeans_path
from workflow_scripts.clusterers.kmeans.restarts import INITS, Restarts, path_on, run_restarts

__all__ = ["INITS", "ManyRestartKMeans", "Restarts", "cluster", "kmeans_path", "path_on", "run_restarts"]
