"""Reading of tables of labels with any common separator, encoding and column names.

Rules import this module, so it uses the standard library only.
"""

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workflow_scripts.errors import NoneNamedError, UserError

KEYS = ("path", "filename", "image_id")
LABELS = ("label", "class", "category", "target")
"""Allowed names of the column of labels. The column of file names has one of `KEYS`, or is recognised by its values."""
SEPARATORS = (",", ";", "\t", "|")
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_STATED_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""The first line of a table that names its separator for Excel."""
DECIDED = "decided"
"""The column that says when a person decided, in ISO 8601 and UTC, as the pages export it."""
_SAMPLE = 200
"""The number of rows that are looked at to recognise the column of file names."""


@dataclass(frozen=True)
class Matched:
    """The labels of a table.

    Attributes
    ----------
    labels : the label of each image, by path.
    columns : the names of the columns that were read.
    unmatched : the number of rows that name no image or more than one.
    others : the labels of these rows, by the name that they give.
    decided : the time of each decision, by path or name; "" if the table does not have it.
    """

    labels: dict[str, str]
    columns: str
    unmatched: int
    others: dict[str, str]
    decided: dict[str, str]


def read_picked(table: Path, images: Mapping[str, str], column: str, value: str) -> set[str]:
    """Return the paths of the images that a table names, such as the explorer exports.

    Parameters
    ----------
    table : as for `read_label_table`.
    images : image ids by relative path. If a file is named, all files with the same content are returned.
    column, value : if the table has this column, only the rows with this value count.

    Raises `UserError` if the table cannot be read, if it has no row with the value, or if it names no image.
    """
    index = _Index(images)
    rows = _rows_of(table, index)
    header, key = _key_column(table, rows, index)
    names = [cell.strip().lower() for cell in rows[0]] if header else []
    place = names.index(column) if column in names else None
    wanted = [row for row in rows[header:] if place is None or (place < len(row) and row[place].strip() == value)]
    if not wanted:
        raise UserError(f"{table}: found no row with {column} {value!r}, allowed: such rows, or no column {column}")
    named = [index.images_named(row[key]) if key < len(row) else set() for row in wanted]
    contents = {images[path] for paths in named for path in paths}
    if not contents:
        raise UserError(_no_match(table, [row[key] if key < len(row) else "" for row in wanted], images))
    return {path for path, image_id in images.items() if image_id in contents}


def read_label_table(table: Path, images: Mapping[str, str], column: str | None = None) -> Matched:
    """Read the labels of images from a table.

    Parameters
    ----------
    table :
        CSV separated by commas, semicolons, tabs, bars or spaces, in UTF-8, UTF-16 or Windows-1252, with or without a
        header.
        The column of file names is called as in `KEYS`, or is the one whose values name files. The column of labels is
        called as in `LABELS`, or is the only other column. If the file of a row is gone, the column `image_id` may
        name the only image of the same content that no other row names: the file was moved.
    images :
        image ids by relative path (with `/`). A row may name an image without its folders or its extension if the name
        is unique.
    column :
        name of the column of labels, in place of `LABELS`.

    Raises `UserError` if the table cannot be read, if its columns are not recognised, or if it gives an image two
    labels; `NoneNamedError` if it names no image.
    """
    index = _Index(images)
    rows = _rows_of(table, index)
    header, key, label = _columns(table, rows, index, (column.lower(),) if column else LABELS)
    titles = [cell.strip().lower() for cell in rows[0]] if header else []
    time, content = (titles.index(name) if name in titles else None for name in (DECIDED, "image_id"))
    labels: dict[str, str] = {}
    others: dict[str, str] = {}
    decided: dict[str, str] = {}
    unmatched = []
    named = [(row, index.images_named(_cell(row, key))) for row in rows[header:]]
    found: set[str] = set().union(*(paths for _, paths in named))
    for row, paths in named:
        paths = paths or index.moved(_cell(row, content)) - found
        name, value = _cell(row, key), _cell(row, label)
        if len({images[path] for path in paths}) != 1:
            unmatched.append(name)
            others[name], decided[name] = value, _cell(row, time)
            continue
        for path in paths:
            if labels.get(path, "") not in ("", value):
                raise UserError(f"{table}: found the labels {labels[path]!r} and {value!r} for {path}, allowed: one")
            labels[path], decided[path] = value, _cell(row, time)
    if unmatched and not labels:
        raise NoneNamedError(_no_match(table, unmatched, images))
    names = [rows[0][column].strip() if header else f"column {column + 1}" for column in (key, label)]
    return Matched(labels, " and ".join(names), len(unmatched), others, decided)


def _cell(row: Sequence[str], column: int | None) -> str:
    """Return the text of a cell; "" if the row is too short, or if there is no such column."""
    return "" if column is None or column >= len(row) else row[column].strip()


def _no_match(table: Path, unmatched: Sequence[str], images: Mapping[str, str]) -> str:
    return (
        f"{table}: found no row that names an image: the first of {len(unmatched)} rows is {unmatched[0]!r}; "
        f"allowed: names of files such as {min(images)!r}"
    )


def _rows_of(table: Path, index: "_Index") -> list[list[str]]:
    """Return the cells of a table of images. Lines without a separator are divided at spaces, unless they name images
    as they are."""
    rows = read_rows(table)
    if all(len(row) == 1 for row in rows) and not any(index.images_named(row[0]) for row in rows[:_SAMPLE]):
        return [row[0].split() for row in rows]
    return rows


def read_rows(table: Path) -> list[list[str]]:
    """Return the cells of every row that is not empty; the separator and the encoding are recognised.

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
    """Return the cells of every row; raises `UserError` with the line if a quotation mark is not closed."""
    stated = _STATED_SEPARATOR.match(text)
    separator = stated[1] if stated else _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    line = 1
    try:
        for row in reader:
            if any(cell.count("\n") > 1 for cell in row):
                raise csv.Error("it has several lines")
            rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        found = f"the row that begins in line {line} cannot be read ({error}): a quotation mark is never closed"
        raise UserError(f"{table}: {found}; write '\"\"' for one in a text") from None
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
    """Return the separator that divides most of the first lines into the same number of cells, at least two."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]

    def agreement(separator: str) -> int:
        counts = Counter(line.count(separator) for line in lines)
        count, lines_with = counts.most_common(1)[0] if counts else (0, 0)
        return lines_with if count else 0

    return max(SEPARATORS, key=agreement)


def _key_column(table: Path, rows: Sequence[Sequence[str]], index: "_Index") -> tuple[int, int]:
    """Return the number of header rows, and the column of the names of images."""
    names = [cell.strip().lower() for cell in rows[0]]
    key = next((names.index(name) for name in KEYS if name in names), None)
    if key is None:
        sample = rows[:_SAMPLE]
        named = [
            sum(bool(index.images_named(row[column])) for row in sample if column < len(row))
            for column in range(len(names))
        ]
        key = max(range(len(named)), key=named.__getitem__)
        if 2 * named[key] < len(sample) - 1 or not named[key]:
            raise NoneNamedError(
                f"{table}: found columns {', '.join(names)}, of which none names files; "
                f"allowed: one of {', '.join(KEYS)}"
            )
    return 0 if index.images_named(rows[0][key]) else 1, key


def _columns(
    table: Path, rows: Sequence[Sequence[str]], index: "_Index", allowed: Sequence[str]
) -> tuple[int, int, int]:
    """Return the number of header rows, and the columns of the names and of the labels."""
    header, key = _key_column(table, rows, index)
    names = [cell.strip().lower() for cell in rows[0]]
    label = next((names.index(name) for name in allowed if name in names), None)
    others = [column for column in range(len(names)) if column != key]
    if label is None:
        if len(others) != 1:
            one = f"one of {', '.join(allowed)}"
            if not header:
                found = f"{len(names)} columns without names"
                raise UserError(f"{table}: found {found}, allowed: a first row with their names, {one} of them")
            raise UserError(f"{table}: found columns {', '.join(names)}, allowed: {one} beside {names[key]}")
        label = others[0]
    return header, key, label


class _Index:
    """An index of the images by every name that a row may use: id, path or end of the path, with or without
    extension."""

    def __init__(self, images: Mapping[str, str]) -> None:
        self._by_name: defaultdict[str, set[str]] = defaultdict(set)
        self._whole: defaultdict[str, set[str]] = defaultdict(set)
        self._paths: defaultdict[str, set[str]] = defaultdict(set)
        self._by_id: defaultdict[str, set[str]] = defaultdict(set)
        for path, image_id in images.items():
            self._by_id[image_id].add(path)
            self._paths[_normal(path)].add(path)
            stem = str(PurePosixPath(path).with_suffix(""))
            for name in (image_id, path, stem):
                self._whole[_normal(name)].add(path)
            for name in (image_id, *_ends(path), *_ends(stem)):
                self._by_name[_normal(name)].add(path)

    def images_named(self, name: str) -> set[str]:
        """Return the paths of the images that a name may mean; a match of the whole path is preferred.

        The name is an end of the path, or the path an end of the name: `b/1.png` is not `a/1.png`.
        """
        key = _normal(name.strip().replace("\\", "/"))
        if key in self._paths:
            return self._paths[key]
        whole, *ends = _ends(key)
        return self._by_name.get(whole) or next((self._whole[end] for end in ends if end in self._whole), set())

    def moved(self, image_id: str) -> set[str]:
        """Return the path of the image with an id; none if several have the same content."""
        paths = self._by_id.get(image_id, set())
        return paths if len(paths) == 1 else set()


def _normal(name: str) -> str:
    """Return the name with composed letters (Unicode NFC), because macOS writes letters and accents separately."""
    return unicodedata.normalize("NFC", name)


def _ends(path: str) -> Iterable[str]:
    """Return all ends of a path: `a/b/c`, `b/c` and `c` for `a/b/c`."""
    parts = path.removeprefix("./").split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
