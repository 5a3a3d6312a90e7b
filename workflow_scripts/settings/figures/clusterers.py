"""The settings of figures that compare clusterers or numbers of clusters."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from workflow_scripts.grid.axes import axes_of
from workflow_scripts.settings.base import Seed
from workflow_scripts.settings.clusterers.base import MOST_RESTARTS, Ks, RestartCount
from workflow_scripts.settings.costs import FLOAT
from workflow_scripts.settings.figures.base import Figure, Metric


class ClustererScores(Figure):
    """A table of the study's clusterers: number of clusters, share of noise and metrics."""

    sources = ("scores",)
    kind: Literal["clusterer_scores"] = "clusterer_scores"
    metrics: list[Metric] = Field(["nmi_geometric", "ari", "purity", "silhouette", "dbcv"], min_length=1, max_length=6)
    k: int | None = None
    """Number of clusters, for clusterers to which it is given; null takes the smallest of each clusterer."""


class ToyPanel(Figure):
    """The study's clusterers on six sets of points in the plane, with their running times. The times differ from run to
    run."""

    sources = ()
    of_cells = ("clusterer",)
    shows_consensus = False
    computes = True
    kind: Literal["toy_panel"] = "toy_panel"
    n_points: int = Field(3000, ge=200)

    @property
    def runs_clusterers(self) -> bool:
        return True

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of five matrices with a value for every pair of points; no clusterer holds more."""
        return 5 * FLOAT * self.n_points**2


class KDistance(Figure):
    """The sorted k-distance curve of each reduction with its knee. It shows whether DBSCAN has a suitable radius."""

    sources = ("points",)
    of_cells = axes_of("points")
    computes = True
    in_prose = "the sorted k-distance curve [@ester1996]"
    kind: Literal["k_distance"] = "k_distance"
    min_samples: int = Field(10, ge=2)
    """`min_samples` of DBSCAN; the distance shown is that to neighbour number `min_samples` - 1."""


class NmiCurves(Figure):
    """The normalised mutual information (geometric) against k, with three reference curves and a panel for each set of
    features."""

    sources = ("manifest", "points", "scores")
    computes = True
    copies_of_points = 0
    kind: Literal["nmi_curves"] = "nmi_curves"
    draws: int = Field(20, ge=2)
    """Number of random labellings for each k."""


class NmiExample(Figure):
    """An example that explains `nmi_curves`: 100 points with ten labels, and partitions that merge the labels, divide
    them or cut across them. The normalised mutual information of labels and partition is shown for every number of
    clusters."""

    sources = ()
    of_cells = "one"
    kind: Literal["nmi_example"] = "nmi_example"


class ChooseK(Figure):
    """Recommendations for the number of clusters: elbow, silhouette, gap statistic, BIC and stability of k-means over a
    range of k."""

    sources = ("manifest", "points")
    of_cells = "one"
    computes = True
    copies_of_points = 8
    holds_pairs = True
    in_prose = (
        "the number of clusters by the elbow, the silhouette [@rousseeuw1987], the gap statistic "
        "[@tibshirani2001], the Bayesian information criterion of Gaussian mixtures [@schwarz1978] and prediction "
        "strength [@tibshirani2005]"
    )
    kind: Literal["choose_k"] = "choose_k"
    ks: Annotated[Ks, Field(min_length=3)] = list(range(1, 13))
    """Numbers of clusters, as a list or a range such as `1-12`. They need not be those of the cell's clusterer."""
    n_init: RestartCount = 20
    """Number of restarts of each k-means clustering; the best is kept."""
    n_references: int = Field(20, ge=2, le=MOST_RESTARTS)
    """Number of random sets of points without groups, with which gap, elbow and silhouette are compared."""
    n_resamples: int = Field(20, ge=2, le=MOST_RESTARTS)
    """Number of subsets of 80 % of the images, and of splits of the images into halves, which show how certain a
    recommendation is."""
    covariance_type: Literal["full", "tied", "diag", "spherical"] = "diag"
    """Covariance type of the Gaussian mixtures of the BIC."""
    seed: Seed = 0
