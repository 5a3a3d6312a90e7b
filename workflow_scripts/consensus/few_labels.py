"""Combine the labels of a few images with the agreement between cells (`trust`) to find the best cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, softmax

from workflow_scripts.consensus.agreement import compact
from workflow_scripts.consensus.trust import Trust
from workflow_scripts.metrics.contingency import contingency_tables, encode_classes

PRIOR_STRENGTH = 30.0
"""Log of the prior odds of an agreement of 1 against an agreement of 0."""


@dataclass(frozen=True)
class WithLabels:
    """What a number of labels adds to the trust in the cells.

    Attributes
    ----------
    prior, evidence : (C,) float64, log of the prior of each cell and of the probability of the labels under it.
    probability : (C,) probability that the cell is best; sums to 1.
    best : row of the most probable cell of the most probable opinion.
    n_labels : number of labels.
    labels_needed : number of further labels until the leading opinion has 95 % probability, if they add as much
        evidence as the present ones; 0 if it has it already; None if the labels do not favour it, or there are none.
    """

    prior: np.ndarray
    evidence: np.ndarray
    probability: np.ndarray
    best: int
    n_labels: int
    labels_needed: int | None


def with_labels(trusted: Trust, partitions: np.ndarray, labels: Sequence[object]) -> WithLabels:
    """Combine the agreement of the cells (the prior) with the labels of any number of images (the evidence).

    Model: each cluster of a cell has its own unknown class shares (symmetric Dirichlet prior with alpha = 1 / classes),
    from which the labels of its images are drawn. The evidence is the probability of all labels under this model, in
    closed form. The prior is proportional to vote * exp(`PRIOR_STRENGTH` * agreement).

    Parameters
    ----------
    trusted : trust in the same cells.
    partitions : (C, N) integers, negative for noise (each noise image is a cluster of its own).
    labels : (N,) texts; "" or None if missing.
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
    """Return the log probability (C,) of the labels, one Dirichlet-multinomial for each cluster."""
    labels = compact(partitions)
    tables = contingency_tables(labels, codes, int(labels.max(initial=0)) + 1, n_classes)[:, 2:, :-1]
    alpha = 1 / n_classes
    sizes = tables.sum(axis=2)
    each = gammaln(1.0) - gammaln(sizes + 1) + (gammaln(tables + alpha) - gammaln(alpha)).sum(axis=2)
    return each.sum(axis=1) - np.log(n_classes) * (labels == 0).sum(axis=1)


def _labels_needed(leads: np.ndarray, prior: np.ndarray, evidence: np.ndarray, n_labels: int) -> int | None:
    """Return how many labels the leading opinion needs for 95 %, if each adds the mean log odds of the present ones."""
    odds = [
        np.logaddexp.reduce(weight[leads]) - np.logaddexp.reduce(weight[~leads]) if (~leads).any() else np.inf
        for weight in (prior, prior + evidence)
    ]
    missing = np.log(19) - odds[1]
    if missing <= 0:
        return 0
    gain = (odds[1] - odds[0]) / max(n_labels, 1)
    return int(np.ceil(missing / gain)) if gain > 0 else None
