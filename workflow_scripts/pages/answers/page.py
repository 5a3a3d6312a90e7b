"""Write a page of questions, each with sentences that answer it, and with a figure and images if there are any."""

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
    """A sentence, the strength of the evidence for it, its number, and the table of that number.

    `number` is None if the sentence says that there is none; `table` is a key of the page's links.
    """

    text: str
    strength: Strength
    number: float | None
    table: str


class Shown(NamedTuple):
    """An image on the page: its id, its description in a sentence, and lines of text that stand below it."""

    image: str
    caption: str
    below: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A question of the page with the sentences that answer it.

    `figure` is the kind of the figure beside it, if one is; `images` are shown by heading.
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
    """Write a page of questions and answers.

    `about` says what the page is: its `title`, a sentence `about` its subject, and the path `root` from it to the
    folder of all results, where links begin. `lines` are the most important sentences, `thumbnails` data URIs.
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
