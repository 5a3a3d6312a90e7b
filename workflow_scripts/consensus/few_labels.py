"""Combine the labels of a few images with the agreement between cells (`trust`) to find the best cell.

An opinion is a set of cells with nearly the same partition (`trust.opinions`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, softmax

from workflow_scripts.consensus.agreement import compact
from workflow_scripts.consensus.trust import Trust
from workflow_scripts.metrics.contingency import contingency_tables, encode_classes

PRIOR_STRENGTH = 30.0
"""How much the prior trusts agreement: the logarithm of the odds of a cell with agreement 1 against one with 0."""


@dataclass(frozen=True)
class WithLabels:
    """The trust in the cells after the labels of a few images are known.

    An opinion is a set of cells with nearly the same partition.

    Attributes
    ----------
    evidence : (C,) float64, logarithm of the probability of the labels if the cell is right.
    probability : (C,) float64, probability that the cell is the best; sums to 1.
    best : row of the best cell (see `best_cell`).
    n_labels : number of labels.
    labels_needed :
        number of further labels until the most probable opinion has a probability of 95 %, if each adds as much
        evidence as the present labels did on average. It is 0 if the opinion has this probability already. It is None
        if there are no labels, or if they did not make the opinion more probable.
    """

    evidence: np.ndarray
    probability: np.ndarray
    best: int
    n_labels: int
    labels_needed: int | None


def with_labels(trusted: Trust, partitions: np.ndarray, labels: Sequence[object]) -> WithLabels:
    """Combine the agreement of the cells (the prior) with the labels of any number of images (the evidence).

    The model of a cell says that each of its clusters has unknown shares of the classes, and that the labels of the
    cluster's images are drawn with these shares. The shares have a symmetric Dirichlet prior with alpha = 1 / (number
    of classes). The evidence is the probability of all labels under this model, in closed form. The prior of a cell is
    proportional to vote * exp(`PRIOR_STRENGTH` * agreement); `trusted` has both.

    Parameters
    ----------
    trusted : the result of `trust.trust` for the same cells.
    partitions : (C, N) integers, negative for noise (each noise image is a cluster of its own).
    labels : (N,) texts; "" or None if missing.
    """
    codes, classes = encode_classes(np.asarray(labels, dtype=object))
    known = codes >= 0
    prior = PRIOR_STRENGTH * trusted.table["agreement"].to_numpy() + np.log(trusted.table["vote"].to_numpy())
    evidence = _evidence(partitions[:, known], codes[known], max(len(classes), 1))
    probability = softmax(prior + evidence)
    opinion = trusted.table["opinion"].to_numpy()
    best = best_cell(probability, opinion)
    needed = _labels_needed(opinion == opinion[best], prior, evidence, int(known.sum()))
    return WithLabels(evidence, probability, best, int(known.sum()), needed)


def best_cell(probability: np.ndarray, opinion: np.ndarray) -> int:
    """Return the row of the most probable cell of the most probable opinion.

    The cells of an opinion share its probability, so that the most probable of all cells may be one of another opinion.
    `probability` and `opinion` (C,) are the probability of each cell, and the number of its opinion, from 0.
    """
    leads = opinion == np.bincount(opinion, probability).argmax()
    return int(np.where(leads, probability, -1).argmax())


def _evidence(partitions: np.ndarray, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the log probability (C,) of the labels under the model of each cell (see `with_labels`).

    `partitions` (C, M) and `codes` (M,) are the clusters and the classes of the labelled images. The labels of each
    cluster have a Dirichlet-multinomial distribution.
    """
    labels = compact(partitions)
    tables = contingency_tables(labels, codes, int(labels.max(initial=0)) + 1, n_classes)[:, 2:, :-1]
    alpha = 1 / n_classes
    sizes = tables.sum(axis=2)
    each = gammaln(1.0) - gammaln(sizes + 1) + (gammaln(tables + alpha) - gammaln(alpha)).sum(axis=2)
    return each.sum(axis=1) - np.log(n_classes) * (labels == 0).sum(axis=1)


def _labels_needed(leads: np.ndarray, prior: np.ndarray, evidence: np.ndarray, n_labels: int) -> int | None:
    """Return how many more labels are needed (see `WithLabels.labels_needed`).

    `leads` (C,) bool marks the cells of the most probable opinion. Each label is assumed to add as much to the log odds
    of this opinion as the present ones did on average.
    """
    odds = [
        np.logaddexp.reduce(weight[leads]) - np.logaddexp.reduce(weight[~leads]) if (~leads).any() else np.inf
        for weight in (prior, prior + evidence)
    ]
    missing = np.log(19) - odds[1]
    if missing <= 0:
        return 0
    gain = (odds[1] - odds[0]) / max(n_labels, 1)
    return int(np.ceil(missing / gain)) if gain > 0 else None
