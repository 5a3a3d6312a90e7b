"""Write a page of questions and answers: each question has sentences, and may have a figure and images."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from workflow_scripts.pages.parts.writing import ENLARGING, write_page

SIDE = 112
"""Side of an image on the page in pixels."""

Strength = Literal["strong", "weak", "none", "fact"]
"""Strength of the evidence: strong, weak or none; `fact` for a count, which needs no evidence."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of the page, with the evidence for it.

    Attributes
    ----------
    text : the sentence.
    strength : strength of its evidence.
    number : the most important number of the sentence; None if it has none.
    table : name of the table that has the number; a key of the page's links.
    """

    text: str
    strength: Strength
    number: float | None
    table: str


class Shown(NamedTuple):
    """An image on the page: its id, a sentence that describes it, and the lines of text below it."""

    image: str
    caption: str
    below: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A question of the page and the sentences that answer it.

    Attributes
    ----------
    key : id of the section.
    question : the question.
    answers : the sentences.
    figure : kind of the figure below the answers, or None.
    images : lists of images to show; the key is the heading above the images of a list.
    """

    key: str
    question: str
    answers: list[Sentence]
    figure: str | None = None
    images: Mapping[str, list[Shown]] = field(default_factory=dict)


def write_answers(
    path: str,
    about: Mapping[str, str],
    links: Mapping[str, str],
    lines: Sequence[str],
    sections: Sequence[Section],
    figures: Mapping[str, str],
    thumbnails: Mapping[str, str],
) -> None:
    """Write a page of questions and answers as one HTML file.

    Parameters
    ----------
    path : the HTML file.
    about : `title` of the page, `about` (a sentence on its subject), and `root`, the path from the page to the folder
        of all results, where links begin.
    links : paths of the tables below that folder, by name.
    lines : the most important sentences, which stand at the top.
    sections : the questions.
    figures : PNG files of the figures, by kind.
    thumbnails : data URIs of the images, by id.
    """
    data = {
        **about,
        "links": dict(links),
        "lines": list(lines),
        "sections": [_section(section, figures) for section in sections],
        "thumbnails": dict(thumbnails),
    }
    write_page(path, Path(__file__).parent, data, ENLARGING)


def _section(section: Section, figures: Mapping[str, str]) -> dict[str, Any]:
    return {
        "key": section.key,
        "question": section.question,
        "answers": [vars(answer) for answer in section.answers],
        "figure": _png(figures[section.figure]) if section.figure else None,
        "images": [{"heading": heading, "images": members} for heading, members in section.images.items()],
    }


def _png(path: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(Path(path).read_bytes()).decode()}"
