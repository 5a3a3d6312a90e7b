"""The sentences of the verdict and their strength of evidence."""

import pytest

from workflow_scripts.pages.verdict import sentences as say


def effect(name, share, p, lost=0.0, least_p=0.001):
    return say.Effect(name, share, p, lost, least_p)


def trusted(verdict="agree", agreement=0.7, first=0.9, rivals=0, n_cells=24, equal=0):
    return say.cell_to_trust(verdict, "plain, fire9_avg", agreement, 0.02, first, rivals, equal, n_cells)


def test_no_cell_is_named_before_others_that_agree_as_much():
    every = trusted(agreement=1.0, first=1.0, rivals=3, n_cells=4, equal=3)
    assert every.text == "All 4 cells agree equally with each other (mean ARI 1.00): trust any of them."
    assert every.strength == "strong"
    some = trusted(first=1.0, rivals=2, equal=1)
    assert some.text.startswith("Trust plain, fire9_avg, or 1 other cell that agrees as much: it agrees most")


def test_a_cell_that_leads_is_named_with_its_agreement():
    sentence = trusted()
    assert sentence.strength == "strong"
    assert sentence.number == 0.7
    assert (
        sentence.text
        == "Trust plain, fire9_avg: it agrees most with the other cells (mean ARI 0.70), first in 90 % of samples."
    )


def test_a_cell_with_rivals_is_weak_evidence_and_they_are_counted():
    sentence = trusted(first=0.3, rivals=2)
    assert sentence.strength == "weak"
    assert "; 2 other cells may be as good." in sentence.text


def test_cells_that_agree_weakly_name_a_cell_with_a_reserve():
    sentence = trusted("weak", 0.2)
    assert sentence.strength == "weak"
    assert sentence.text.startswith("The choices decide the result more than the images do.")
    assert "0.20 only" in sentence.text


def test_where_cells_agree_on_nothing_no_cell_is_named():
    sentence = trusted("nothing", 0.01)
    assert sentence.strength == "none"
    assert sentence.text.startswith("The choices decide the result: do not trust any cell.")
    assert "plain" not in sentence.text


def test_so_few_images_that_chance_agrees_say_so():
    sentence = say.cell_to_trust("few", "plain", 1.0, 1.0, 1.0, 0, 0, 6)
    assert sentence.text.startswith("There are too few images to tell agreement from chance")
    assert sentence.strength == "none"


def test_one_cell_is_not_trusted_nor_blamed():
    assert trusted("nothing", n_cells=1).strength == "none"
    assert "cannot be compared" in trusted("nothing", n_cells=1).text


@pytest.mark.parametrize(
    ("verdict", "kept", "strength", "begins"),
    [
        ("agree", 90, "strong", "The groups survive the choices: 90 of 100 images (90 %)"),
        ("agree", 50, "weak", "The groups survive in part"),
        ("weak", 100, "weak", "The groups survive in part"),
        ("nothing", 100, "none", "Nothing survives"),
        ("few", 100, "none", "There are too few images to tell what survives"),
    ],
)
def test_what_survives_depends_on_agreement_and_on_the_share(verdict, kept, strength, begins):
    sentence = say.survival(verdict, 0.7, 24, 100, kept)
    assert sentence.strength == strength
    assert sentence.text.startswith(begins)


def test_groups_of_cells_that_agree_less_survive_with_weak_evidence():
    assert say.survival("agree", 0.56, 24, 100, 100).strength == "weak"


def test_labels_none_some_and_all():
    assert say.labels(10, 0, 0).text == "There are no labels, so nothing on this page was checked with labels."
    assert say.labels(10, 1, 1).text == "1 of 10 images has a label, of 1 class."
    assert say.labels(10, 10, 60).text == "Every image has a label, of 60 classes."


def test_set_aside_files_are_counted_by_reason_the_most_first():
    sentence = say.images(1, {"duplicate": 2, "not an image": 5, "empty": 2, "corrupt": 1})
    assert sentence.text.endswith("10 files were set aside: 5 not an image, 2 duplicate, 2 empty and 1 more.")
    assert sentence.table == "rejected"
    assert say.images(2, {}).text == "2 images are in the study. No file was set aside."


def test_the_choice_that_matters_is_the_strongest_that_chance_does_not_explain():
    layer, whitening = effect("layer", 0.5, 0.4, 0.3), effect("whitening", 0.2, 0.001, 0.07)
    sentence = say.choice_that_matters("agree", [layer, whitening])
    assert sentence.text == (
        "The whitening matters most: it explains 20 % of the disagreement between cells, "
        "and a change of it alone costs 0.07 of ARI. No more than chance: layer."
    )
    assert sentence.strength == "strong"
    assert say.choice_that_matters("agree", [effect("layer", 0.02, 0.001)]).strength == "weak"


def test_a_choice_that_too_few_cells_vary_is_not_said_to_be_chance():
    layer, whitening = effect("layer", 0.5, 0.25, least_p=0.125), effect("whitening", 0.2, 0.001)
    sentence = say.choice_that_matters("agree", [layer])
    assert sentence.text == "There are too few cells to tell which choice matters (largest: layer, 50 %)."
    assert sentence.strength == "none"
    both = say.choice_that_matters("agree", [layer, whitening]).text
    assert both.endswith("between cells. Too few cells to judge: layer.")


def test_without_an_effect_no_choice_is_blamed():
    sentence = say.choice_that_matters("agree", [effect("layer", 0.5, 0.4, 0.3)])
    assert sentence.strength == "none"
    assert sentence.text.startswith("No choice explains more of the disagreement than chance does")
    same = say.choice_that_matters("agree", [effect("layer", float("nan"), 1.0)])
    assert same.text == "All cells have the same partition: no choice matters."
    assert say.choice_that_matters("agree", []).text == "The study varies no choice, so none can matter."


def test_confounders_strong_traces_none_and_unknown():
    facts = [("brightness", 0.4, 0.01), ("format", 0.3, 0.2), ("width", 0.02, 0.03)]
    assert say.confounders("agree", facts, 90, 90).text == (
        "Beware: the groups explain brightness (40 %) and width (2 %) beyond what the labels explain."
    )
    assert say.confounders("agree", facts, 90, 0).text.endswith("; decide whether they should.")
    assert say.confounders("agree", facts[2:], 90, 90).strength == "weak"
    clean = say.confounders("agree", [("format", 0.03, 0.2)], 200, 0)
    assert clean.strength == "strong"
    assert say.confounders("agree", [("format", 0.03, 0.2)], 12, 0).strength == "weak"
    assert clean.text == "None of 1 known facts about the images goes with the groups."
    assert clean.number == 0
    assert say.confounders("agree", [], 90, 0).strength == "none"


def test_a_few_labels_explain_little_of_what_goes_with_the_groups():
    few = say.confounders("agree", [("brightness", 0.4, 0.01)], 48, 4)
    assert few.text == (
        "Beware: the groups explain brightness (40 %) beyond what the labels of 4 of 48 images explain; "
        "decide whether they should."
    )


def test_a_large_association_of_few_images_is_neither_found_nor_excluded():
    unsure = say.confounders("agree", [("format", 0.3, 0.2), ("width", 0.0, 1.0)], 12, 0)
    assert unsure.text == (
        "None of 2 known facts about the images is sure to go with the groups, but some may "
        "(largest: format, 30 %, p = 0.20)."
    )
    assert unsure.strength == "weak"


def test_perturbations_strong_weak_and_harmless():
    blurred, turned = ("blurred", 0.02, 0.01, 0.05), ("rotated by 90°", 0.42, 0.35, 0.5)
    beware = say.perturbations(200, [blurred, turned, ("flipped", 0.2, 0.12, 0.3)])
    assert beware.text == (
        "Beware: of 200 images many change their group when rotated by 90° (42 %) and flipped (20 %)."
    )
    assert (beware.strength, beware.number) == ("strong", 0.42)
    kept = say.perturbations(200, [blurred, ("flipped", 0.0, 0.0, 0.02)])
    assert kept.text == (
        "200 images keep their group in all 2 kinds of perturbed versions: at most 2 % change it, when blurred."
    )
    few = say.perturbations(9, [("flipped", 0.0, 0.0, 0.3)])
    assert few.strength == "weak"
    assert few.text.endswith("too few to be sure: none changes it.")


def test_a_handful_of_labels_says_how_many_more_settle_it():
    assert say.settled_by_labels("a", 0.6, 20, 35, 35).text == (
        "With 20 labels, a is the best cell with probability 0.60; about 35 more labels would decide."
    )
    assert say.settled_by_labels("a", 0.6, 20, 35, 34).text.endswith(
        "labels of the 34 other images would hardly decide."
    )
    assert say.settled_by_labels("a", 0.97, 60, 0, 9).strength == "strong"
    assert "do not decide" in say.settled_by_labels("a", 0.2, 1, None, 9).text


def test_few_labels_are_weak_evidence_whatever_they_say():
    checked = say.checked_by_labels(48, 4, 1.0, 1.0, 1.0)
    assert checked.text.startswith("Against the 4 labels at hand it has ARI 1.00;")
    assert checked.text.endswith("So few labels show little.")
    settled = say.settled_by_labels("a", 0.97, 4, 0, 44)
    assert settled.text.endswith("0.97; this counts the agreement of the cells too, and so few labels show little.")
    assert {checked.strength, settled.strength} == {"weak"}
    assert say.labels_of_one_class(5).text == "5 labels of one class cannot check the cells."


def test_a_pick_below_the_median_is_weak():
    assert say.checked_by_labels(90, 90, 0.1, 0.5, 0.2).strength == "weak"
    good = say.checked_by_labels(90, 90, 0.4, 0.5, 0.2)
    assert good.text == "Against the labels it has ARI 0.40; the best cell has 0.50, the median cell 0.20."
    assert good.strength == "strong"


def test_a_score_says_how_many_labels_it_rests_on():
    assert say.curve("ARI", 8, 0.1, 0.2, 0.3, 4).text == "ARI of 8 cells, by 4 labels: 0.10 to 0.30, median 0.20."
    assert say.curve("ARI", 8, 0.1, 0.2, 0.3, None).text == "ARI of 8 cells: 0.10 to 0.30, median 0.20."


@pytest.mark.parametrize(
    ("chosen", "criteria", "asked", "strength"),
    [("of the cells", None, False, "none"), ("lifetime", None, False, "weak"), ("given", None, True, "none"),
     ("given", 4, True, "strong"), ("given", 5, True, "strong")],
)  # fmt: skip
def test_the_number_of_groups_is_a_finding_only_where_criteria_agree(chosen, criteria, asked, strength):
    assert say.number_of_groups(4, chosen, criteria, asked).strength == strength


def test_criteria_that_disagree_with_the_consensus_say_what_to_try():
    assert say.number_of_groups(4, "given", 5, True).text.endswith("not on the 4 of the consensus: try 5.")


def test_restarts_enough_not_enough_and_unknown():
    assert say.restarts(4, 4, 0, "repeat", 10).strength == "strong"
    assert say.restarts(4, 1, 0, "repeat", 10).text.startswith("In 3 of 4 cells, 10 repeats may miss")
    assert say.restarts(4, 0, 0, "restart", 10).strength == "none"
    assert say.restarts(1, 0, 1, "repeat", 3).text.startswith("In 1 of 1 cell, 3 repeats agree")
    assert say.restarts(0, 0, 0, "restart", 0).number is None


def test_repeats_that_agree_are_not_said_to_miss_anything():
    some = say.restarts(8, 0, 2, "repeat", 3)
    assert some.text == (
        "In 6 of 8 cells, 3 repeats may miss the best optimum and all equal ones; "
        "in 2 of 8 cells, 3 repeats agree, but they are too few to be sure."
    )
    assert say.restarts(8, 0, 8, "repeat", 3).text.startswith("In 8 of 8 cells, 3 repeats agree")
    steps = [step.text for step in say.next_steps(state(more="repeats"))]
    assert any(step.startswith("Raise repeats: ") for step in steps)


def test_fragile_images_one_many_none():
    assert say.fragile("agree", 0.7, 9, 100, 1, None).text == "1 image (1 %) lies between two groups."
    moved = say.fragile("weak", 0.1, 9, 100, 7, ("layer", 4)).text
    assert moved.endswith(
        "7 images (7 %) lie between two groups; the layer alone moves 4 of them from one to the other."
    )
    assert say.fragile("agree", 0.7, 9, 100, 0, None).strength == "strong"
    assert say.fragile("agree", 0.3, 9, 100, 7, None).strength == "weak"
    assert say.fragile("nothing", 0.0, 9, 100, 7, ("layer", 4)).number is None


def test_of_too_few_images_nothing_is_claimed():
    said = [
        say.cell_to_trust("few", "a", 1.0, 1.0, 1.0, 0, 0, 4),
        say.survival("few", 1.0, 4, 2, 2),
        say.choice_that_matters("few", [effect("layer", float("nan"), 1.0)]),
        say.confounders("few", [("brightness", 0.0, 1.0)], 2, 0),
        say.fragile("few", 1.0, 4, 2, 0, None),
    ]
    assert {sentence.strength for sentence in said} == {"none"}
    assert say.next_steps(state(verdict="few"))[0].text == "Add images: these are too few for any answer."


def state(**other):
    known = {
        "verdict": "agree",
        "n_cells": 24,
        "n_images": 100,
        "n_labelled": 0,
        "n_groups": 4,
        "n_fragile": 50,
        "shown": 40,
    }
    return say.State(**{**known, "choice": "layer", "asked_for_k": False, "more": "n_init", **other})


def test_next_steps_begin_with_the_images_to_look_at():
    steps = [sentence.text for sentence in say.next_steps(state())]
    assert steps[0] == "Look at these 40 images, which lie between two groups; 10 more are in the table."
    assert steps[1] == "Label the most typical image of each of the 4 groups: this names the groups."
    assert len(steps) == 5
    one = say.next_steps(state(n_fragile=1))[0]
    assert one.text == "Look at this image, which lies between two groups."


def test_next_steps_without_agreement_ask_for_other_features_and_for_no_labels():
    steps = " ".join(sentence.text for sentence in say.next_steps(state(verdict="nothing")))
    assert steps.startswith("Try another backbone or preprocessing")
    assert "Label" not in steps
    assert "Look at" not in steps
    assert say.next_steps(state(n_cells=1))[0].text.startswith("Vary a choice")


def test_nothing_is_left_to_do_where_everything_is_known():
    assert say.next_steps(state(n_labelled=100, n_fragile=0, choice=None, asked_for_k=True, more=None)) == []
