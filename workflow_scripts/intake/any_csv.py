"""Read CSV files with any common separator and encoding.

Rules import this module, so it uses the standard library only.
"""

import csv
import io
import re
from collections import Counter
from pathlib import Path

from workflow_scripts.errors import UserError
from workflow_scripts.spreadsheets import given_back

SEPARATORS = (",", ";", "\t", "|")
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
"""Encodings by the bytes that a file begins with."""
_STATED_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""The first line of a table that names its separator for Excel, such as `sep=;`."""


def read_rows(table: Path) -> list[list[str]]:
    """Return the cells of every row of a CSV file; empty rows are left out, and separator and encoding are recognised.

    Raises `UserError` if the file cannot be read as a table.
    """
    try:
        text = _decoded(table.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{table}: cannot be read as a table ({error}); allowed: a CSV in UTF-8") from None
    rows = [row for row in _cells(table, text) if any(cell.strip() for cell in row)]
    if not rows:
        raise UserError(f"{table}: found an empty file, allowed: a CSV with names of files and labels")
    return rows


def _cells(table: Path, text: str) -> list[list[str]]:
    """Return the cells of every row, without the apostrophes that our tables and exports put before formulas.

    Raises `UserError`, with the number of the line, for a row that cannot be read, for example because a quotation mark
    is not closed.
    """
    stated = _STATED_SEPARATOR.match(text)
    separator = stated[1] if stated else _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    line = 1
    try:
        for row in reader:
            if any(cell.count("\n") > 1 for cell in row):
                raise csv.Error("a text in it has several lines")
            rows.append(list(map(given_back, row)))
            line = reader.line_num + 1
    except csv.Error as error:
        unread = f"{table}: the row that begins in line {line} cannot be read ({error})"
        raise UserError(
            f"{unread}; if a quotation mark is not closed, or a text follows it, write '\"\"' for one in a text"
        ) from None
    return rows[1:] if stated else rows


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8" or b"\0" in content:
            raise
        return content.decode("cp1252")  # Excel on Windows writes this encoding


def _separator(text: str) -> str:
    """Return the separator of a table, chosen by its first lines.

    It is the one that divides most of these lines into the same number of cells, at least two.
    """
    lines = [line for line in text.splitlines()[:50] if line.strip()]

    def agreement(separator: str) -> int:
        counts = Counter(line.count(separator) for line in lines)
        count, lines_with = counts.most_common(1)[0] if counts else (0, 0)
        return lines_with if count else 0

    return max(SEPARATORS, key=agreement)
