"""Tell which cells to trust without labels: those that agree with the other cells.

The agreement of two cells is the adjusted Rand index (ARI) of their partitions. An opinion is a set of cells with
nearly the same partition. All opinions have the same vote, however many cells they have.
"""

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
"""Cells whose agreement with each other is at least this are one opinion, and share its vote."""
WEAK = 0.2
"""If the agreement of the most trusted cell is below this, the choices decide the result more than the images do."""
MAX_SAMPLE = 1000
"""Largest number of images in a bootstrap sample; the spread of its weights gives the intervals of all images."""
FOREIGN = tuple(axis for axis in axes_of("features") if axis != "subset")
"""Axes that make cells foreign to each other: cells are foreign if they differ in any of these."""
Verdict = Literal["nothing", "weak", "agree"]


@dataclass(frozen=True)
class Trust:
    """How far to trust each cell of a study, without labels.

    Agreement is the adjusted Rand index (ARI) of two partitions. An opinion is a set of cells with nearly the same
    partition; all opinions have the same vote.

    Attributes
    ----------
    table :
        one row per cell in the given order, with the choices and

        - `agreement`: mean agreement with the cells of the other opinions, where each opinion counts once;
        - `foreign`: the same mean over cells with another preprocessing, backbone or layer; NaN if there are none;
        - `opinion`: number of the cell's opinion, from 0;
        - `vote`: the cell's share of all votes; the shares sum to 1;
        - `rank`: 1 for the most trusted cell;
        - `rank_low`, `rank_high`: 95 % interval of the rank over bootstrap samples of the images and of the opinions
          (Bayesian bootstrap, Rubin 1981);
        - `first`: share of these samples in which no cell has a higher agreement.
    agreement : (C, C) float64, ARI of each pair of cells.
    n_opinions : number of opinions.
    chance : 99 % quantile of the highest `agreement` of a cell, if the images of each cell are shuffled.
    verdict :
        `nothing` if the highest agreement is not above chance, so that no cell is to be trusted; `weak` if it is above
        chance but below `WEAK`, so that the choices decide the result; otherwise `agree`.
    """

    table: pd.DataFrame
    agreement: np.ndarray
    n_opinions: int
    chance: float
    verdict: Verdict

    @property
    def best(self) -> int:
        """Return the row number of the most trusted cell in `table`; if several cells are equal, the first one counts.

        `verdict` says whether to trust this cell.
        """
        return int(self.table["agreement"].to_numpy().argmax())


def trust(
    partitions: np.ndarray,
    choices: pd.DataFrame,
    *,
    agreement: np.ndarray | None = None,
    n_samples: int = 100,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> Trust:
    """Return how far to trust each cell: rank the cells by their agreement with the others.

    Parameters
    ----------
    partitions : (C, N) integers, negative for noise; C >= 2.
    choices : C rows, one column per axis that the study varies.
    agreement : (C, C) from `agreement_matrix(partitions)`; None computes it.
    n_samples : number of bootstrap samples, and number of permutations for `chance`.
    seed : seed of the bootstrap and of the permutations.
    groups : (N,) str, groups of images, such as specimens, that the bootstrap draws as a whole; None if all images are
        independent.

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
    for axis in choices.columns.intersection(FOREIGN):
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


def most_trusted(agreement: np.ndarray, candidates: Sequence[int]) -> int:
    """Return the number, in `candidates`, of the most trusted of them (see `Trust.best`).

    `agreement` (C, C) is the ARI of each pair of cells, and `candidates` are the rows of those that may be chosen.
    """
    if len(candidates) == 1:
        return 0
    opinion = opinions(agreement)
    return int(support(agreement, votes(agreement, opinion), heard(opinion))[list(candidates)].argmax())


def opinions(agreement: np.ndarray) -> np.ndarray:
    """Return the number, from 0, of the opinion of each cell, (C,) intp.

    `agreement` (C, C) is the ARI of each pair of cells. Any two cells of one opinion have an agreement of at least
    `ONE_OPINION`: the opinions are the clusters of complete linkage of 1 - agreement, cut at 1 - `ONE_OPINION`. A copy
    of a cell joins the cell's opinion and leaves the other opinions as they are.
    """
    distances = np.clip(1 - agreement, 0, None)
    merges = fastcluster.linkage(squareform(distances, checks=False), "complete")
    n_opinions = len(agreement) - int(np.count_nonzero(merges[:, 2] <= 1 - ONE_OPINION + 1e-12))
    return cut(merges, n_opinions).astype(np.intp)


def votes(agreement: np.ndarray, opinion: np.ndarray) -> np.ndarray:
    """Return the vote of each cell, (C,) float64; the votes are positive and sum to 1.

    All opinions have the same vote. The vote of an opinion is divided equally among its different partitions, and that
    of a partition equally among the cells that have it. So copies of a cell change nothing for the other cells, and
    near-copies change very little.

    Parameters
    ----------
    agreement : (C, C), ARI of each pair of cells.
    opinion : (C,) integers, from `opinions`.
    """
    copies = (agreement > 1 - 1e-12).sum(axis=1)
    distinct = np.bincount(opinion, 1 / copies)
    return 1 / copies / distinct[opinion] / (opinion.max() + 1)


def heard(opinion: np.ndarray) -> np.ndarray:
    """Return which cells each cell is compared with, as a matrix (C, C) of bool.

    Row i is True for the cells from which the agreement of cell i is computed. These are the cells of other opinions,
    or all other cells if there is only one opinion. An opinion is a set of cells with nearly the same partition.
    `opinion` (C,) comes from `opinions`.
    """
    return opinion[:, None] != opinion if opinion.any() else ~np.eye(len(opinion), dtype=bool)


def support(agreement: np.ndarray, vote: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return for each cell its mean agreement with the cells that `counts` marks, weighted by votes, (C,) float64.

    Row i of `counts` (C, C) bool marks the cells for cell i; if it marks none, the result is NaN. `agreement` (C, C) is
    the ARI of each pair of cells, and `vote` (C,) the vote of each cell.
    """
    weights = counts * vote
    total = weights.sum(axis=1)
    return np.where(total > 0, (weights * agreement).sum(axis=1) / np.where(total > 0, total, 1), np.nan)


def cell_weights(trusted: Trust) -> np.ndarray:
    """Return the weights of the cells in a consensus, (C,) float64, which sum to 1.

    A weight is the cell's vote times its agreement; a cell with a negative agreement has the weight 0. If no agreement
    is positive, the weights are the votes.
    """
    weights = trusted.table["vote"].to_numpy() * np.clip(trusted.table["agreement"].to_numpy(), 0, None)
    return weights / weights.sum() if weights.any() else trusted.table["vote"].to_numpy()


def _rank(scores: np.ndarray) -> np.ndarray:
    """Return the ranks (..., C) of `scores` (..., C): 1 for the highest score; equal scores have equal ranks."""
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
    """Return the ranks (n_samples, C) of the cells if images and opinions get random weights (Bayesian bootstrap).

    `units` (N,) has for each image the number, from 0, of its group; all images of a group have the same weight. The
    weights have the mean 1 and the variance 1, like the counts in an ordinary bootstrap. If there are more than
    `MAX_SAMPLE` images, a random sample of this size is used. Its weights have a lower variance, so that the ranks vary
    as much as they would with all images.
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
    """Return the 99 % quantile of the highest agreement of a cell, if the images of every partition are shuffled.

    If there are more than `MAX_SAMPLE` images, a sample of this size is used. The quantile of a sample is higher than
    that of all images, so the test becomes stricter.
    """
    rng = np.random.default_rng([seed, 1])
    partitions = partitions[:, rng.permutation(partitions.shape[1])[:MAX_SAMPLE]]
    shuffled = (agreement_matrix(rng.permuted(partitions, axis=1)) for _ in range(n_samples))
    return float(np.quantile([support(agreement, vote, others).max() for agreement in shuffled], 0.99))
