"""Read tables whose rows name images: tables of labels, of scales, of picked images, and of images set aside.

Rules import this module, so it uses the standard library only.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.errors import NoneNamedError, UserError
from workflow_scripts.intake.any_csv import read_rows
from workflow_scripts.intake.decisions import DECIDED, DECISION, REMOVED, Decision, later, latest
from workflow_scripts.intake.image_index import ImageIndex, file_of, is_of_part

KEYS = ("path", "filename", "image_id")
"""Allowed names of the column that names the images. If there is none of them, the column is recognised by its
values."""
LABELS = ("label", "class", "category", "target")
"""Allowed names of the column of labels."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*Z$")
"""A time as the pages write it, in UTC. Such times sort as texts in the order of time."""
_SAMPLE = 200
"""The number of rows that are looked at to recognise the column that names the images."""


@dataclass(frozen=True)
class Matched:
    """The labels of a table.

    Attributes
    ----------
    labels : the label of each image, by path; "" if it was taken back.
    columns : the names of the columns that were read.
    unmatched : the number of rows that name no image or more than one.
    decisions : the decisions of the rows. Their keys are the paths of the images; for a row that names no image or more
        than one, the key is the name in the row.
    """

    labels: dict[str, str]
    columns: str
    unmatched: int
    decisions: dict[str, Decision]


class _Rows:
    """The rows of a table, and the images that they name.

    If `parts` is true, only rows that name parts of files (pages, tiles or boxes) are taken; if it is false, only the
    other rows; if it is None, all. Raises `UserError` if the table cannot be read. Raises `NoneNamedError` if no column
    names images, or files from which images were cut.
    """

    def __init__(self, table: Path, images: Mapping[str, str], parts: bool | None = None) -> None:
        self.table = table
        self.images = images
        self._index = ImageIndex(images)
        files = self._index.of_files()
        rows = _rows_of(table, files)
        header, self.key = _key_column(table, rows, files)
        self.names = [cell.strip().lower() for cell in rows[0]]
        self.titles = [cell.strip() for cell in rows[0]] if header else []
        self.rows = [row for row in rows[header:] if parts in (None, is_of_part(_cell(row, self.key)))]

    def column(self, name: str) -> int | None:
        """Return the number, from 0, of the column with a name in the header, or None if there is none."""
        return self.names.index(name) if self.titles and name in self.names else None

    def is_removed(self, row: Sequence[str]) -> bool:
        """Return whether a row takes an earlier decision back."""
        return _cell(row, self.column(DECISION)) == REMOVED

    def named(self, row: Sequence[str]) -> set[str]:
        """Return the paths of the images that a row names."""
        return self._index.images_named(_cell(row, self.key))

    def decisions(self, cells: Callable[[Sequence[str]], tuple[str, ...] | None]) -> tuple[dict[str, Decision], int]:
        """Return the decision on each image, and the number of rows that name no image or more than one.

        The keys of the decisions are the paths of the images; for a row that names no image or more than one, the key
        is the name in the row. `cells` is a function that returns the cells of a row which form its decision, or None
        for a row without a decision. If the file that a row names is gone, the cell `image_id` of the row identifies
        the image, provided that only one image has this content and that no other row names it.

        Raises `UserError` for two different decisions on an image unless both have times, and `NoneNamedError` if no
        row names an image.
        """
        named = [(row, self.named(row)) for row in self.rows]
        taken: set[str] = set().union(*(paths for _, paths in named))
        content, time = map(self.column, ("image_id", DECIDED))
        decisions: dict[str, Decision] = {}
        unmatched = 0
        for row, images in named:
            paths = images or self._index.moved(_cell(row, content)) - taken
            is_one = len({self.images[path] for path in paths}) == 1
            unmatched += not is_one
            cells_of_row = cells(row)
            if cells_of_row is not None:
                decision = Decision(cells_of_row, _time(row, time))
                for name in paths if is_one else [_cell(row, self.key)]:
                    decisions[name] = self._later_or_refuse(name, decisions.get(name), decision)
        if unmatched == len(self.rows):
            raise self.none_named(self.rows)
        return decisions, unmatched

    def _later_or_refuse(self, name: str, before: Decision | None, decision: Decision) -> Decision:
        if before and before.cells != decision.cells and not (before.decided and decision.decided):
            one, other = (", ".join(each.cells) for each in (before, decision))
            raise UserError(f"{self.table}: found {one!r} and {other!r} for {name}, allowed: one")
        return later(before, decision)

    def none_named(self, rows: Sequence[Sequence[str]]) -> NoneNamedError:
        """Return the error to raise if none of the given rows names an image."""
        first = f"the first of {len(rows)} rows is {_cell(rows[0], self.key)!r}" if rows else "there are none"
        allowed = f"names of files such as {min(self.images)!r}"
        return NoneNamedError(f"{self.table}: found no row that names an image: {first}; allowed: {allowed}")


def read_selection(table: Path, images: Mapping[str, str], name: str) -> set[str]:
    """Return the paths of the images that a table names, such as those that the explorer page exports.

    Parameters
    ----------
    table : as for `read_label_table`.
    images : image ids by relative path. If a file is named, all files with the same content are returned.
    name : if the table has a column `selection`, only the rows with this value count.

    Raises `UserError` if the table cannot be read, if it has no row with the value, or if it names no image.
    """
    rows = _Rows(table, images)
    column = rows.column("selection")
    wanted = [row for row in rows.rows if column is None or _cell(row, column) == name]
    if not wanted:
        raise UserError(f"{table}: found no row with selection {name!r}, allowed: such rows, or no column selection")
    named = set().union(*map(rows.named, wanted))
    if not named:
        raise rows.none_named(wanted)
    contents = {images[path] for path in named}
    return {path for path, image_id in images.items() if image_id in contents}


def read_set_aside(tables: Iterable[str], images: Mapping[str, str], parts: bool | None = None) -> dict[str, Decision]:
    """Return decisions about which images to set aside, read from tables such as the explorer page exports.

    Parameters
    ----------
    tables : paths, as for `read_label_table`. Every row of a table without a column `set_aside` means "yes".
    images : image ids by relative path. If a file is named, all files with the same content get the decision.
    parts : true takes only the rows that name parts of files (pages, tiles or boxes), false only the others, None all.

    The keys of the decisions are the paths of the images; for a row that names no image or more than one, the key is
    the name in the row. The `value` of a decision is "yes" for an image that is set aside. If there are several
    decisions on an image, the latest one counts. Raises `UserError` and `NoneNamedError` as `read_label_table`.
    """
    same: defaultdict[str, list[str]] = defaultdict(list)
    for path, image_id in images.items():
        same[image_id].append(path)
    named = latest(_set_aside(_Rows(Path(table), images, parts)) for table in tables)
    copies = (dict.fromkeys(same[images[name]], decision) for name, decision in named.items() if name in images)
    return latest([named, *copies])


def _set_aside(rows: _Rows) -> dict[str, Decision]:
    if not rows.rows:
        return {}
    column = rows.column("set_aside")
    decisions, _ = rows.decisions(lambda row: ("yes",) if column is None else _filled(row, column))
    return decisions


def read_columns(table: Path, images: Mapping[str, str], columns: Sequence[str]) -> dict[str, Decision]:
    """Return the decisions in a table: for each row, the cells in the given `columns`.

    Each row is a decision, even if its cells are empty. A cell is "" if the table lacks the column; the table must have
    at least one of the columns. The keys of the result are the paths of the images; for a row that names no image or
    more than one, the key is the name in the row. The other arguments and the errors are those of `read_label_table`.
    """
    rows = _Rows(table, images)
    places = [rows.column(name) for name in columns]
    if all(place is None for place in places):
        raise _no_column(rows, *columns)
    decisions, _ = rows.decisions(
        lambda row: () if rows.is_removed(row) else tuple(_cell(row, place) for place in places)
    )
    return decisions


def read_label_table(
    table: Path, images: Mapping[str, str], column: str | None = None, usual: Sequence[str] = LABELS, key: str = ""
) -> Matched:
    """Read the labels of images from a table.

    A row without a label is ignored. A row with the decision `REMOVED` takes back the label of its image. If two rows
    about an image have times, the later one counts.

    Parameters
    ----------
    table :
        path of a CSV, separated by commas, semicolons, tabs, bars or spaces, in UTF-8, UTF-16 or Windows-1252, with or
        without a header. One column names the images: a column with a name in `KEYS`, or the one whose values name
        files. If a named file was moved, the cell in the column `image_id` identifies the image, provided that only one
        image has this content and that no other row names it.
    images :
        image ids by relative path (with `/`). A row may name an image without its folders or its extension if the name
        is unique.
    column, usual :
        name of the column of labels. If `column` is None, the first of the names in `usual` that the table has is
        taken, or the only other column. Capital and small letters are the same.
    key :
        the key of the configuration that sets `column`, for the message if no column is recognised; "" if there is
        none.

    Raises `UserError` if the table cannot be read, if its columns are not recognised, or if it gives an image two
    different labels without times. Raises `NoneNamedError` if it names no image.
    """
    rows = _Rows(table, images)
    label = _named_column(rows, column) if column else _label_column(rows, usual, key)
    decisions, unmatched = rows.decisions(lambda row: () if rows.is_removed(row) else _filled(row, label))
    names = [rows.titles[place] if rows.titles else f"column {place + 1}" for place in (rows.key, label)]
    labels = {path: decision.value for path, decision in decisions.items() if path in images}
    return Matched(labels, " and ".join(names), unmatched, decisions)


def _filled(row: Sequence[str], column: int) -> tuple[str] | None:
    """Return a tuple with the text of a cell; None if the cell is empty."""
    text = _cell(row, column)
    return (text,) if text else None


def _time(row: Sequence[str], column: int | None) -> str:
    """Return the time in a cell, or "" if the cell does not hold a time in the form in which the pages write it
    (`TIME`)."""
    text = _cell(row, column)
    return text if TIME.match(text) else ""


def _cell(row: Sequence[str], column: int | None) -> str:
    """Return the text of a cell; "" if the row is too short, or if there is no such column."""
    return "" if column is None or column >= len(row) else row[column].strip()


def _rows_of(table: Path, files: ImageIndex) -> list[list[str]]:
    """Return the cells of a table of images.

    If no line has a separator, the lines are divided at spaces, unless whole lines are names of images.
    """
    rows = read_rows(table)
    if all(len(row) == 1 for row in rows) and not any(_names_file(row[0], files) for row in rows[:_SAMPLE]):
        return [row[0].split() for row in rows]
    return rows


def _names_file(name: str, files: ImageIndex) -> bool:
    """Return whether a name stands for a file, or for a part of a file (a page, tile or box)."""
    return bool(files.images_named(name) or files.images_named(file_of(name)))


def _key_column(table: Path, rows: Sequence[Sequence[str]], files: ImageIndex) -> tuple[int, int]:
    """Return the number of header rows (0 or 1), and the number, from 0, of the column that names the images.

    Raises `NoneNamedError` if no column names images.
    """
    names = [cell.strip().lower() for cell in rows[0]]
    key = next((names.index(name) for name in KEYS if name in names), None)
    if key is None:
        sample = rows[:_SAMPLE]
        named = [
            sum(_names_file(row[column], files) for row in sample if column < len(row)) for column in range(len(names))
        ]
        key = max(range(len(named)), key=named.__getitem__)
        if 2 * named[key] < len(sample) - 1 or not named[key]:
            raise NoneNamedError(
                f"{table}: found columns {', '.join(names)}, of which none names files; "
                f"allowed: one of {', '.join(KEYS)}"
            )
    return 0 if _names_file(rows[0][key], files) else 1, key


def _named_column(rows: _Rows, name: str) -> int:
    """Return the number, from 0, of the column with a name; raise `UserError` if there is none."""
    place = rows.column(name.lower())
    if place is None:
        raise _no_column(rows, name)
    return place


def _no_column(rows: _Rows, *names: str) -> UserError:
    """Return the error for a table that has no column with one of the given names."""
    columns = ", ".join(rows.titles) or f"{len(rows.names)} columns without names"
    wanted = " or ".join(map(repr, names))
    return UserError(f"{rows.table}: found no column {wanted}, but {columns}; allowed: a first row with this name")


def _label_column(rows: _Rows, allowed: Sequence[str], key: str) -> int:
    """Return the number, from 0, of the column of labels.

    It is the column with the first of the `allowed` names that the table has. Without such a column, it is the only
    column besides the names of the images. Raises `UserError` if there is none. `key` is the setting that names the
    column, for the message.
    """
    label = next((rows.names.index(name) for name in allowed if name in rows.names), None)
    if label is not None:
        return label
    others = [column for column in range(len(rows.names)) if column != rows.key]
    if len(others) != 1:
        one = f"one of {', '.join(allowed)}"
        if not rows.titles:
            raise UserError(
                f"{rows.table}: found {len(rows.names)} columns without names, "
                f"allowed: a first row with their names, {one} of them"
            )
        named = f"; {key} names another" if key else ""
        raise UserError(
            f"{rows.table}: found columns {', '.join(rows.names)}, allowed: {one} beside {rows.names[rows.key]}{named}"
        )
    return others[0]
