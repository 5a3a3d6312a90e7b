"""All criteria over one range of k: what each says, what it recommends, and how sure it is."""

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
"""Of the images that are in a resample: without replacement, since copies of an image are a cluster of their own."""
CHANCE = 0.95
"""Quantile of points without groups that a bend of the inertia, and a silhouette, must exceed."""
MAX_POINTS = 2000
"""Above, silhouettes are those of a stratified sample of as many."""
SURE = 0.5
"""Share of the resamples with the same recommendation from which on it is sure."""
MAJORITY = 3
"""Sure criteria that have to agree for a k to stand out."""


@dataclass(frozen=True)
class Options:
    """Of a survey: restarts of k-means, reference sets, resamples, and the covariances of the mixtures."""

    n_init: int = 20
    n_references: int = 20
    n_resamples: int = 20
    covariance_type: str = "diag"


@dataclass(frozen=True)
class _Curves:
    """Of one set of points, each (K,): inertia, mean silhouette and BIC of the best partitions."""

    inertia: np.ndarray
    silhouette: np.ndarray
    bic: np.ndarray


@dataclass(frozen=True)
class _Chance:
    """What points without groups give: their inertia (B, K), and the bend and the silhouette that few exceed."""

    inertia: np.ndarray
    sag: float
    silhouette: float


def survey(X: np.ndarray, ks: Sequence[int], options: Options, base_seed: int, n_threads: int = 1) -> pd.DataFrame:
    """Return every criterion for every k, on k-means partitions of `X` (N, d).

    How sure a recommendation is, is the share of `n_resamples` resamples (80 % of the images; for the stability one
    split in halves each) in which the criterion recommends the same.

    Returns
    -------
    DataFrame, a row per criterion and k: `criterion`, `k`, `value` (null where it is not defined), `low`, `high` (the
    values of the middle 90 % of the resamples; of the gap Gap ± s), `recommended` (bool), `share` (of the resamples
    that recommend this k) and `undecided` (of those that recommend none).
    """
    every = _Survey(np.asarray(X, dtype=np.float64), np.array(sorted(ks)), options, base_seed, n_threads)
    return pd.concat([getattr(every, criterion)() for criterion in CRITERIA], ignore_index=True)


def standing_out(table: pd.DataFrame) -> int | None:
    """Return the k that at least `MAJORITY` criteria recommend, each of them sure; None where no k stands out."""
    votes = table[table["recommended"] & (table["share"] >= SURE)]["k"].value_counts()
    return int(votes.index[0]) if len(votes) and votes.iloc[0] >= MAJORITY else None


class _Survey:
    """The curves that the criteria share, of the points, of the resamples and of points without groups."""

    def __init__(self, X: np.ndarray, ks: np.ndarray, options: Options, base_seed: int, n_threads: int) -> None:
        self.X, self.ks, self.options, self.base_seed, self.n_threads = X, ks, options, base_seed, n_threads
        n = round(SHARE * len(X))
        random = np.random.default_rng(seed(base_seed, "resamples"))
        resamples = [np.sort(random.permutation(len(X))[:n]) for _ in range(options.n_resamples)]
        self.curves = self._curves(X)
        self.of_resamples = [self._curves(X[rows]) for rows in resamples]
        self.chance, self.chance_of_resamples = self._chance(X, "references"), self._chance(X[resamples[0]], "fewer")

    def _partitions(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Return of each k, inertia (K,), labels (K, N) and centres of the best restart."""
        kmeans_seed = seed(self.base_seed, "kmeans")
        ks, n_init = self.ks.tolist(), self.options.n_init
        of_ks = run_restarts(X, ks, n_init, kmeans_seed, keep="best", n_threads=self.n_threads)
        inertia = np.array([restarts.inertia.min() for restarts in of_ks])
        return (
            inertia,
            np.array([restarts.labels for restarts in of_ks], dtype=np.int64),
            [restarts.best_centers for restarts in of_ks],
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
        """Return share of the variance that is left within the clusters, and where it bends."""
        total = np.square(self.X - self.X.mean(axis=0)).sum()
        resampled = np.array([curve.inertia for curve in self.of_resamples]) / SHARE
        chosen = [elbow.recommend(self.ks, curve, self.chance_of_resamples.sag) for curve in resampled]
        recommended = elbow.recommend(self.ks, self.curves.inertia, self.chance.sag)
        return self._table("elbow", self.curves.inertia / total, *_spread(resampled / total), recommended, chosen)

    def silhouette(self) -> pd.DataFrame:
        """Return the mean silhouette, and where it is highest."""
        resampled = np.array([curve.silhouette for curve in self.of_resamples])
        chosen = [silhouette.recommend(self.ks, curve, self.chance_of_resamples.silhouette) for curve in resampled]
        recommended = silhouette.recommend(self.ks, self.curves.silhouette, self.chance.silhouette)
        return self._table("silhouette", self.curves.silhouette, *_spread(resampled), recommended, chosen)

    def gap(self) -> pd.DataFrame:
        """Return the gap statistic, and its rule of one standard error."""
        values, s = gap.gaps(self.curves.inertia, self.chance.inertia)
        resampled = [gap.gaps(curve.inertia, self.chance_of_resamples.inertia) for curve in self.of_resamples]
        chosen = [gap.recommend(self.ks, *curve) for curve in resampled]
        return self._table("gap", values, values - s, values + s, gap.recommend(self.ks, values, s), chosen)

    def bic(self) -> pd.DataFrame:
        """Return the BIC of an image in nats, and where it is lowest."""
        n = len(self.X)
        resampled = np.array([curve.bic for curve in self.of_resamples]) / (2 * round(SHARE * n))
        chosen = [mixture.recommend(self.ks, curve) for curve in resampled]
        values = self.curves.bic / (2 * n)
        return self._table("bic", values, *_spread(resampled), mixture.recommend(self.ks, values), chosen)

    def stability(self) -> pd.DataFrame:
        """Return the prediction strength over splits in halves, and the largest k where it is enough."""
        random = np.random.default_rng(seed(self.base_seed, "splits"))
        of_splits = np.array(
            [self._strengths(random.permutation(len(self.X))) for _ in range(self.options.n_resamples)]
        )
        strength, error = of_splits.mean(axis=0), of_splits.std(axis=0, ddof=1) / np.sqrt(len(of_splits))
        chosen = [stability.recommend(self.ks, strengths, np.zeros(len(self.ks))) for strengths in of_splits]
        return self._table(
            "stability", strength, *_spread(of_splits), stability.recommend(self.ks, strength, error), chosen
        )

    def _strengths(self, order: np.ndarray) -> np.ndarray:
        """Return Prediction strength for each k, each half once the one that predicts."""
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
    """Return the 5 % and 95 % quantiles over the resamples."""
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    return low, high
