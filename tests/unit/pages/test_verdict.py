"""The verdict of whole studies: what its page says of labels, of none, of noise, of two images and of sixty classes."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from figure_artefacts import artefacts, tabulate
from unit.pages.verdict_studies import CELLS, named, study_of, write_page_of

from workflow_scripts.consensus.study import read_groups
from workflow_scripts.io.tables import write_csv
from workflow_scripts.pages.verdict.findings import five_lines, sections
from workflow_scripts.pages.verdict.page import sentence_table, write_front_page


class Parts(HTMLParser):
    """The page's tags, the text of its data, and every address that it names."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.data, self.addresses, self.inside = [], "", [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        self.inside = ("id", "data") in attributes

    def handle_data(self, data):
        if self.inside:
            self.data += data
        self.inside = False


def texts(study):
    return {section.key: [answer.text for answer in section.answers] for section in sections(study, 40, 8)}


def test_a_study_with_groups_names_a_cell_and_checks_it_by_the_labels(tmp_path):
    said = texts(named(tmp_path, "labelled"))
    assert said["trust"][0].startswith("Trust ")
    assert said["trust"][1].startswith("Against the labels it has ARI ")
    assert said["survives"][0].startswith("The groups survive the choices")
    assert said["images"][0].endswith("2 files were set aside: 1 duplicate and 1 not an image.")


def test_random_partitions_say_trust_none_and_show_no_groups(tmp_path):
    study = named(tmp_path, "random")
    made = sections(study, 40, 8)
    assert five_lines(made)[0].text.startswith("The choices decide the result: do not trust any cell.")
    assert not any(section.images for section in made if section.key == "groups")
    assert "Label" not in " ".join(answer.text for section in made for answer in section.answers)


def test_identical_cells_say_so(tmp_path):
    truth = np.repeat(np.arange(3), 10)
    cells = [{**cell, "preprocess": step} for cell in CELLS for step in ("plain", "clahe")]
    said = texts(study_of(tmp_path, truth, [""] * 30, 0.0, cells))
    assert said["choice"] == ["All cells have the same partition: no choice matters."]
    assert not any("depends on this choice" in step for step in said["next"])
    assert said["survives"][0].endswith("30 of 30 images (100 %) keep their group in most votes of the 12 cells.")
    assert said["fragile"] == ["No image lies between two groups."]


def test_typical_images_say_how_many_votes_keep_them_with_their_group(tmp_path):
    study = study_of(tmp_path, np.repeat(np.arange(3), 10), [""] * 30, 0.0)
    groups = next(section for section in sections(study, 40, 8) if section.key == "groups")
    captions = [image.caption for images in groups.images.values() for image in images]
    assert len(captions) == 24
    assert all(caption.endswith(", with its group in 100 % of the votes") for caption in captions)


def test_one_cell_is_compared_with_nothing(tmp_path):
    said = texts(named(tmp_path, "one_cell"))
    assert said["trust"] == ["One cell cannot be compared with others: vary a choice to learn what to trust."]
    assert said["next"][0].startswith("Vary a choice")


def test_perturbed_images_have_a_section_where_the_study_asks_for_it(tmp_path):
    study = named(tmp_path, "labelled")
    assert "perturbations" not in texts(study)
    cells, inputs = artefacts(tmp_path, 30)["perturbations"]
    said = texts(replace(study, tables={**study.tables, "perturbations": tabulate("perturbations", cells, inputs)}))
    assert said["perturbations"] == ["Beware: of 90 images many change their group when rotated by 90° (33 %)."]
    assert any(step.startswith("Try a backbone with orbit: true") for step in said["next"])


def test_a_handful_of_labels_is_combined_with_the_agreement(tmp_path):
    truth = np.repeat(np.arange(4), 15)
    labels = [f"class_{i}" if place % 6 == 0 else "" for place, i in enumerate(truth)]
    said = texts(study_of(tmp_path, truth, labels, 0.3))
    assert said["images"][1] == "10 of 60 images have a label, of 4 classes."
    assert any(text.startswith("With 10 labels, ") for text in said["trust"])


def test_labels_of_one_class_check_nothing(tmp_path):
    truth = np.repeat(np.arange(4), 15)
    study = study_of(tmp_path, truth, ["a" if place % 12 == 0 else "" for place in range(60)], 0.3)
    said = texts(study)
    assert said["trust"][1:] == ["5 labels of one class cannot check the cells."]
    assert said["curve"][0].startswith("Agreement with the other cells")
    groups = next(section for section in sections(study, 40, 8) if section.key == "groups")
    assert any(heading.endswith(", labelled a: 2 of 2") for heading in groups.images)


def test_a_trusted_cell_that_calls_all_labelled_images_noise_is_not_checked(tmp_path):
    truth = np.repeat(np.arange(4), 15)
    study = study_of(tmp_path, truth, [f"class_{i}" if place % 6 == 0 else "" for place, i in enumerate(truth)], 0.3)
    trust = study.tables["trust"].copy()
    trust.loc[trust.index[0], "ari"] = np.nan
    unchecked = replace(study, tables={**study.tables, "trust": trust})
    assert not any("nan" in text for text in texts(unchecked)["trust"])
    write_page_of(unchecked, tmp_path, drawn=False)


def test_labels_favour_the_opinion_whose_cells_share_most_of_the_probability(tmp_path):
    truth = np.repeat(np.arange(4), 15)
    study = study_of(tmp_path, truth, [f"class_{i}" if place % 6 == 0 else "" for place, i in enumerate(truth)], 0.3)
    shared = (
        study.tables["trust"]
        .head(3)
        .assign(
            name=["alone", "shares more", "shares less"],
            opinion=[0, 1, 1],
            probability=[0.4, 0.35, 0.25],
            labels_needed=3,
        )
    )
    said = texts(replace(study, tables={**study.tables, "trust": shared}))
    assert (
        "With 10 labels, shares more is the best cell with probability 0.35; about 3 more labels would decide."
        in said["trust"]
    )


def test_images_that_the_cells_put_elsewhere_are_the_fragile_ones(tmp_path):
    study = named(tmp_path, "labelled")
    truth = np.repeat(np.arange(4), 15)
    groups = study.consensus["group"].to_numpy()
    kept = study.consensus["agreement"].rank().to_numpy()
    assert len(study.fragile) > 0
    assert kept[study.fragile.index].mean() < kept.mean()
    assert len(np.unique(groups[truth == 0])) == 1


def test_a_fragile_image_says_its_groups_and_what_moves_it(tmp_path):
    study = named(tmp_path, "labelled")
    fragile = next(section for section in sections(study, 40, 8) if section.key == "fragile")
    (images,) = fragile.images.values()
    table = study.consensus.set_index("image_id")
    assert [image.image for image in images] == list(study.fragile["image_id"])
    for image in images:
        of_image = table.loc[image.image]
        between, mover = image.below
        assert between.split()[0] == str(of_image["group"])
        to = "to" if of_image["flips"] else "towards"
        assert mover.endswith(f"moves it {to} {of_image['second']}")
    moved = study.fragile[study.fragile["flips"]]["choice"].value_counts()
    assert f"alone moves {moved.max()} of them" in fragile.answers[0].text


def test_all_components_are_a_value_that_moves_images(tmp_path):
    cells = [{**CELLS[0], "n_components": n} for n in (None, 50)]
    study = study_of(tmp_path, np.repeat(np.arange(4), 15), [""] * 60, 0.2, cells)
    levels = study.consensus.dropna(subset="choice").set_index("image_id")["level"]
    assert set(levels) == {"all components", "50"}
    assert study.consensus["level"].isna().equals(study.consensus["choice"].isna())
    images = [
        image for section in sections(study, 40, 8) if section.key == "fragile" for image in section.images.values()
    ]
    movers = {levels[image.image]: image.below[1].partition(" moves it")[0] for image in images[0]}
    assert movers == {"all components": "all components", "50": "number of components 50"}
    assert "n_components" in set(study.tables["partition_effects"]["term"])
    assert set(study.tables["specification_curve"]["n_components"]) == {"all components", "50 components"}


def test_a_class_may_be_called_na(tmp_path):
    truth = np.repeat(np.arange(3), 10)
    table = study_of(tmp_path, truth, [["NA", "None", ""][i] for i in truth], 0.1).consensus
    write_csv(table, str(tmp_path / "consensus.csv"))
    read = read_groups(str(tmp_path / "consensus.csv"))
    for name in table:
        assert read[name].isna().equals(table[name].isna())
        assert read[name].dropna().tolist() == pytest.approx(table[name].dropna().tolist())


def test_two_images_are_too_few_for_any_claim(tmp_path):
    made = sections(named(tmp_path, "two_images"), 40, 8)
    assert not any(section.images for section in made)
    assert all(
        sentence.strength != "strong" for section in made for sentence in section.answers if section.key != "restarts"
    )


@pytest.mark.parametrize("name", ["unlabelled", "two_images", "sixty_classes"])
def test_the_page_is_one_file_and_names_are_data(name, tmp_path):
    study = named(tmp_path, name)
    path = write_page_of(study, tmp_path, drawn=False)
    page = Parts(path.read_text())
    assert page.tags.count("script") == 2
    assert "b" not in page.tags
    assert page.addresses == []
    answers = [answer.text for section in sections(study, 40, 8) for answer in section.answers]
    assert "nan" not in " ".join(answers).split()
    data = json.loads(page.data, parse_constant=pytest.fail)  # a browser knows no NaN
    shown = {image for section in data["sections"] for group in section["images"] for image, *_ in group["images"]}
    assert shown == set(data["thumbnails"])
    if name == "sixty_classes":
        assert any("class 07 </script><b>" in group["heading"] for group in data["sections"][1]["images"])
    write_front_page(str(path), str(tmp_path / "verdict.html"))
    assert json.loads(Parts((tmp_path / "verdict.html").read_text()).data) == {**data, "root": ""}


def test_every_sentence_has_a_table(tmp_path):
    study = named(tmp_path, "labelled")
    made = sections(study, 40, 8)
    links = {answer.table: f"tables/{answer.table}.csv" for section in made for answer in section.answers}
    table = sentence_table(made, links)
    assert table["table"].notna().all()
    assert sorted(table["line"].dropna()) == [1, 2, 3, 4, 5]
    assert len(CELLS) == len(study.table("trust"))


def test_links_and_images_work_in_a_browser(tmp_path, browser):
    path = write_page_of(named(tmp_path, "labelled"), tmp_path, drawn=False)
    browser.get(path.as_uri())
    assert len(browser.find_elements("css selector", "#lines li")) == 5
    link = browser.find_element("css selector", "#trust a").get_attribute("href")
    assert link == (tmp_path / "tables" / "study" / "trust.csv").as_uri()
    assert all(image.get_attribute("alt") for image in browser.find_elements("css selector", "img"))
    browser.find_element("css selector", "#groups .row button").click()
    assert browser.find_element("css selector", "dialog img").is_displayed()
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
