"""Compute all criteria for the number of clusters over a range of k: values, recommendations, and how sure these are.

The curve of a criterion is its value for every k.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workflow_scripts.clusterers.kmeans import run_restarts
from workflow_scripts.metrics.internal import silhouettes
from workflow_scripts.n_clusters import elbow, gap, mixture, silhouette, stability
from workflow_scripts.seeds import seed

CRITERIA = ("elbow", "silhouette", "gap", "bic", "stability")
SHARE = 0.8
"""Share of the images in a resample. They are drawn without replacement, because copies of an image would be a
cluster."""
CHANCE = 0.95
"""The bend of the inertia and the silhouette must be above this quantile of those of points without groups."""
MAX_POINTS = 2000
"""Largest number of points for exact silhouettes; of more points a stratified sample of this size is used."""
SURE = 0.5
"""Smallest share of the resamples with the same recommendation for which it counts as sure."""
MAJORITY = 3
"""Smallest number of sure criteria that must recommend the same k for it to stand out."""


@dataclass(frozen=True)
class Options:
    """The options of a survey.

    Attributes
    ----------
    n_init : number of restarts of k-means for each k.
    n_references : number of sets of random points without groups, which show what happens by chance.
    n_resamples : number of resamples, and of random splits of the images into halves.
    covariance_type : covariance type of the Gaussian mixtures, as in scikit-learn.
    """

    n_init: int = 20
    n_references: int = 20
    n_resamples: int = 20
    covariance_type: str = "diag"


@dataclass(frozen=True)
class _Curves:
    """The curves of one set of points: inertia, mean silhouette and BIC of the best k-means partitions, (K,) each."""

    inertia: np.ndarray
    silhouette: np.ndarray
    bic: np.ndarray


@dataclass(frozen=True)
class _Chance:
    """The results for B sets of points without groups.

    `inertia` (B, K) is the inertia of each set for each k. Each set has a largest sag (see `elbow`) and a highest
    silhouette over all k. `sag` and `silhouette` are the `CHANCE` quantiles of these two over the sets.
    """

    inertia: np.ndarray
    sag: float
    silhouette: float


def survey(X: np.ndarray, ks: Sequence[int], options: Options, base_seed: int) -> pd.DataFrame:
    """Return every criterion for every k, computed on k-means partitions of X (N, d).

    Each criterion is computed again on `n_resamples` resamples. The more of them recommend the same k, the more certain
    is the recommendation. A resample has 80 % of the images; for `stability` it is a split of the images into halves.

    Returns
    -------
    DataFrame with one row per criterion and k: `criterion`, `k`, `value` (null if undefined), `low` and `high` (5 % and
    95 % quantiles over the resamples; for the gap, Gap - s and Gap + s), `recommended` (bool), `share` (the share of
    the resamples that recommend this k) and `undecided` (the share of the resamples that recommend no k).
    """
    every = _Survey(np.asarray(X, dtype=np.float64), np.array(sorted(ks)), options, base_seed)
    return pd.concat([getattr(every, criterion)() for criterion in CRITERIA], ignore_index=True)


def standing_out(table: pd.DataFrame) -> int | None:
    """Return the k that at least `MAJORITY` sure criteria recommend, or None if there is none.

    A criterion is sure if at least the share `SURE` of the resamples leads to the same recommendation. `table` comes
    from `survey`.
    """
    votes = table[table["recommended"] & (table["share"] >= SURE)]["k"].value_counts()
    return int(votes.index[0]) if len(votes) and votes.iloc[0] >= MAJORITY else None


class _Survey:
    """Compute the curves of all points, of the resamples and of points without groups, and then each criterion.

    Each criterion is a method with the criterion's name.
    """

    def __init__(self, X: np.ndarray, ks: np.ndarray, options: Options, base_seed: int) -> None:
        self.X, self.ks, self.options, self.base_seed = X, ks, options, base_seed
        n = round(SHARE * len(X))
        random = np.random.default_rng(seed(base_seed, "resamples"))
        resamples = [np.sort(random.permutation(len(X))[:n]) for _ in range(options.n_resamples)]
        self.curves = self._curves(X)
        self.resample_curves = [self._curves(X[rows]) for rows in resamples]
        self.chance, self.chance_resample_curves = self._chance(X, "references"), self._chance(X[resamples[0]], "fewer")

    def _partitions(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Return the inertia (K,), the labels (K, N) and the list of centres (k, d) of the best restart for each k."""
        kmeans_seed = seed(self.base_seed, "kmeans")
        ks, n_init = self.ks.tolist(), self.options.n_init
        results = run_restarts(X, ks, n_init, kmeans_seed, keep="best")
        inertia = np.array([restarts.inertia.min() for restarts in results])
        return (
            inertia,
            np.array([restarts.labels for restarts in results], dtype=np.int64),
            [restarts.best_centers for restarts in results],
        )

    def _curves(self, X: np.ndarray) -> _Curves:
        inertia, labels, _ = self._partitions(X)
        bic = np.array([mixture.bic(X, partition, self.options.covariance_type) for partition in labels])
        return _Curves(inertia, silhouettes(X, labels, max_points=MAX_POINTS).value, bic)

    def _chance(self, X: np.ndarray, name: str) -> _Chance:
        inertia, heights = [], []
        for reference in gap.references(X, self.options.n_references, seed(self.base_seed, name)):
            reference_inertia, labels, _ = self._partitions(reference)
            inertia.append(reference_inertia)
            heights.append(np.nanmax(silhouettes(reference, labels, max_points=MAX_POINTS).value, initial=-1))
        sags = elbow.sag(self.ks, np.array(inertia)).max(axis=1)
        return _Chance(np.array(inertia), float(np.quantile(sags, CHANCE)), float(np.quantile(heights, CHANCE)))

    def elbow(self) -> pd.DataFrame:
        """Return the rows of `survey` for the elbow. Its value is the inertia as a share of the total variance."""
        total = np.square(self.X - self.X.mean(axis=0)).sum()
        resampled = np.array([curve.inertia for curve in self.resample_curves]) / SHARE
        chosen = [elbow.recommend(self.ks, curve, self.chance_resample_curves.sag) for curve in resampled]
        recommended = elbow.recommend(self.ks, self.curves.inertia, self.chance.sag)
        return self._table("elbow", self.curves.inertia / total, *_spread(resampled / total), recommended, chosen)

    def silhouette(self) -> pd.DataFrame:
        """Return the rows of `survey` for the mean silhouette."""
        resampled = np.array([curve.silhouette for curve in self.resample_curves])
        chosen = [silhouette.recommend(self.ks, curve, self.chance_resample_curves.silhouette) for curve in resampled]
        recommended = silhouette.recommend(self.ks, self.curves.silhouette, self.chance.silhouette)
        return self._table("silhouette", self.curves.silhouette, *_spread(resampled), recommended, chosen)

    def gap(self) -> pd.DataFrame:
        """Return the rows of `survey` for the gap statistic."""
        values, s = gap.gaps(self.curves.inertia, self.chance.inertia)
        resampled = [gap.gaps(curve.inertia, self.chance_resample_curves.inertia) for curve in self.resample_curves]
        chosen = [gap.recommend(self.ks, *curve) for curve in resampled]
        return self._table("gap", values, values - s, values + s, gap.recommend(self.ks, values, s), chosen)

    def bic(self) -> pd.DataFrame:
        """Return the rows of `survey` for the BIC. Its value is half the BIC per image, in nats."""
        n = len(self.X)
        resampled = np.array([curve.bic for curve in self.resample_curves]) / (2 * round(SHARE * n))
        chosen = [mixture.recommend(self.ks, curve) for curve in resampled]
        values = self.curves.bic / (2 * n)
        return self._table("bic", values, *_spread(resampled), mixture.recommend(self.ks, values), chosen)

    def stability(self) -> pd.DataFrame:
        """Return the rows of `survey` for the stability, which is the mean prediction strength over random splits."""
        random = np.random.default_rng(seed(self.base_seed, "splits"))
        strengths_of_splits = np.array(
            [self._strengths(random.permutation(len(self.X))) for _ in range(self.options.n_resamples)]
        )
        strength, error = (
            strengths_of_splits.mean(axis=0),
            strengths_of_splits.std(axis=0, ddof=1) / np.sqrt(len(strengths_of_splits)),
        )
        chosen = [stability.recommend(self.ks, strengths, np.zeros(len(self.ks))) for strengths in strengths_of_splits]
        return self._table(
            "stability", strength, *_spread(strengths_of_splits), stability.recommend(self.ks, strength, error), chosen
        )

    def _strengths(self, order: np.ndarray) -> np.ndarray:
        """Return the prediction strength for each k, (K,) float64.

        The images at even and at odd places of `order` are the two halves. Each half predicts the other half once, and
        the two strengths are averaged.
        """
        halves = [self.X[order[::2]], self.X[order[1::2]]]
        (_, labels_a, centers_a), (_, labels_b, centers_b) = (self._partitions(half) for half in halves)
        pairs = [(halves[0], labels_a, centers_b), (halves[1], labels_b, centers_a)]
        each = [
            [stability.prediction_strength(points, *partition) for partition in zip(labels, centers, strict=True)]
            for points, labels, centers in pairs
        ]
        return np.mean(each, axis=0)

    def _table(
        self,
        criterion: str,
        values: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        recommended: int | None,
        chosen: Sequence[int | None],
    ) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "criterion": criterion,
                "k": self.ks,
                "value": values,
                "low": low,
                "high": high,
                "recommended": self.ks == recommended,
                "share": [sum(choice == k for choice in chosen) / len(chosen) for k in self.ks],
                "undecided": sum(choice is None for choice in chosen) / len(chosen),
            }
        )


def _spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 5 % and 95 % quantiles of `values` (resamples, K) over the resamples, (K,) each."""
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    return low, high
