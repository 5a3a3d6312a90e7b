"""The settings of figures that compare the cells of a study by their partitions (images divided into clusters)."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from workflow_scripts.settings.base import Seed
from workflow_scripts.settings.costs import FLOAT, PAIRS_OF_CELLS_COPIES, partitions_bytes
from workflow_scripts.settings.figures.base import Figure, Metric


class _OfPartitions(Figure):
    """Base class of the settings of figures that compare the partitions of the study's cells."""

    sources: ClassVar[tuple[str, ...]] = ("clusters",)
    shows_consensus = False
    of_one_subset = True
    computes = True
    k: int | None = None
    """Number of clusters; null takes the smallest of each cell's clusterer."""

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the partitions of all cells."""
        return partitions_bytes(n, stored)


class _OfAgreement(_OfPartitions):
    """Base class of the settings of figures that read only the agreement of each pair of cells."""

    sources = ("agreement",)

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the matrix of agreement, which has a value for every pair of cells, and of its copies."""
        return PAIRS_OF_CELLS_COPIES * FLOAT * len(stored) ** 2


class Trust(_OfPartitions):
    """A ranking of the cells that needs no labels: a cell is trusted if it agrees with the other cells. Other ways to
    rank the cells are shown for comparison."""

    in_prose = "the agreement of the partition of each cell with those of the others"
    sources = ("manifest", "clusters", "scores", "agreement")
    kind: Literal["trust"] = "trust"
    n_samples: int = Field(100, ge=20)
    """Number of random samples of images and cells, which give the intervals of the ranks. The same number of shuffled
    studies shows how well cells agree by chance."""
    n_resamples: int = Field(0, ge=0, le=100)
    """Number of random samples of 80 % of the images. Every cell clusters each sample again (the best of 10 restarts),
    which measures how stable it is; 0 does not measure it. A sample costs as much as 8 restarts of k-means, or as most
    of one clustering by a method without restarts. The reductions are not fitted again."""
    seed: Seed = 0

    @property
    def reads(self) -> tuple[str, ...]:
        return (*self.sources, "points") if self.n_resamples else self.sources

    @property
    def runs_clusterers(self) -> bool:
        return self.n_resamples > 0

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes of the partitions of all cells, and of the points of one cell if it is clustered again."""
        return super().memory(n, width, d, stored) + bool(self.n_resamples) * FLOAT * n * self.copies_of_points * d


class SpecificationCurve(_OfPartitions):
    """All cells sorted by a metric, with the range of the metric over the repeats. The choices of each cell are shown
    below it."""

    in_prose = "the specification curve of all cells [@simonsohn2020]"
    sources = ("clusters", "scores", "agreement")
    kind: Literal["specification_curve"] = "specification_curve"
    metric: Metric | Literal["agreement"] = "ari"
    """The metric; `agreement` is the mean adjusted Rand index (ARI) with the other cells. If the metric needs labels
    and there are none, `agreement` is shown instead."""


class ChoiceMap(_OfAgreement):
    """The agreement of every pair of cells as a map. A tree orders the cells, and coloured bars show their choices."""

    kind: Literal["choice_map"] = "choice_map"


class PartitionEffects(_OfAgreement):
    """The share of the disagreement between cells that each choice explains. It needs no labels."""

    in_prose = (
        "the effect of each choice on the partitions by permutational analysis of variance of their distances "
        "[@anderson2001]"
    )
    kind: Literal["partition_effects"] = "partition_effects"
    pairs: int = Field(3, ge=0)
    """Number of interactions of two choices that are shown, the strongest first."""
    n_permutations: int = Field(499, ge=99)
    seed: Seed = 0


class RestartsEnough(_OfPartitions):
    """The probability that the best of n restarts is the best known optimum, which shows how many restarts are enough.
    It needs no labels."""

    in_prose = "the probability of having missed an optimum of k-means [@good1953]"
    kind: Literal["restarts_enough"] = "restarts_enough"

    def memory(self, n: int, width: int, d: int, stored: Sequence[int]) -> int:
        """Return the bytes for comparing all stored clusterings of one cell: of the cell with the largest number."""
        return super().memory(n, width, d, (1,) * max(stored))
