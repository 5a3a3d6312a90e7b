"""Many-restart k-means: every restart of thousands kept, at the speed of the machine."""

from workflow_scripts.kmeans.estimator import ManyRestartKMeans
from workflow_scripts.kmeans.restarts import INITS, Restarts, run_restarts

__all__ = ["INITS", "ManyRestartKMeans", "Restarts", "run_restarts"]
