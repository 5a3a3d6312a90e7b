"""Match the labels of another data set to the images, by the content of the files.

Rules import this module, so it uses the standard library only.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import hexdigits

from workflow_scripts.errors import UserError

KNOWN_COLUMNS = ("sha256", "pixels_id", "label", "path")
"""Columns of the table of labelled files; `sha256` may have only the first 16 digits."""
MATCH_COLUMNS = ("content", "status", "labels", "files", "image")
STATUSES = ("matched", "unmatched", "conflicting")
ID_DIGITS = 16
"""The number of digits of a SHA-256 in an image id."""

Match = tuple[str, str, str, int, str]


def match(images: Mapping[str, Iterable[str]], known: Iterable[tuple[str, str]]) -> list[Match]:
    """Match the contents of labelled files to images; return a row of `MATCH_COLUMNS` for each content, sorted.

    A content is a hash of the bytes or of the pixels of a file.

    Parameters
    ----------
    images : the contents of each image by path: the hash of its bytes, and the hash of its pixels.
    known : the content and the label of each labelled file.

    A content with several labels is `conflicting` and labels no image; the column `labels` has all of them, joined by
    `|`. Any other content is `matched` if an image has it, and the column `image` is the path of the first such image;
    otherwise it is `unmatched`.
    """
    paths: dict[str, str] = {}
    for path, contents in images.items():
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
    """Yield the hash and the label of each row of a CSV with the columns `sha256`, `label` and optionally `pixels_id`.

    Rows without a label are left out. The hash is that of the pixels if the row has one, so that other files with the
    same pixels match too; otherwise it is the start of the SHA-256 of the file. Raises `UserError` if the file cannot
    be read, if a column is missing, or if a row has no SHA-256.
    """
    try:
        with open(table, newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            if not {"sha256", "label"} <= set(rows.fieldnames or []):
                raise UserError(f"{table}: found columns {rows.fieldnames}, allowed: sha256 and label")
            for row in rows:
                sha256 = (row["sha256"] or "").strip().lower()
                if len(sha256) < ID_DIGITS or not set(sha256) <= set(hexdigits):
                    raise UserError(
                        f"{table}: line {rows.line_num}: found {sha256!r}, allowed: a SHA-256 in hex digits"
                    )
                if label := (row["label"] or "").strip():
                    yield row.get("pixels_id") or sha256[:ID_DIGITS], label
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{table}: cannot be read as a CSV in UTF-8 ({error})") from None
