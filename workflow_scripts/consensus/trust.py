"""Which cells to trust without labels: those that agree with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import fastcluster
import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform

from workflow_scripts.clusterers.linkage import cut
from workflow_scripts.consensus.agreement import agreement_matrix
from workflow_scripts.grid.axes import axes_of

ONE_OPINION = 0.95
"""Cells that agree at least this much with each other are one opinion and share one vote."""
WEAK = 0.2
"""Agreement of the most trusted cell below which the choices decide the result more than the images do."""
MAX_SAMPLE = 1000
"""Largest number of images in a bootstrap sample; its weights are drawn so that intervals are those of all images."""
FOREIGN = tuple(axis for axis in axes_of("features") if axis != "subset")
"""Axes that make cells foreign to each other: cells are foreign if they differ in any of these."""
Verdict = Literal["nothing", "weak", "agree"]


@dataclass(frozen=True)
class Trust:
    """How far to trust each cell of a study, without labels.

    Attributes
    ----------
    table :
        one row per cell in the given order, with the choices and

        - `agreement`: mean agreement (ARI) with the opinions of all other cells, each opinion counted once;
        - `foreign`: the same over cells with another preprocessing, backbone or layer; NaN if there are none;
        - `opinion`: number of the cell's opinion, from 0;
        - `vote`: share of the cell in the votes of all cells; sums to 1;
        - `rank`: 1 for the most trusted cell; `rank_low`, `rank_high`: 95 % interval over samples of the images and the
          opinions (Bayesian bootstrap, Rubin 1981);
        - `first`: share of the samples in which no cell ranks higher.
    agreement : (C, C) float64, ARI of every two cells.
    n_opinions : number of opinions.
    chance : 99 % quantile of the agreement of the most trusted cell if the images are shuffled in each cell.
    verdict : `nothing` if the best agreement is not above chance, so that no cell is to be trusted; `weak` if it is
        above chance but below `WEAK`, so that the choices decide the result; otherwise `agree`.
    """

    table: pd.DataFrame
    agreement: np.ndarray
    n_opinions: int
    chance: float
    verdict: Verdict

    @property
    def best(self) -> int:
        """Return the row of the most trusted cell, the first of equals; `verdict` says whether to trust it."""
        return int(self.table["agreement"].to_numpy().argmax())


def trust(
    partitions: np.ndarray,
    choices: pd.DataFrame,
    *,
    agreement: np.ndarray | None = None,
    foreign: Sequence[str] = FOREIGN,
    n_samples: int = 100,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> Trust:
    """Rank the cells by their agreement with the others.

    Parameters
    ----------
    partitions : (C, N) integers, negative for noise; C >= 2.
    choices : C rows, one column per axis that the study varies.
    agreement : (C, C) from `agreement_matrix(partitions)`; None computes it.
    foreign : axes in which foreign cells differ; axes that are not in `choices` are ignored.
    n_samples : number of bootstrap samples of images and cells, and of permutations for `chance`.
    seed : seed of both.
    groups : (N,) str, the units that the bootstrap samples, such as specimens; None if all images are independent.

    Raises
    ------
    ValueError
        If there are fewer than two cells, or the numbers of partitions and choices differ.
    """
    if len(partitions) != len(choices) or len(choices) < 2:
        raise ValueError(f"got {len(partitions)} partitions, {len(choices)} choices, expected equal numbers, 2 or more")
    agreement = agreement_matrix(partitions) if agreement is None else agreement
    opinion = opinions(agreement)
    vote = votes(agreement, opinion)
    others = heard(opinion)
    stranger = np.zeros_like(others)
    for axis in [axis for axis in foreign if axis in choices]:
        levels = pd.factorize(choices[axis])[0]
        stranger |= levels[:, None] != levels
    score = support(agreement, vote, others)
    units = np.arange(partitions.shape[1]) if groups is None else pd.factorize(groups)[0]
    ranks = _sampled_ranks(partitions, units, score, opinion, vote, others, n_samples, seed)
    rank_low, rank_high = np.quantile(ranks, [0.025, 0.975], axis=0, method="closest_observation").astype(int)
    table = choices.reset_index(drop=True).assign(
        agreement=score,
        foreign=support(agreement, vote, stranger),
        opinion=opinion,
        vote=vote,
        rank=_rank(score),
        rank_low=rank_low,
        rank_high=rank_high,
        first=(ranks == 1).mean(axis=0),
    )
    chance = _chance(partitions, vote, others, n_samples, seed)
    best = float(np.nanmax(score))
    verdict: Verdict = "nothing" if best <= chance else "weak" if best < WEAK else "agree"
    return Trust(table, agreement, int(opinion.max()) + 1, chance, verdict)


def most_trusted(agreement: np.ndarray) -> int:
    """Return the row of the cell that agrees most with the opinions of the others, the first of equals.

    `agreement` (C, C) is the ARI of every two cells.
    """
    if len(agreement) == 1:
        return 0
    opinion = opinions(agreement)
    return int(support(agreement, votes(agreement, opinion), heard(opinion)).argmax())


def opinions(agreement: np.ndarray) -> np.ndarray:
    """Group the cells into opinions: complete linkage of 1 - `agreement` (C, C), cut at 1 - `ONE_OPINION`.

    Any two cells of one opinion agree at least that much. A copy of a cell joins its opinion and changes no other.

    Returns
    -------
    (C,) intp, the opinion of each cell, from 0.
    """
    distances = np.clip(1 - agreement, 0, None)
    merges = fastcluster.linkage(squareform(distances, checks=False), "complete")
    n_opinions = len(agreement) - int(np.count_nonzero(merges[:, 2] <= 1 - ONE_OPINION + 1e-12))
    return cut(merges, n_opinions).astype(np.intp)


def votes(agreement: np.ndarray, opinion: np.ndarray) -> np.ndarray:
    """Share one vote equally among opinions, then among the distinct partitions of an opinion, then among copies.

    So any number of copies of a cell changes nothing for the other cells, and near-copies change very little.

    Parameters
    ----------
    agreement : (C, C).
    opinion : (C,) from `opinions`.

    Returns
    -------
    (C,) float64, positive, sums to 1.
    """
    copies = (agreement > 1 - 1e-12).sum(axis=1)
    distinct = np.bincount(opinion, 1 / copies)
    return 1 / copies / distinct[opinion] / (opinion.max() + 1)


def heard(opinion: np.ndarray) -> np.ndarray:
    """Return a matrix (C, C) of bool: row i marks the cells from which the trust of cell i is computed.

    These are the cells of other opinions, or all other cells if there is only one opinion. `opinion` (C,) is from
    `opinions`.
    """
    return opinion[:, None] != opinion if opinion.any() else ~np.eye(len(opinion), dtype=bool)


def support(agreement: np.ndarray, vote: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the mean agreement (C,) of each cell with the cells that count for it, weighted by their votes.

    `agreement` (C, C), `vote` (C,), `counts` (C, C) bool. NaN for a cell for which no other counts.
    """
    weights = counts * vote
    total = weights.sum(axis=1)
    return np.where(total > 0, (weights * agreement).sum(axis=1) / np.where(total > 0, total, 1), np.nan)


def cell_weights(trusted: Trust) -> np.ndarray:
    """Return the weights of the cells in a consensus, (C,), which sum to 1: vote times positive agreement."""
    weights = trusted.table["vote"].to_numpy() * np.clip(trusted.table["agreement"].to_numpy(), 0, None)
    return weights / weights.sum() if weights.any() else trusted.table["vote"].to_numpy()


def _rank(scores: np.ndarray) -> np.ndarray:
    """Return the ranks (..., C) of scores (..., C): 1 for the highest; equal scores have equal ranks."""
    return 1 + (scores[..., None, :] > scores[..., :, None] + 1e-12).sum(axis=-1)


def _sampled_ranks(
    partitions: np.ndarray,
    units: np.ndarray,
    score: np.ndarray,
    opinion: np.ndarray,
    vote: np.ndarray,
    others: np.ndarray,
    n_samples: int,
    seed: int,
) -> np.ndarray:
    """Return the ranks (n_samples, C) when groups of images and opinions have random weights (Bayesian bootstrap).

    Weights with mean 1 and variance 1 correspond to the counts of a bootstrap. If there are more than `MAX_SAMPLE`
    images, that many are drawn and the variance is reduced accordingly, so that the spread is that of all. The images
    of a group, whose numbers from 0 are `units` (N,), have one weight.
    """
    rng = np.random.default_rng([seed, 0])
    drawn = rng.permutation(partitions.shape[1])[:MAX_SAMPLE]
    partitions = partitions[:, drawn]
    unit, in_sample = pd.factorize(units[drawn])
    shape = (units.max() + 1) / len(in_sample)
    drawn_score = support(agreement_matrix(partitions), vote, others)
    scores = np.empty((n_samples, len(vote)))
    for sample in scores:
        counts = rng.gamma(shape, 1 / shape, len(in_sample))[unit]
        voters = rng.exponential(size=opinion.max() + 1)[opinion]
        sample[:] = support(agreement_matrix(partitions, counts), vote * voters, others)
    return _rank(score + scores - drawn_score)


def _chance(partitions: np.ndarray, vote: np.ndarray, others: np.ndarray, n_samples: int, seed: int) -> float:
    """Return the 99 % quantile of the best cell's agreement when every partition is shuffled independently.

    Of more than `MAX_SAMPLE` images a sample is used. Chance is higher with fewer images, so the test becomes stricter.
    """
    rng = np.random.default_rng([seed, 1])
    partitions = partitions[:, rng.permutation(partitions.shape[1])[:MAX_SAMPLE]]
    shuffled = (agreement_matrix(rng.permuted(partitions, axis=1)) for _ in range(n_samples))
    return float(np.quantile([support(agreement, vote, others).max() for agreement in shuffled], 0.99))
