"""Turn the numbers of a study into sentences that say what to do.

A study compares cells, which are combinations of choices. All functions depend on their arguments only. No sentence
claims more than its numbers show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

from workflow_scripts.pages.answers.page import Sentence, Strength
from workflow_scripts.wording import count, listed, percent

SURE = 0.05
"""p-value below which chance does not explain a finding."""
LEADS = 0.5
"""Share of the bootstrap samples in which a cell must rank first to be recommended alone."""
STRONG_AGREEMENT = 0.6
"""Smallest mean ARI of the most trusted cell that counts as strong agreement."""
ENOUGH_LABELS = 30
"""Smallest number of labels that can be strong evidence."""
ENOUGH_IMAGES = 100
"""Number of images from which on an association of strength `NOTABLE` is mostly found, so that its absence counts."""
NO_ANSWER = ("nothing", "few")
"""Verdicts for which no group is shown: the cells agree no better than chance, or there are too few images to tell."""
MOST_IMAGES = 0.8
"""Smallest share of images that must keep their group for the groups to survive."""
NOTABLE = 0.1
"""Smallest share (of a fact, of the disagreement, or of the images) that counts as more than small."""


def images(n_images: int, set_aside: Mapping[str, int]) -> Sentence:
    """Say how many images there are, and why files were set aside; `set_aside` has the number of files by reason."""
    start = f"{count(n_images, 'image is', 'images are')} in the study."
    total = sum(set_aside.values())
    if not total:
        return Sentence(f"{start} No file was set aside.", "fact", n_images, "manifest")
    by_number = sorted(set_aside.items(), key=lambda item: (-item[1], item[0]))
    reasons = listed([f"{n} {reason}" for reason, n in by_number], most=3)
    text = f"{start} {count(total, 'file was', 'files were')} set aside: {reasons}."
    return Sentence(text, "fact", n_images, "rejected")


def labels(n_images: int, n_labelled: int, n_classes: int) -> Sentence:
    """Say how many of the images have labels, and of how many classes."""
    classes = count(n_classes, "class", "classes")
    if not n_labelled:
        text = "There are no labels, so nothing on this page was checked with labels."
        return Sentence(text, "none", 0, "manifest")
    if n_labelled < n_images:
        has = "has" if n_labelled == 1 else "have"
        return Sentence(
            f"{n_labelled} of {n_images} images {has} a label, of {classes}.", "fact", n_labelled, "manifest"
        )
    return Sentence(f"Every image has a label, of {classes}.", "fact", n_labelled, "manifest")


def number_of_groups(k: int, chosen: str, criteria: int | None, asked: bool) -> Sentence:
    """Say how many groups there may be.

    Parameters
    ----------
    k : number of groups of the consensus.
    chosen : how the consensus chose this number: `given`, `of the cells` or `lifetime` (see `consensus.consensus`).
    criteria : the k on which the criteria of a choose_k figure agree, or None.
    asked : whether the study has such a figure.
    """
    if asked and criteria:
        same = "as the consensus has" if criteria == k else f"not on the {k} of the consensus: try {criteria}"
        return Sentence(
            f"Several criteria agree on {count(criteria, 'group')}, {same}.", "strong", criteria, "choose_k"
        )
    if asked:
        text = f"The criteria do not agree on a number of groups: {k} is a choice, not a finding."
        return Sentence(text, "none", k, "choose_k")
    if chosen == "lifetime":
        text = f"{count(k, 'group')} persist over the widest range of heights of the consensus tree."
        return Sentence(text, "weak", k, "consensus")
    text = f"The cells were asked for {count(k, 'group')}; this study does not say whether that is right."
    return Sentence(text, "none", k, "consensus")


def survival(verdict: str, agreement: float, n_cells: int, n_images: int, n_kept: int) -> Sentence:
    """Say whether the groups survive the choices.

    Parameters
    ----------
    verdict : how far cells can be trusted, as in `consensus.trust.Trust`, or `few` if there are too few images.
    agreement : mean agreement of the most trusted cell.
    n_cells, n_images : numbers of cells and of images.
    n_kept : number of images whose group in the consensus has more than half of the votes of the cells.
    """
    if n_cells < 2:
        text = "The study has one cell: no choice was varied, so it is not known what survives."
        return Sentence(text, "none", None, "consensus")
    share = n_kept / n_images
    if verdict == "few":
        text = "There are too few images to tell what survives: cells agree on so few by chance."
        return Sentence(text, "none", share, "consensus")
    if verdict == "nothing":
        text = f"Nothing survives the choices: the {n_cells} cells agree no better than chance."
        return Sentence(text, "none", share, "consensus")
    start = f"{n_kept} of {n_images} images ({percent(share)}) keep their group in most votes of the {n_cells} cells"
    if verdict == "agree" and share >= MOST_IMAGES:
        strength = _strength_of(verdict, agreement)
        return Sentence(f"The groups survive the choices: {start}.", strength, share, "consensus")
    return Sentence(f"The groups survive in part: {start}.", "weak", share, "consensus")


def _strength_of(verdict: str, agreement: float) -> Strength:
    """Return how strong the evidence is that the agreement of the most trusted cell gives."""
    return "strong" if verdict == "agree" and agreement >= STRONG_AGREEMENT else "weak"


def fragile(
    verdict: str, agreement: float, n_cells: int, n_images: int, n_fragile: int, mover: tuple[str, int] | None
) -> Sentence:
    """Say how many images lie between two groups, so that their group depends on the choices.

    Parameters
    ----------
    verdict : how far cells can be trusted, as in `consensus.trust.Trust`, or `few` if there are too few images.
    agreement : mean agreement of the most trusted cell.
    n_cells, n_images, n_fragile : numbers of cells, of images, and of images between two groups.
    mover : the choice (in words) that alone moves the most of these images from one group to the other, and how many;
        None if no choice moves any.
    """
    if n_cells < 2:
        return Sentence("With one cell no image can change its group.", "none", None, "consensus")
    if verdict in NO_ANSWER:
        why = "There are too few images" if verdict == "few" else "No cells agree"
        text = f"{why}, so it is not known which images are safe."
        return Sentence(text, "none", None, "consensus")
    strength = _strength_of(verdict, agreement)
    if not n_fragile:
        return Sentence("No image lies between two groups.", strength, 0, "consensus")
    lie = "lies" if n_fragile == 1 else "lie"
    by = f"; the {mover[0]} alone moves {mover[1]} of them from one to the other" if mover else ""
    text = f"{count(n_fragile, 'image')} ({percent(n_fragile / n_images)}) {lie} between two groups{by}."
    return Sentence(text, strength, n_fragile, "consensus")


class Effect(NamedTuple):
    """The effect of a choice: its name in words, the share of the disagreement that it explains, the p-value, the ARI
    that is lost if only this choice is changed, and the lowest p-value that is possible with the study's cells."""

    name: str
    share: float
    p: float
    lost: float
    least_p: float

    @property
    def sure(self) -> bool:
        """Return whether chance does not explain the effect."""
        return self.p < SURE

    @property
    def testable(self) -> bool:
        """Return whether there are enough cells to tell the effect from chance."""
        return self.least_p < SURE


def choice_that_matters(verdict: str, effects: Sequence[Effect]) -> Sentence:
    """Say which choice the result depends on most."""
    table = "partition_effects"
    if not effects:
        return Sentence("The study varies no choice, so none can matter.", "none", None, table)
    if verdict == "few":
        return Sentence("There are too few images to tell which choice matters.", "none", None, table)
    if all(isnan(effect.share) for effect in effects):
        return Sentence("All cells have the same partition: no choice matters.", "strong", 0.0, table)
    first = max(effects, key=lambda effect: (effect.sure, effect.share))
    most = f"largest: {first.name}, {percent(first.share)}"
    if not first.testable:
        text = f"There are too few cells to tell which choice matters ({most})."
        return Sentence(text, "none", first.share, table)
    if not first.sure:
        text = f"No choice explains more of the disagreement than chance does ({most}, p = {first.p:.2f})."
        return Sentence(text, "none", first.share, table)
    text = f"The {first.name} matters most: it explains {percent(first.share)} of the disagreement between cells"
    text += f", and a change of it alone costs {first.lost:.2f} of ARI." if first.lost >= 0.005 else "."
    if chance := [effect.name for effect in effects if effect.testable and not effect.sure]:
        text += f" No more than chance: {listed(chance, most=3)}."
    if unknown := [effect.name for effect in effects if not effect.testable]:
        text += f" Too few cells to judge: {listed(unknown, most=3)}."
    return Sentence(text, "strong" if first.share >= NOTABLE else "weak", first.share, table)


def cell_to_trust(
    verdict: str, name: str, agreement: float, chance: float, first: float, rivals: int, equal: int, n_cells: int
) -> Sentence:
    """Say which cell to trust without labels.

    Parameters
    ----------
    verdict : how far cells can be trusted, as in `consensus.trust.Trust`, or `few` if there are too few images.
    name, agreement : name of the most trusted cell, and its mean agreement with the others (ARI).
    chance : agreement that shuffled partitions reach.
    first : share of the bootstrap samples in which this cell ranks first.
    rivals : number of other cells whose rank interval includes the first place.
    equal : number of other cells with the same agreement.
    n_cells : number of cells.
    """
    if n_cells < 2:
        text = "One cell cannot be compared with others: vary a choice to learn what to trust."
        return Sentence(text, "none", None, "trust")
    if verdict == "few":
        text = (
            f"There are too few images to tell agreement from chance, which reaches {chance:.2f}: "
            "do not trust any cell."
        )
        return Sentence(text, "none", agreement, "trust")
    if verdict == "nothing":
        text = (
            "The choices decide the result: do not trust any cell. "
            f"The best cell agrees with the others by {agreement:.2f} (mean ARI); chance reaches {chance:.2f}."
        )
        return Sentence(text, "none", agreement, "trust")
    if verdict == "weak":
        text = (
            f"The choices decide the result more than the images do. If you have to take one cell, take {name}, but it "
            f"agrees with the others by {agreement:.2f} only (mean ARI)."
        )
        return Sentence(text, "weak", agreement, "trust")
    if equal == n_cells - 1:
        strength = _strength_of(verdict, agreement)
        text = f"All {n_cells} cells agree equally with each other (mean ARI {agreement:.2f}): trust any of them."
        return Sentence(text, strength, agreement, "trust")
    alone = first >= LEADS or rivals < 1
    name += f", or {count(equal, 'other cell')} that {'agrees' if equal == 1 else 'agree'} as much" if equal else ""
    text = f"Trust {name}: it agrees most with the other cells (mean ARI {agreement:.2f})"
    text += f", first in {percent(first)} of samples"
    text += "." if alone else f"; {count(rivals, 'other cell')} may be as good."
    return Sentence(text, "strong" if alone and agreement >= STRONG_AGREEMENT else "weak", agreement, "trust")


def checked_by_labels(n_images: int, n_labelled: int, ari: float, best: float, median: float) -> Sentence:
    """Say the ARI of the trusted cell with the labels, and beside it the highest and the median ARI of all cells."""
    of = "the labels" if n_labelled == n_images else f"the {count(n_labelled, 'label')} at hand"
    text = f"Against {of} it has ARI {ari:.2f}; the best cell has {best:.2f}, the median cell {median:.2f}."
    if n_labelled < ENOUGH_LABELS:
        return Sentence(f"{text} So few labels show little.", "weak", ari, "trust")
    return Sentence(text, "strong" if ari >= median else "weak", ari, "trust")


def labels_of_one_class(n_labels: int) -> Sentence:
    """Say that labels of one class cannot check the cells."""
    return Sentence(f"{count(n_labels, 'label')} of one class cannot check the cells.", "none", n_labels, "manifest")


def settled_by_labels(name: str, probability: float, n_labels: int, needed: int | None, n_unlabelled: int) -> Sentence:
    """Say which cell the labels favour, and how many more labels would decide.

    `needed` is the number of further labels: 0 if more labels would hardly change the answer, and None if this number
    cannot be estimated. `n_unlabelled` images have no label yet. The probability also counts the agreement of the
    cells, which may outweigh few labels.
    """
    start = f"With {count(n_labels, 'label')}, {name} is the best cell with probability {probability:.2f}"
    if needed == 0 and n_labels < ENOUGH_LABELS:
        text = f"{start}; this counts the agreement of the cells too, and so few labels show little."
        return Sentence(text, "weak", probability, "trust")
    if needed == 0:
        text = f"{start}; cells of its opinion lead, and more labels would hardly change that."
        return Sentence(text, "strong", probability, "trust")
    if needed is None:
        return Sentence(f"{start}; these labels do not decide which cell is best.", "weak", probability, "trust")
    more = f"about {count(needed, 'more label')} would decide"
    if needed > n_unlabelled:
        more = f"labels of the {count(n_unlabelled, 'other image')} would hardly decide"
    return Sentence(f"{start}; {more}.", "weak", probability, "trust")


def curve(metric: str | None, n_cells: int, low: float, median: float, high: float, n_labels: int | None) -> Sentence:
    """Say in which range the scores of the cells are.

    `metric` is the name of the score, or None if there is only one cell. `low`, `median` and `high` are the lowest, the
    median and the highest score of all cells. `n_labels` is the number of labels that the score rests on; None if it
    needs none, or if every image has one.
    """
    table = "specification_curve"
    if metric is None:
        return Sentence("The study has one cell, so there is no curve: vary a choice.", "none", None, table)
    if isnan(median):
        return Sentence("Not every cell has a value of this metric.", "none", None, table)
    by = f", by {count(n_labels, 'label')}" if n_labels else ""
    text = f"{metric} of {n_cells} cells{by}: {low:.2f} to {high:.2f}, median {median:.2f}."
    return Sentence(text, "fact", median, table)


def restarts(n_cells: int, n_enough: int, n_alike: int, unit: str, n_runs: int) -> Sentence:
    """Say whether every cell had enough restarts.

    Parameters
    ----------
    n_cells, n_enough : number of cells, and of those that had enough.
    n_alike : number of the other cells whose runs all reach the best optimum or an equal one; these runs are too few to
        be sure.
    unit : `restart` or `repeat`.
    n_runs : largest number of restarts, or of repeats, that a cell stores.
    """
    table = "restarts_enough"
    if not n_cells:
        text = "It is not known whether there were enough restarts: no cell stores several runs with an inertia."
        return Sentence(text, "none", None, table)
    share = n_enough / n_cells
    runs = count(n_runs, unit)
    if n_enough == n_cells:
        return Sentence(f"{runs} reach the best optimum, or an equal one, in every cell.", "strong", share, table)
    n_missed, of = n_cells - n_enough - n_alike, f"of {count(n_cells, 'cell')}"
    missed = f"in {n_missed} {of}, {runs} may miss the best optimum and all equal ones" if n_missed else ""
    alike = f"in {n_alike} {of}, {runs} agree, but they are too few to be sure" if n_alike else ""
    text = "; ".join(filter(None, [missed, alike]))
    return Sentence(f"{text[0].upper()}{text[1:]}.", "weak" if n_enough else "none", share, table)


def confounders(verdict: str, facts: Sequence[tuple[str, float, float]], n_images: int, n_labelled: int) -> Sentence:
    """Say which facts about the images are associated with the groups.

    `facts` has for each fact its name, the strength of the association (0 to 1), and the corrected p-value.
    `n_labelled` of `n_images` images have labels; only images with the same label, or without one, were compared.
    """
    table = "nuisances"
    if verdict == "few":
        return Sentence("There are too few images to tell what goes with the groups.", "none", None, table)
    if not facts:
        text = "No known fact about the images varies, so none can go with the groups."
        return Sentence(text, "none", None, table)
    of = "labels" if n_labelled == n_images else f"labels of {n_labelled} of {n_images} images"
    beyond = f" beyond what the {of} explain" if n_labelled else ""
    sure = sorted([fact for fact in facts if fact[2] < SURE], key=lambda fact: -fact[1])
    if not sure:
        name, strength, p = max(facts, key=lambda fact: fact[1])
        known = f"None of {len(facts)} known facts about the images"
        if strength < NOTABLE:
            sure_of_none: Strength = "strong" if verdict == "agree" and n_images >= ENOUGH_IMAGES else "weak"
            return Sentence(f"{known} goes with the groups{beyond}.", sure_of_none, 0.0, table)
        text = f"{known} is sure to go with the groups{beyond}, but some may"
        return Sentence(f"{text} (largest: {name}, {percent(strength)}, p = {p:.2f}).", "weak", strength, table)
    names = listed([f"{name} ({percent(strength)})" for name, strength, _ in sure], most=3)
    strongest = sure[0][1]
    if strongest < NOTABLE:
        return Sentence(f"The groups explain only a little of {names}{beyond}.", "weak", strongest, table)
    yours = "" if n_labelled == n_images else "; decide whether they should"
    return Sentence(f"Beware: the groups explain {names}{beyond}{yours}.", "strong", strongest, table)


def perturbations(n_images: int, shares: Sequence[tuple[str, float, float, float]]) -> Sentence:
    """Say whether perturbed images keep their group.

    `shares` has for each perturbation its name in words, the share of images that change their group, and the interval
    of this share (low, high).
    """
    table = "perturbations"
    worst = max(shares, key=lambda share: share[1])
    sure = sorted([share for share in shares if share[2] >= NOTABLE], key=lambda share: -share[1])
    images = count(n_images, "image")
    if sure:
        names = listed([f"{name} ({percent(changed)})" for name, changed, _, _ in sure], most=3)
        return Sentence(f"Beware: of {images} many change their group when {names}.", "strong", worst[1], table)
    most = f"at most {percent(worst[1])} change it, when {worst[0]}" if worst[1] else "none changes it"
    if max(high for *_, high in shares) < NOTABLE:
        text = f"{images} keep their group in all {len(shares)} kinds of perturbed versions: {most}."
        return Sentence(text, "strong", worst[1], table)
    text = f"{images} mostly seem to keep their group when perturbed, but they are too few to be sure: {most}."
    return Sentence(text, "weak", worst[1], table)


@dataclass(frozen=True)
class State:
    """The numbers that the next steps depend on.

    A fragile image lies between two groups; `shown` is the largest number of fragile images that the page shows.
    `choice` is the choice that matters most, in words, or None. `more` is the setting that says how often k-means is
    run and should be raised, or None.
    """

    verdict: str
    n_cells: int
    n_images: int
    n_labelled: int
    n_groups: int
    n_fragile: int
    shown: int
    choice: str | None
    asked_for_k: bool
    more: str | None
    turning_matters: bool = False


RAISED = {
    "n_init": "in some cells more restarts may find a better optimum",
    "repeats": "those of a cell agree, but are too few to be sure that no better optimum exists",
}
"""Reasons to raise a setting of k-means."""
_Step = tuple[str, str, float | None]
"""What to do, and the table and the number that say why."""


def next_steps(study: State) -> list[Sentence]:
    """Say what to do next; the most useful step comes first."""
    agree = study.n_cells > 1 and study.verdict not in NO_ANSWER
    steps: list[_Step] = []
    if not agree:
        steps.append(_get_an_answer(study))
    elif study.n_fragile:
        steps.append(_look_at_fragile(study))
    if agree and study.n_labelled < study.n_images:
        what = f"Label the most typical image of each of the {count(study.n_groups, 'group')}: this names the groups."
        steps.append((what, "consensus", study.n_groups))
    if agree and study.choice:
        what = f"Try more values of the {study.choice}: the result depends on this choice most."
        steps.append((what, "partition_effects", None))
    if study.turning_matters:
        what = (
            "Try a backbone with orbit: true: its features do not depend on rotation, but the groups of this study do."
        )
        steps.append((what, "perturbations", None))
    if study.more:
        steps.append((f"Raise {study.more}: {RAISED[study.more]}.", "restarts_enough", None))
    if not study.asked_for_k:
        what = "Add a figure {kind: choose_k}: this study does not ask how many groups there are."
        steps.append((what, "consensus", study.n_groups))
    return [Sentence(text, "fact", number, table) for text, table, number in steps]


def _get_an_answer(study: State) -> _Step:
    """Return what to do if the cells find no common groups, or if this cannot be known."""
    if study.verdict == "few":
        return "Add images: these are too few for any answer.", "manifest", study.n_images
    if study.n_cells < 2:
        what = "Vary a choice (preprocessing, layer, number of components): one cell alone cannot be judged."
        return what, "trust", study.n_cells
    what = "Try another backbone or preprocessing: with those of this study, the cells find no common groups."
    return what, "trust", None


def _look_at_fragile(study: State) -> _Step:
    now = min(study.n_fragile, study.shown)
    them = "this image, which lies" if now == 1 else f"these {now} images, which lie"
    rest = f"; {study.n_fragile - now} more are in the table" if study.n_fragile > now else ""
    return f"Look at {them} between two groups{rest}.", "consensus", study.n_fragile
