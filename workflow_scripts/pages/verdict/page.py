"""Write the verdict of a study as one HTML page with figures and images, and with links to the tables."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workflow_scripts.io.files import replacing
from workflow_scripts.pages.answers.page import SIDE, Section, write_answers
from workflow_scripts.pages.parts.thumbnails import Thumbnails
from workflow_scripts.pages.verdict.findings import five_lines

ROOT = "../"
"""Path from the page of a study to the folder of all results, where links begin."""


def write_verdict(
    path: str,
    sections: Sequence[Section],
    figures: Mapping[str, str],
    links: Mapping[str, str],
    thumbnails: Thumbnails,
    facts: Mapping[str, Any],
) -> None:
    """Write the page of a study.

    Parameters
    ----------
    path : the HTML file.
    sections : from `findings.sections`.
    figures : PNG files of the figures, by kind.
    links : paths of the tables, relative to the folder of all results, by name.
    thumbnails : the thumbnails of the images.
    facts : the names of the `dataset` and of the `study`.
    """
    about = {
        "title": f"Verdict: {facts['dataset']}, {facts['study']}",
        "about": "The findings of this study and the strength of their evidence. Every number links to its table.",
        "root": ROOT,
    }
    lines = [sentence.text for sentence in five_lines(sections)]
    shown = thumbnails.data_uris(dict.fromkeys(_shown(sections)), SIDE)
    write_answers(path, about, links, lines, sections, figures, shown)


def _shown(sections: Sequence[Section]) -> list[str]:
    return [image for section in sections for shown in section.images.values() for image, *_ in shown]


def write_front_page(study_page: str, path: str) -> None:
    """Copy the page of a study to the folder of all results, with links that work from there."""
    text = Path(study_page).read_text(encoding="utf-8")
    # quotes in names are escaped in the data, so this text can only be the key
    of_study, of_root = (f'"root":{json.dumps(root)},"links"' for root in (ROOT, ""))
    with replacing(path) as temporary:
        temporary.write_text(text.replace(of_study, of_root, 1), encoding="utf-8")


def sentence_table(sections: Sequence[Section], links: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per sentence of the page: `section, strength, sentence, number, table, line`.

    `table` is a path below the folder of all results. `line` is the place among the five most important sentences, from
    1; null for other sentences.
    """
    lines = [sentence.text for sentence in five_lines(sections)]
    rows = [
        {
            "section": section.key,
            "strength": answer.strength,
            "sentence": answer.text,
            "number": answer.number,
            "table": links[answer.table],
            "line": lines.index(answer.text) + 1 if answer.text in lines else None,
        }
        for section in sections
        for answer in section.answers
    ]
    return pd.DataFrame(rows).astype({"line": "Int64", "number": "float64"})
