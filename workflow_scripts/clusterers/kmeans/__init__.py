"""Many-restart k-means: every restart of thousands kept, at the speed of the machine."""

from workflow_scripts.clusterers.kmeans.estimator import ManyRestartKMeans
from workflow_scripts.clusterers.kmeans.method import cluster
from workflow_scripts.clusterers.kmeans.restarts import INITS, Restarts, run_restarts

__all__ = ["INITS", "ManyRestartKMeans", "Restarts", "cluster", "run_restarts"]
