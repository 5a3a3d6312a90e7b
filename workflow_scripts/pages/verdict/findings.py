"""Turn the tables of a study into the sections of its verdict, the page that says what the study found. A section has a
question, sentences that answer it, and images to show."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workflow_scripts.consensus.few_labels import best_cell
from workflow_scripts.grid.axes import AXES, SWITCHES
from workflow_scripts.grid.cells import word
from workflow_scripts.pages.answers.page import Section, Sentence, Shown
from workflow_scripts.pages.verdict import sentences
from workflow_scripts.pages.verdict.study import VerdictTables, choice_in_words
from workflow_scripts.scores import METRICS
from workflow_scripts.wording import count, percent

KEPT = 0.5
"""Share of the votes; an image keeps its group if the group has more."""

PERTURBED = {
    "rotate": "rotated by {:g}°",
    "flip": "flipped",
    "brighten": "brightened by {:g} %",
    "darken": "darkened by {:g} %",
    "blur": "blurred by {:g} % of the side",
    "jpeg": "compressed to JPEG quality {:g}",
    "crop": "cropped to {:g} % of the side",
}
"""Texts for perturbations in a sentence, to stand after "when"."""
TURNED = ("rotate", "flip")


def sections(study: VerdictTables, shown: int, per_group: int) -> list[Section]:
    """Return the sections of the page, with at most `shown` fragile images, and at most `per_group` typical images of
    each group.

    An image is fragile if it lies between two groups (`verdict.study.BETWEEN`).
    """
    restarts, more = _restarts(study)
    matters = sentences.choice_that_matters(study.verdict, study.effects)
    next_steps = sentences.next_steps(_state(study, shown, more))
    return [
        Section("images", "Which images are these?", _images(study)),
        _groups(study, per_group),
        Section("survives", "What survives every choice?", [_survival(study)], _kind(study, "choice_map")),
        Section("trust", "Which cell is to be trusted?", _trust(study), _kind(study, "trust")),
        Section("choice", "Which choice matters?", [matters], _kind(study, "partition_effects")),
        Section("curve", "What does every cell score?", [_curve(study)], _kind(study, "specification_curve")),
        Section("restarts", "Were there enough restarts?", [restarts], _kind(study, "restarts_enough")),
        Section("confounders", "Did it cluster the microscope?", [_confounders(study)], _kind(study, "nuisances")),
        *_perturbations(study),
        _fragile(study, shown),
        Section("next", "What to do next?", next_steps),
    ]


def _state(study: VerdictTables, shown: int, more: str | None) -> sentences.State:
    """Return the facts from which the section "What to do next?" is written.

    `shown` is the largest number of fragile images on the page, and `more` the setting to raise so that there are
    enough restarts, if any.
    """
    return sentences.State(
        verdict=study.verdict,
        n_cells=study.n_cells,
        n_images=len(study.manifest),
        n_labelled=study.n_labelled,
        n_groups=study.n_groups,
        n_fragile=len(study.fragile),
        shown=shown,
        choice=_strongest(study),
        asked_for_k="choose_k" in study.tables,
        more=more,
        turning_matters=_turning_matters(study),
    )


def five_lines(made: Sequence[Section]) -> list[Sentence]:
    """Return the five most important sentences of the page.

    They are the first answers of the sections about the cell to trust, what survives, the choice that matters,
    confounders, and the next step. If one of these is missing, the section about the groups takes its place.
    """
    first = {section.key: section.answers[0] for section in made if section.answers}
    keys = [key for key in ("trust", "survives", "choice", "confounders", "next", "groups") if key in first]
    return [first[key] for key in keys][:5]


def _kind(study: VerdictTables, kind: str) -> str | None:
    return kind if kind in study.tables else None


def _images(study: VerdictTables) -> list[Sentence]:
    reasons = {str(reason): int(n) for reason, n in study.rejected["reason"].value_counts().items()}
    n_classes = study.manifest["label"].nunique()
    return [
        sentences.images(len(study.manifest), reasons),
        sentences.labels(len(study.manifest), study.n_labelled, n_classes),
    ]


def _groups(study: VerdictTables, per_group: int) -> Section:
    """Return the section about the number of groups, with typical images of each."""
    figure, table = _kind(study, "choose_k"), study.table("choose_k")
    agreed = table["standing_out"].iloc[0] if len(table) else np.nan
    criteria = None if pd.isna(agreed) else int(agreed)
    sentence = sentences.number_of_groups(study.n_groups, study.chosen_k, criteria, figure is not None)
    return Section("groups", "How many groups are there?", [sentence], figure, _typical(study, per_group))


def _survival(study: VerdictTables) -> Sentence:
    kept = int((study.consensus["agreement"] > KEPT).sum())
    return sentences.survival(study.verdict, study.agreement, study.n_cells, len(study.manifest), kept)


def _says_nothing(study: VerdictTables) -> bool:
    return study.n_cells < 2 or study.verdict in sentences.NO_ANSWER


def _typical(study: VerdictTables, per_group: int) -> dict[str, list[Shown]]:
    """Return for each group the `per_group` images with the highest agreement, by a heading that names the group.

    If there are several cells and they do not agree, the result is {}.
    """
    if study.n_cells > 1 and _says_nothing(study):
        return {}
    table = study.consensus.sort_values(["agreement", "path"], ascending=[False, True], kind="stable")
    return {
        f"Group {group}: {count(len(members), 'image')}{_mostly(members['label'])}": [
            Shown(row.image_id, f"{row.path}, with its group in {percent(row.agreement)} of the votes")
            for row in members.head(per_group).itertuples()
        ]
        for group, members in table.groupby("group")
    }


def _mostly(labels: pd.Series) -> str:
    counts = labels.value_counts()
    if counts.empty:
        return ""
    counts = counts[counts == counts.max()].sort_index()
    return f", labelled {counts.index[0]}: {counts.iloc[0]} of {labels.notna().sum()}"


def _trust(study: VerdictTables) -> list[Sentence]:
    table = study.table("trust")
    if table.empty:
        return [sentences.cell_to_trust("nothing", "", 0, 0, 0, 0, 0, 1)]
    first = table.iloc[0]
    rivals = int((table["rank_low"].iloc[1:] < 2).sum())
    equal = int((table["rank"].iloc[1:] == 1).sum())
    numbers = (first["agreement"], first["chance"], first["first"], rivals, equal, len(table))
    answers = [sentences.cell_to_trust(study.verdict, first["name"], *numbers)]
    n_labelled = int(first["n_labels"])
    if n_labelled and study.manifest["label"].nunique() < 2:
        return [*answers, sentences.labels_of_one_class(n_labelled)]
    if n_labelled and pd.notna(first["ari"]):  # it is null if the cell calls all labelled images noise
        aris = [first["ari"], table["ari"].max(), table["ari"].median()]
        answers.append(sentences.checked_by_labels(len(study.manifest), n_labelled, *map(float, aris)))
    if 0 < n_labelled < len(study.manifest):
        best = table.iloc[best_cell(table["probability"].to_numpy(), table["opinion"].to_numpy())]
        needed = None if pd.isna(best["labels_needed"]) else int(best["labels_needed"])
        favoured = (best["name"], float(best["probability"]))
        answers.append(sentences.settled_by_labels(*favoured, n_labelled, needed, len(study.manifest) - n_labelled))
    return answers


def _strongest(study: VerdictTables) -> str | None:
    sure = [effect for effect in study.effects if effect.sure]
    return max(sure, key=lambda effect: effect.share).name if sure else None


def _curve(study: VerdictTables) -> Sentence:
    table = study.table("specification_curve")
    if table.empty:
        return sentences.curve(None, 0, 0, 0, 0, None)
    values = table["value"]
    metric = METRICS.get(table["metric"].iloc[0])
    some = metric is not None and metric.needs_labels and study.n_labelled < len(study.manifest)
    range_of = (values.min(), values.median(), values.max())
    return sentences.curve(table["metric_name"].iloc[0], len(table), *range_of, study.n_labelled if some else None)


def _restarts(study: VerdictTables) -> tuple[Sentence, str | None]:
    """Return the sentence about restarts, and the setting to raise; None if there were enough, or if that is not
    known."""
    table = study.table("restarts_enough")
    if table.empty:
        return sentences.restarts(0, 0, 0, "restart", 0), None
    cells = table.drop_duplicates("series")  # the rows with n = 1
    enough = (cells["enough_equal"] <= cells["n_runs"]).fillna(False)
    alike = ~enough & (cells["equal"] == 1)
    unit, n_runs = str(cells["unit"].iloc[0]), int(cells["n_runs"].max())
    sentence = sentences.restarts(len(cells), int(enough.sum()), int(alike.sum()), unit, n_runs)
    if enough.all():
        return sentence, None
    return sentence, "repeats" if unit == "repeat" and (enough | alike).all() else "n_init"


def _confounders(study: VerdictTables) -> Sentence:
    table = study.table("nuisances")
    facts = [(str(row.fact), float(row.strength), float(row.p_holm)) for row in table.itertuples()]
    return sentences.confounders(study.verdict, facts, len(study.manifest), study.n_labelled)


def _perturbations(study: VerdictTables) -> list[Section]:
    """Return a list with the section about perturbations; an empty list if the study has no figure of perturbations.

    The section states one strength of each kind of perturbation: the one at which most images change their group.
    """
    changed = _perturbed(study)
    if changed.empty:
        return []
    worst = changed.sort_values("changed", kind="stable").groupby("perturbation", sort=False).tail(1)
    shares = [
        (_perturbation(row.perturbation, row.strength), row.changed, row.low, row.high) for row in worst.itertuples()
    ]
    sentence = sentences.perturbations(int(changed["n"].iloc[0]), shares)
    return [Section("perturbations", "Do turned and blurred images keep their group?", [sentence], "perturbations")]


def _perturbation(name: str, strength: float) -> str:
    return PERTURBED["darken" if name == "brighten" and strength < 0 else name].format(abs(strength))


def _perturbed(study: VerdictTables) -> pd.DataFrame:
    """Return the share of all images that change their group, for each perturbation and strength."""
    table = study.table("perturbations")
    return table[table["label"].isna()] if len(table) else table


def _turning_matters(study: VerdictTables) -> bool:
    table = _perturbed(study)
    return len(table) > 0 and bool((table["perturbation"].isin(TURNED) & (table["low"] >= sentences.NOTABLE)).any())


def _fragile(study: VerdictTables, shown: int) -> Section:
    """Return the section about the images between two groups. The page shows the first `shown` of them, if the cells
    agree."""
    table = study.fragile
    moved = table.loc[table["flips"], "choice"].value_counts(sort=False).sort_index()
    mover = (choice_in_words(str(moved.idxmax())), int(moved.max())) if len(moved) else None
    sentence = sentences.fragile(study.verdict, study.agreement, study.n_cells, len(study.manifest), len(table), mover)
    images = {} if _says_nothing(study) else {"Between two groups": _fragile_images(table.head(shown))}
    return Section("fragile", "Which images do not survive?", [sentence], None, images)


def _fragile_images(fragile: pd.DataFrame) -> list[Shown]:
    shown = []
    for image in fragile.to_dict("records"):
        lines = (_between(image), *_moved_by(image))
        shown.append(Shown(image["image_id"], f"{image['path']}: group {'; '.join(lines)}", lines))
    return shown


def _between(image: Mapping[str, Any]) -> str:
    """Return the two groups that an image lies between, with their shares of the votes, as text."""
    own, second = percent(image["agreement"]), percent(image["second_agreement"])
    return f"{image['group']} ({own}) or {int(image['second'])} ({second})"


def _moved_by(image: Mapping[str, Any]) -> list[str]:
    """Return a list with one text: which choice moves an image to its second group, or towards it.

    The second group is the other group that the image is most often together with. The list is empty if no choice moves
    the image.
    """
    if pd.isna(image["choice"]):
        return []
    to = "to" if image["flips"] else "towards"
    return [f"{_level(image['choice'], image['level'])} moves it {to} {int(image['second'])}"]


def _level(axis: str, level: str) -> str:
    """Return a choice and its value in words, such as `preprocessing clahe`, `not whitened` or `all components`.

    `level` is the value as text, as in `consensus.study.StudyConsensus`.
    """
    if AXES[axis].kind == SWITCHES:
        return word(axis, level == "True")
    if level == AXES[axis].words.get(None):
        return level
    return f"{choice_in_words(axis)} {level}"
