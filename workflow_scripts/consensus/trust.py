"""Which cells to trust without labels: those that agree with the others; and which is best with a few labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import fastcluster
import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform
from scipy.special import gammaln, softmax

from workflow_scripts.clusterers.linkage import cut
from workflow_scripts.consensus.agreement import agreement_matrix, compact
from workflow_scripts.grid.axes import axes_of
from workflow_scripts.metrics.contingency import contingency_tables, encode_classes

ONE_OPINION = 0.95
"""Cells that agree with each other at least as much as this are one opinion and have one vote together."""
WEAK = 0.2
"""Agreement of the most trusted cell below which the choices decide more than the images do."""
MAX_SAMPLE = 1000
"""Images of a bootstrap sample at most; its weights are drawn so that intervals are those of all images."""
FOREIGN = tuple(axis for axis in axes_of("features") if axis != "subset")
"""Cells are foreign to each other if they differ in any of these."""
Verdict = Literal["nothing", "weak", "agree"]


@dataclass(frozen=True)
class Trust:
    """How far each cell of a study is to be trusted, without labels.

    Attributes
    ----------
    table :
        a row per cell, in the order given: the choices, and

        - `agreement`: mean agreement (ARI) with the opinions of all other cells, each opinion once;
        - `foreign`: the same over cells of another preprocessing, backbone or layer; NaN where there is none;
        - `opinion`: number of the cell's opinion, from 0;
        - `vote`: the cell's share in the votes of all cells; sums to 1;
        - `rank`: 1 is the most trusted; `rank_low`, `rank_high`: its 95 % interval over samples of the images and of
          the opinions (Bayesian bootstrap, Rubin 1981);
        - `first`: share of the samples in which no cell ranks higher.
    agreement : (C, C) float64, ARI of every two cells.
    n_opinions : number of opinions.
    chance :
        the agreement that the most trusted of so many cells has, in 99 of 100 cases, if all images are dealt to the
        clusters anew in each cell.
    verdict :
        `nothing`: the best agreement is not above chance, so trust none; `weak`: above chance, but below `WEAK`: the
        choices decide the answer; else `agree`.
    """

    table: pd.DataFrame
    agreement: np.ndarray
    n_opinions: int
    chance: float
    verdict: Verdict

    @property
    def best(self) -> int:
        """The row of the most trusted cell, the first of equals; what it is worth is the verdict's to say."""
        return int(self.table["agreement"].to_numpy().argmax())


def trust(
    partitions: np.ndarray,
    choices: pd.DataFrame,
    *,
    foreign: Sequence[str] = FOREIGN,
    n_samples: int = 100,
    seed: int = 0,
) -> Trust:
    """Rank the cells by their agreement with the others.

    Parameters
    ----------
    partitions : (C, N) integers, negative for noise; C >= 2.
    choices : C rows; a column per axis that the study varies.
    foreign : axes in which foreign cells differ; those that are no column of `choices` are left out.
    n_samples : bootstrap samples of the images and the cells, and permutations for `chance`.
    seed : of both.

    Raises
    ------
    ValueError
        If there are fewer than two cells or the number of choices is another.
    """
    if len(partitions) != len(choices) or len(choices) < 2:
        raise ValueError(f"got {len(partitions)} partitions and {len(choices)} choices, expected as many, 2 or more")
    agreement = agreement_matrix(partitions)
    opinion = opinions(agreement)
    vote = votes(agreement, opinion)
    others = heard(opinion)
    stranger = np.zeros_like(others)
    for axis in [axis for axis in foreign if axis in choices]:
        levels = pd.factorize(choices[axis])[0]
        stranger |= levels[:, None] != levels
    score = support(agreement, vote, others)
    ranks = _sampled_ranks(partitions, score, opinion, vote, others, n_samples, seed)
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


def opinions(agreement: np.ndarray) -> np.ndarray:
    """Number the opinions that cells are of: complete linkage of 1 - `agreement` (C, C) cut at 1 - `ONE_OPINION`.

    Any two cells of one opinion agree at least that much; a copy of a cell joins it and changes no other opinion.

    Returns
    -------
    (C,) intp from 0.
    """
    distances = np.clip(1 - agreement, 0, None)
    merges = fastcluster.linkage(squareform(distances, checks=False), "complete")
    n_opinions = len(agreement) - int(np.count_nonzero(merges[:, 2] <= 1 - ONE_OPINION + 1e-12))
    return cut(merges, n_opinions).astype(np.intp)


def votes(agreement: np.ndarray, opinion: np.ndarray) -> np.ndarray:
    """Share one vote among all opinions, in equal parts among the distinct partitions of each and among their copies.

    So copies of a cell, however many, change nothing for the others, and near-copies next to nothing.

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
    """Return (C, C) bool, which cells count for each: those of other opinions, and if there is one opinion all others.

    `opinion` (C,) from `opinions`.
    """
    return opinion[:, None] != opinion if opinion.any() else ~np.eye(len(opinion), dtype=bool)


def support(agreement: np.ndarray, vote: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return each cell's mean agreement with the cells that count for it, by their votes; (C,), NaN where none does.

    `agreement` (C, C), `vote` (C,), `counts` (C, C) bool.
    """
    weights = counts * vote
    total = weights.sum(axis=1)
    return np.where(total > 0, (weights * agreement).sum(axis=1) / np.where(total > 0, total, 1), np.nan)


def cell_weights(trusted: Trust) -> np.ndarray:
    """Return the weights of the cells in a consensus, (C,), which sum to 1: vote times positive agreement."""
    weights = trusted.table["vote"].to_numpy() * np.clip(trusted.table["agreement"].to_numpy(), 0, None)
    return weights / weights.sum() if weights.any() else trusted.table["vote"].to_numpy()


def _rank(scores: np.ndarray) -> np.ndarray:
    """Ranks (..., C) of scores (..., C): 1 for the highest, equals have the same."""
    return 1 + (scores[..., None, :] > scores[..., :, None] + 1e-12).sum(axis=-1)


def _sampled_ranks(
    partitions: np.ndarray,
    score: np.ndarray,
    opinion: np.ndarray,
    vote: np.ndarray,
    others: np.ndarray,
    n_samples: int,
    seed: int,
) -> np.ndarray:
    """Ranks (n_samples, C) when images and opinions count at random: `score` and what a sample adds to it.

    Weights of mean 1 have the variance 1 with which a bootstrap counts each image. Of more than `MAX_SAMPLE` images
    that many are drawn, and the variance is so much smaller that the spread is that of all images.
    """
    rng = np.random.default_rng([seed, 0])
    n_images = partitions.shape[1]
    drawn = rng.permutation(n_images)[:MAX_SAMPLE]
    partitions, shape = partitions[:, drawn], n_images / len(drawn)
    of_drawn = support(agreement_matrix(partitions), vote, others)
    scores = np.empty((n_samples, len(vote)))
    for sample in scores:
        counts = rng.gamma(shape, 1 / shape, len(drawn))
        voters = rng.exponential(size=opinion.max() + 1)[opinion]
        sample[:] = support(agreement_matrix(partitions, counts), vote * voters, others)
    return _rank(score + scores - of_drawn)


def _chance(partitions: np.ndarray, vote: np.ndarray, others: np.ndarray, n_samples: int, seed: int) -> float:
    """The 99 % quantile of the best cell's agreement when every partition is shuffled by itself.

    Of more than `MAX_SAMPLE` images that many are drawn: chance is higher with fewer images, and the doubt greater.
    """
    rng = np.random.default_rng([seed, 1])
    partitions = partitions[:, rng.permutation(partitions.shape[1])[:MAX_SAMPLE]]
    shuffled = (agreement_matrix(rng.permuted(partitions, axis=1)) for _ in range(n_samples))
    return float(np.quantile([support(agreement, vote, others).max() for agreement in shuffled], 0.99))


@dataclass(frozen=True)
class WithLabels:
    """What a number of labels adds.

    Attributes
    ----------
    prior, evidence : (C,) float64, log; of each cell before the labels, and of the labels under each cell.
    probability : (C,) that the cell is best; sums to 1.
    best : row of the most probable cell of the most probable opinion.
    n_labels : labels that there are.
    labels_needed :
        labels still needed, all in all, until the leading opinion has 95 % if they speak as those at hand do; 0 if it
        has; None if they do not speak for it, or there are none.
    """

    prior: np.ndarray
    evidence: np.ndarray
    probability: np.ndarray
    best: int
    n_labels: int
    labels_needed: int | None


PRIOR_STRENGTH = 30.0
"""Natural logarithm of the odds that an agreement of 1 has before one of 0."""


def with_labels(trusted: Trust, partitions: np.ndarray, labels: Sequence[object]) -> WithLabels:
    """Combine the agreement of cells (the prior) with labels of any number of images (the evidence).

    The model: each cluster of a cell has its own unknown shares of the classes (a symmetric Dirichlet prior with
    alpha = 1 / classes), and the labels of its images are drawn from them. The evidence is the probability of all
    labels at hand under that model, in closed form; the prior is proportional to vote * exp(`PRIOR_STRENGTH` *
    agreement).

    Parameters
    ----------
    trusted : of the same cells.
    partitions : (C, N) integers, negative for noise (each such image stands alone).
    labels : (N,) texts; "" or None where there is none.
    """
    codes, classes = encode_classes(np.asarray(labels, dtype=object))
    known = codes >= 0
    prior = PRIOR_STRENGTH * trusted.table["agreement"].to_numpy() + np.log(trusted.table["vote"].to_numpy())
    evidence = _evidence(partitions[:, known], codes[known], max(len(classes), 1))
    probability = softmax(prior + evidence)
    opinion = trusted.table["opinion"].to_numpy()
    leads = opinion == np.bincount(opinion, probability).argmax()
    best = int(np.where(leads, probability, -1).argmax())
    needed = _labels_needed(leads, prior, evidence, int(known.sum()))
    return WithLabels(prior, evidence, probability, best, int(known.sum()), needed)


def _evidence(partitions: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Log probability (C,) of the labels, one Dirichlet-multinomial for each cluster."""
    labels = compact(partitions)
    tables = contingency_tables(labels, codes, int(labels.max(initial=0)) + 1, n_classes)[:, 2:, :-1]
    alpha = 1 / n_classes
    sizes = tables.sum(axis=2)
    each = gammaln(1.0) - gammaln(sizes + 1) + (gammaln(tables + alpha) - gammaln(alpha)).sum(axis=2)
    return each.sum(axis=1) - np.log(n_classes) * (labels == 0).sum(axis=1)


def _labels_needed(leads: np.ndarray, prior: np.ndarray, evidence: np.ndarray, n_labels: int) -> int | None:
    """Labels until the leading opinion has 95 %, if each adds to its odds what those at hand did on average."""
    odds = [
        np.logaddexp.reduce(weight[leads]) - np.logaddexp.reduce(weight[~leads]) if (~leads).any() else np.inf
        for weight in (prior, prior + evidence)
    ]
    missing = np.log(19) - odds[1]
    if missing <= 0:
        return 0
    gain = (odds[1] - odds[0]) / max(n_labels, 1)
    return int(np.ceil(missing / gain)) if gain > 0 else None
