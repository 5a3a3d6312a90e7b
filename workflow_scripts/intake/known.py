"""Labels brought from another data set, whose files have the content of ours. Standard library only."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import hexdigits

from workflow_scripts.errors import UserError

KNOWN_COLUMNS = ("sha256", "pixels_id", "label", "path")
"""Of the table that is made of a folder of labelled files; `sha256` may be cut to its first 16 digits."""
MATCH_COLUMNS = ("content", "status", "labels", "files", "picture")
STATUSES = ("matched", "unmatched", "conflicting")
ID_DIGITS = 16
"""Of a SHA-256; what an image_id has."""

Match = tuple[str, str, str, int, str]


def match(pictures: Mapping[str, Iterable[str]], known: Iterable[tuple[str, str]]) -> list[Match]:
    """What becomes of each content of a labelled data set, a row of `MATCH_COLUMNS` each, sorted by content.

    Parameters
    ----------
    pictures : path -> the contents that the picture is known by (hash of its bytes, hash of its pixels)
    known : (content, label) of each labelled file

    A content with several labels is conflicting, and labels nothing; `labels` has them joined by `|`. Another one is
    matched if a picture has it; `picture` is the first path of such.
    """
    paths: dict[str, str] = {}
    for path, contents in pictures.items():
        for content in contents:
            paths.setdefault(content, path)
    labels: defaultdict[str, list[str]] = defaultdict(list)
    for content, label in known:
        labels[content].append(label)
    return [
        (content, _status(content, given, paths), "|".join(sorted(set(given))), len(given), paths.get(content, ""))
        for content, given in sorted(labels.items())
    ]


def _status(content: str, labels: list[str], paths: Mapping[str, str]) -> str:
    if len(set(labels)) > 1:
        return "conflicting"
    return "matched" if content in paths else "unmatched"


def read_known(table: Path) -> Iterator[tuple[str, str]]:
    """(content, label) of each row of a CSV with the columns `sha256` and `label`, and `pixels_id` if it has that.

    The content is the hash of the pixels where there is one, so that other files with the same pixels match too. Raises
    `UserError` for a table without these columns, or a row without a SHA-256.
    """
    try:
        with open(table, newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            if not {"sha256", "label"} <= set(rows.fieldnames or []):
                raise UserError(f"{table}: found columns {rows.fieldnames}, allowed: sha256 and label")
            for row in rows:
                sha256 = row["sha256"].strip().lower()
                if len(sha256) < ID_DIGITS or not set(sha256) <= set(hexdigits):
                    raise UserError(
                        f"{table}: line {rows.line_num}: found {sha256!r}, allowed: a SHA-256 in hex digits"
                    )
                yield row.get("pixels_id") or sha256[:ID_DIGITS], row["label"].strip()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{table}: cannot be read as a CSV in UTF-8 ({error})") from None
