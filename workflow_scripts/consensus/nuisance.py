"""Find nuisances: known facts about the images, such as the microscope, that the groups depend on.

Facts are numbers or texts that are known about each image. Groups are the clusters of a partition or of a consensus.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workflow_scripts.consensus.permutation import members_of, p_value, shuffled_within
from workflow_scripts.intake.image_facts import as_numbers

MAX_IMAGES = 20_000
"""Largest number of images in a test; of more images a sample is drawn."""
MAX_LEVELS = 30
"""Largest number of different texts of a fact; if there are more, the rarest ones are merged into one."""
COLUMNS = ["fact", "kind", "n", "strength", "raw", "by_chance", "p", "p_holm", "q"]


def associations(
    groups: np.ndarray,
    facts: pd.DataFrame,
    labels: Sequence[object] | None = None,
    *,
    n_permutations: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    """Test how strongly each known fact is associated with the groups, in addition to what the labels explain.

    Images are compared only with images that have the same label; images without a label are compared with each other.
    If the values of a fact are numbers, the statistic is the share of the variance of their ranks within labels that
    the groups explain (R², Kruskal & Wallis 1952). If they are texts, it is the share of the entropy within labels,
    I(groups; text | label) / H(text | label). For the null hypothesis, the groups are permuted within each label.
    `strength` compares the statistic with chance, (raw - by_chance) / (1 - by_chance): 0 for no association, 1 if the
    groups determine the fact. A negative value becomes 0.

    Parameters
    ----------
    groups : (N,) integers; negative is noise, which is a group of its own here.
    facts :
        a table with N rows and one column for each fact. Columns of numbers, booleans and dates count as numbers,
        others as texts. Images with a missing value are left out for that fact. Facts that do not vary are left out.
    labels : (N,) texts, "" or None for an image without a label; None if there are no labels at all.
    n_permutations : number of permutations of the groups for each fact.
    seed : seed of the permutations, and of the sample that is used if there are more than `MAX_IMAGES` images.

    Returns
    -------
    DataFrame with one row per fact, sorted by `strength`, the largest first:

    - `fact`: its name.
    - `kind`: `number` or `text`.
    - `n`: number of images.
    - `strength`: see above.
    - `raw`: the statistic.
    - `by_chance`: mean of the statistic over the permutations.
    - `p`: p-value of the permutation test (Phipson & Smyth 2010).
    - `p_holm`: `p` adjusted for many tests (Holm 1979).
    - `q`: `p` adjusted so that it bounds the expected share of false alarms (Benjamini & Hochberg 1995).
    """
    rng = np.random.default_rng(seed)
    n_images = len(groups)
    drawn = np.sort(rng.choice(n_images, min(n_images, MAX_IMAGES), replace=False))
    strata = (
        np.zeros(n_images, np.intp) if labels is None else pd.factorize(pd.Series(labels, dtype=object).fillna(""))[0]
    )
    groups, strata = np.unique(np.asarray(groups)[drawn], return_inverse=True)[1], strata[drawn]
    rows = []
    for number, name in enumerate(facts):
        own = np.random.default_rng([seed, number])
        if tested := _tested(facts[name].iloc[drawn], groups, strata, n_permutations, own):
            rows.append((name, *tested))
    table = pd.DataFrame(rows, columns=COLUMNS[:7])
    table["p_holm"], table["q"] = holm(table["p"].to_numpy()), benjamini_hochberg(table["p"].to_numpy())
    return table.sort_values(["strength", "fact"], ascending=[False, True], ignore_index=True)


def _tested(
    column: pd.Series, groups: np.ndarray, strata: np.ndarray, n_permutations: int, rng: np.random.Generator
) -> tuple[str, int, float, float, float, float] | None:
    """Return the values `kind` to `p` (see `associations`) of a fact, or None if it does not vary within the strata.

    `groups` (N,) and `strata` (N,) are integers from 0.
    """
    prepared = _prepared(column)
    if prepared is None:
        return None
    kind, known, values = prepared
    statistic = (_Numbers if kind == "number" else _Texts)(values, strata[known])
    observed = statistic(groups[known])
    if np.isnan(observed):
        return None
    members = members_of(strata[known])
    null = np.array([statistic(shuffled_within(members, groups[known], rng)) for _ in range(n_permutations)])
    by_chance = float(null.mean())
    strength = max(0.0, (observed - by_chance) / (1 - by_chance)) if by_chance < 1 else 0.0
    return kind, int(known.sum()), strength, observed, by_chance, p_value(observed, null)


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values (M,) adjusted for many tests by the method of Holm (1979).

    If all tests with an adjusted p-value up to a level alpha count as significant, the probability of one or more false
    alarms is at most alpha.
    """
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return p-values (M,) adjusted for many tests by the method of Benjamini & Hochberg (1995).

    If all tests with an adjusted p-value up to a level alpha count as significant, the expected share of false alarms
    among them is at most alpha.
    """
    order = np.argsort(p)[::-1]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.minimum.accumulate(p[order] * len(p) / np.arange(len(p), 0, -1)))
    return adjusted


def _prepared(column: pd.Series) -> tuple[str, np.ndarray, np.ndarray] | None:
    """Return the kind of a fact, a mask (N,) of the images for which it is known, and the known values.

    The kind is `number`, with values as float64, or `text`, with values as integer codes. Returns None if the fact does
    not vary, or if no text occurs twice.
    """
    numbers = as_numbers(column)
    if numbers is not None:
        known = np.isfinite(numbers)
        return ("number", known, numbers[known]) if len(np.unique(numbers[known])) > 1 else None
    texts = column.astype(object).where(column.notna(), "").astype(str)
    known = (texts != "").to_numpy()
    counts = texts[known].value_counts()
    codes = texts[known].map({name: min(i, MAX_LEVELS - 1) for i, name in enumerate(counts.index)}).to_numpy()
    if len(counts) < 2 or counts.iloc[0] == 1:
        return None
    return "text", known, codes


class _Numbers:
    """The statistic for a fact that is a number: the share of the variance of its ranks that the groups explain.

    Only the variance within strata counts. A stratum is the set of images with the same label.
    """

    def __init__(self, values: np.ndarray, strata: np.ndarray) -> None:
        from scipy.stats import rankdata  # takes most of a second to import

        self.strata = np.unique(strata, return_inverse=True)[1]
        ranks = rankdata(values)
        means = np.bincount(self.strata, ranks) / np.bincount(self.strata)
        self.within = ranks - means[self.strata]
        self.total = float(np.square(self.within).sum())

    def __call__(self, groups: np.ndarray) -> float:
        if self.total == 0:
            return np.nan
        cells = self.strata * (int(groups.max()) + 1) + groups
        sizes, sums = np.bincount(cells), np.bincount(cells, self.within)
        return float((np.square(sums) / np.maximum(sizes, 1)).sum() / self.total)


class _Texts:
    """The statistic for a fact that is a text: the share of the entropy of the texts that the groups explain.

    Only the entropy within strata counts. A stratum is the set of images with the same label.
    """

    def __init__(self, codes: np.ndarray, strata: np.ndarray) -> None:
        self.codes, self.strata = codes, np.unique(strata, return_inverse=True)[1]
        self.entropy = _conditional_entropy(codes, self.strata)

    def __call__(self, groups: np.ndarray) -> float:
        if self.entropy <= 0:
            return np.nan
        cells = self.strata * (int(groups.max()) + 1) + groups
        return 1 - _conditional_entropy(self.codes, cells) / self.entropy


def _conditional_entropy(codes: np.ndarray, given: np.ndarray) -> float:
    """Return N times the conditional entropy H(codes | given) in nats; both arrays (N,) are integers from 0."""
    together = np.unique(given * (int(codes.max()) + 1) + codes, return_counts=True)[1]
    sizes = np.bincount(given)
    sizes = sizes[sizes > 0]
    return float((sizes * np.log(sizes)).sum() - (together * np.log(together)).sum())
