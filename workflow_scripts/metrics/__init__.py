"""Scores of partitions: agreement with the labels, shape of the clusters, and the gain of more restarts.

A partition gives every image the number of its cluster; a negative number is noise, which is no cluster.
"""

from workflow_scripts.metrics.agreement import score_restarts
from workflow_scripts.metrics.expectation import best_of_n
from workflow_scripts.metrics.internal import compactness, silhouettes
from workflow_scripts.metrics.votes import class_scores, confusion, majority_names, predict_classes

__all__ = [
    "best_of_n",
    "class_scores",
    "compactness",
    "confusion",
    "majority_names",
    "predict_classes",
    "score_restarts",
    "silhouettes",
]
