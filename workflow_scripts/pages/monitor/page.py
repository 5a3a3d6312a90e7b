"""Write the page about a folder that grows: what was noticed, the control charts, and images to look at."""

from collections.abc import Iterator, Mapping
from itertools import count as count_from
from typing import Any

import pandas as pd

from workflow_scripts.io.pixels import eight_bits
from workflow_scripts.models.batch_tests import smallest_p_value
from workflow_scripts.models.control_chart import alarms_of
from workflow_scripts.models.monitored_images import CHARTS
from workflow_scripts.pages.answers.page import SIDE, Section, Sentence, Shown, write_answers
from workflow_scripts.pages.parts.thumbnails import data_uri
from workflow_scripts.preprocess.pipeline import pixels_of
from workflow_scripts.preprocess.stack import images_of
from workflow_scripts.wording import count, listed, percent

ROOT = "../../"
"""Path from the page to the folder of all results."""
PER_GROUP = 24
"""Largest number of images of a group that are shown."""
FIGURE = "charts"


def write_monitor(
    path: str,
    chart: pd.DataFrame,
    suspects: pd.DataFrame,
    figure: str,
    links: Mapping[str, str],
    facts: Mapping[str, Any],
) -> list[str]:
    """Write the page as one HTML file, and return its most important sentences.

    Parameters
    ----------
    path : the HTML file.
    chart : one row per batch, from `models.control_chart`.
    suspects : the first images to look at, from `suspects.to_look_at`, with `group` (from 0).
    figure : a PNG file of the control charts.
    links : the paths of the tables `batches` and `predictions` below the folder of all results.
    facts : `dataset`, `study`, `folder`, `n_files`, `size` (of a batch), `rate` (of false alarms), `max_pixels`,
        `n_suspects` (of all images to look at), `ungrouped` (from `monitored_images.ungrouped`) and the facts of
        `control_chart.facts_of_known`.
    """
    noticed = [*_void(chart, facts), *_noticed(chart, facts)]
    groups = _groups_in_words(suspects, facts["n_suspects"])
    sections = [
        Section("noticed", "What was noticed?", noticed, FIGURE),
        Section("look", "Which images should a person see?", groups, None, _shown(suspects)),
        Section("sure", "How sure is an alarm?", [_sure(facts)]),
    ]
    names = {image.image for images in sections[1].images.values() for image in images}
    shown = suspects[suspects["path"].isin(names)].sort_values("path")  # parts of a file follow each other
    pixels = pixels_of(images_of(shown, facts["folder"]), facts["max_pixels"])
    lines = [sentence.text for sentence in noticed][:5]
    write_answers(
        path,
        {
            "title": f"Monitor: {facts['folder']}",
            "about": f"{count(facts['n_files'], 'file')} in batches of {facts['size']}{_or_more(facts)}, compared "
            f"with the model of study {facts['study']} of {facts['dataset']}.",
            "root": ROOT,
        },
        links,
        lines,
        sections,
        {FIGURE: figure},
        {name: data_uri(eight_bits(image), SIDE) for name, image in zip(shown["path"], pixels, strict=True)},
    )
    return lines


def _void(chart: pd.DataFrame, facts: Mapping[str, Any]) -> Iterator[Sentence]:
    """Yield sentences about alarms that cannot be relied on, and what to do.

    They say why false alarms may be more frequent than the rate in the settings, or why no alarm is possible.
    """
    if facts["alike"]:
        charts = listed([f"{name} (correlation {value:.2f})" for name, value in facts["alike"].items()], most=3)
        text = (
            f"The rate of false alarms may not hold: known {'groups' if facts['n_groups'] else 'images'} with "
            f"neighbouring names are alike in {charts}, so that those that come one after the other are no random "
            "draw. Say with intake.groups which belong together, and make the model again."
        )
        yield Sentence(text, "weak", max(facts["alike"].values()), "batches")
    if facts["ungrouped"]:
        text = (
            "The rate of false alarms may not hold: intake.groups names the group of none of the new images, so that "
            "each is a group of its own. Choose a rule that new images have too, such as folder, or add them to the "
            "table."
        )
        yield Sentence(text, "weak", facts["n_files"], "predictions")
    known, rate = facts["n_groups"], facts["rate"]
    if known is None or chart.empty:
        return
    fewest = int(chart["groups"].min())
    if (smallest := smallest_p_value(known, fewest)) > rate:
        enough = next(n for n in count_from(fewest) if smallest_p_value(known, n) <= rate)
        text = (
            f"Batches with images of {count(fewest, 'group')} cannot raise an alarm of brightness or sharpness: with "
            f"{count(known, 'known group')} their p-values are at least {smallest:.2g}, and those of novelty at least "
            f"{smallest / 2:.2g}. Choose batch_size so that a batch has {enough} groups or more."
        )
        yield Sentence(text, "weak", smallest, "batches")


def _or_more(facts: Mapping[str, Any]) -> str:
    return " or more, in whole groups" if facts["n_groups"] else ""


def _noticed(chart: pd.DataFrame, facts: Mapping[str, Any]) -> Iterator[Sentence]:
    if chart.empty:
        text = f"No batch is full yet: there are {count(facts['n_files'], 'file')} of {facts['size']}."
        yield Sentence(text, "fact", 0, "batches")
        return
    tested = count(len(chart), "batch", "batches")
    for name in CHARTS:
        alarms = chart[alarms_of(name, chart)]
        if alarms.empty:
            what = "less like the images of the model" if name == "novelty" else f"of another {name}"
            yield Sentence(f"None of {tested} is {what} than chance explains.", "none", 0, "batches")
            continue
        first = alarms.iloc[0]
        what = "has images unlike those of the model" if name == "novelty" else f"is {_direction(name, first)}"
        others = f"; alarms in {len(alarms)} of {tested}" if len(chart) > 1 else ""
        place = f"Batch {first['batch']} ({first['first']} to {first['last']})"
        yield Sentence(f"{place} {what} (p = {first[f'{name}_p']:.2g}){others}.", "strong", len(alarms), "batches")


def _direction(name: str, batch: pd.Series) -> str:
    words = {"brightness": ("brighter", "darker"), "sharpness": ("sharper", "more blurred")}
    return f"{words[name][int(batch[name] < batch[f'{name}_known'])]} than the images of the model"


def _groups_in_words(suspects: pd.DataFrame, n_suspects: int) -> list[Sentence]:
    if suspects.empty:
        return [Sentence("No image is unlike those of the model.", "none", 0, "predictions")]
    groups = count(suspects["group"].nunique(), "group")
    most = f": here the {len(suspects)} with the highest novelty" if n_suspects > len(suspects) else ""
    text = f"{count(n_suspects, 'image')} should be looked at{most}, in {groups} that look alike."
    return [Sentence(text, "fact", n_suspects, "predictions")]


def _shown(suspects: pd.DataFrame) -> dict[str, list[Shown]]:
    """Return for each group of suspects the images with the highest novelty, at most `PER_GROUP`.

    The keys are headings, which name the size of the group and the clusters nearest to its images.
    """
    shown = {}
    for number, members in suspects.groupby("group"):
        names = listed([f"{name} ({n})" for name, n in members["name"].value_counts().items()], most=3)
        heading = f"Group {number + 1}: {count(len(members), 'image')}, nearest clusters {names}"
        shown[heading] = [
            Shown(
                image["path"],
                f"{image['path']}: batch {image['batch']}, novelty {image['novelty']:.2f}, p = {image['p']:.2g}",
            )
            for image in members.head(PER_GROUP).to_dict("records")
        ]
    return shown


def _sure(facts: Mapping[str, Any]) -> Sentence:
    known = count(facts["n_known"], "image")
    if facts["n_groups"]:
        known += f" of {count(facts['n_groups'], 'group')}"
    drawn = "the groups of a batch" if facts["n_groups"] else "a batch"
    text = (
        f"If nothing changes, each of the {len(CHARTS)} charts raises an alarm for at most {percent(facts['rate'])} of "
        f"all batches. The tests are exact: a batch is compared with {known} that were held out of "
        f"the model, and all ways to draw {drawn} from both are counted. They presume that a batch is a random draw "
        "from the same mixture of classes, specimens and days: another mixture is an alarm too."
    )
    if facts["n_groups"]:
        text += (
            " A batch ends with a group, and the last group in the folder counts as whole. The groups should not "
            "have fewer images than the known ones: a mean of few images varies more."
        )
    return Sentence(text, "fact", facts["rate"], "batches")
