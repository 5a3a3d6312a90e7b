"""The settings of figures that show the scores of a study's cells, repeats and restarts."""

from typing import Literal

from pydantic import Field, model_validator

from workflow_scripts.settings.figures.base import COLUMN, Along, Factor, Figure, Hue, Metric, Width


class _AtOneK(Figure):
    """Base class of the settings of figures that show all cells of a study at one number of clusters k."""

    k: int | None = None
    """Number of clusters; null takes the smallest of each cell's clusterer."""


class Folds(_AtOneK):
    """A metric on the training folds and on the held-out fold, for each fold of each cell."""

    sources = ("validated",)
    kind: Literal["folds"] = "folds"
    metric: Metric = "accuracy_majority"


class Sensitivity(Figure):
    """Metrics against one choice, with a line for each value of another choice: mean and spread over the repeats."""

    kind: Literal["sensitivity"] = "sensitivity"
    x: Along
    hue: Hue | None = None
    metrics: list[Metric] = Field(["accuracy_majority", "ari"], min_length=1, max_length=4)
    k: int | None = None
    """Number of clusters if x is not k; null takes the smallest of each cell's clusterer."""

    @model_validator(mode="after")
    def _two_choices(self) -> "Sensitivity":
        if self.hue == self.x:
            raise ValueError(f"hue: found {self.hue}, which is x, allowed: another choice")
        return self

    @property
    def drawn_along(self) -> str:
        return self.x


class Restarts(_AtOneK):
    """A scatter plot of the restarts of each cell, and a histogram. The scatter plot shows a metric against the
    inertia, in percent above the lowest inertia. The histogram shows the metric."""

    kind: Literal["restarts"] = "restarts"
    metric: Metric = "accuracy_majority"


class BestOfN(_AtOneK):
    """The expected metric of the restart with the lowest inertia among n restarts, with a bootstrap interval over all
    restarts."""

    in_prose = "the expected best of n restarts with a bootstrap interval [@efron1979]"
    kind: Literal["best_of_n"] = "best_of_n"
    metric: Metric = "accuracy_majority"
    confidence: float = Field(0.95, gt=0, lt=1)


class Effects(Figure):
    """The share of a metric's variance that each choice, and each pair of choices, explains. The cells must have all
    combinations of these choices (`design: product`)."""

    compares = True
    of_product = True
    shows_consensus = False
    in_prose = "the effect of each choice on the scores by functional ANOVA [@hutter2014]"
    kind: Literal["effects"] = "effects"
    metrics: list[Metric] = Field(["accuracy_majority", "ari"], min_length=1, max_length=4)
    pairs: int = Field(5, ge=0)
    """Number of interactions of two choices that are shown, the strongest first."""


class Heatmap(Figure):
    """A metric against two choices, averaged over all other choices. The cells must have all combinations of the
    choices (`design: product`)."""

    compares = True
    of_product = True
    shows_consensus = False
    kind: Literal["heatmap"] = "heatmap"
    width: Width = COLUMN
    metric: Metric = "accuracy_majority"
    axes: tuple[Factor, Factor] | None = None
    """The two choices; null takes the two that explain most of the variance."""

    @model_validator(mode="after")
    def _two_choices(self) -> "Heatmap":
        if self.axes and self.axes[0] == self.axes[1]:
            raise ValueError(f"axes: found {self.axes[0]} twice, allowed: two choices")
        return self
