"""Labels from folders, names, expressions or a table. Standard library only."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from workflow_scripts.errors import UserError
from workflow_scripts.intake.known import STATUSES, Match, match, read_known
from workflow_scripts.intake.listing import LABEL_TABLE

KEYS = ("path", "filename", "image_id")


@dataclass(frozen=True)
class Labelling:
    """The label of each path (`""` for none), the rule that gave them, and why or with what result.

    `matches` says of the rule `hash` what became of each content of the labelled data set (`known.MATCH_COLUMNS`).
    """

    labels: dict[str, str]
    rule: str
    why: str
    matches: tuple[Match, ...] = ()


def find_table(root: str | Path, rule: str, file: str | None) -> str | None:
    """The table that a rule reads, `hash`: `file`; `auto` or `csv`: that, or `labels.csv` at the top of `root`, if any.

    Raises `UserError` if `file` is given and is no file.
    """
    if rule not in ("auto", "csv", "hash"):
        return None
    table = Path(file) if file else Path(root, LABEL_TABLE)
    if file and not table.is_file():
        raise UserError(f"config: intake.labels.file: found no file {file}, allowed: a CSV with the column label")
    return str(table) if table.is_file() else None


def label_images(
    images: Mapping[str, str],
    rule: str = "auto",
    level: int = -1,
    pattern: str | None = None,
    file: str | None = None,
    pixels: Mapping[str, str] | None = None,
) -> Labelling:
    """Label pictures.

    Parameters
    ----------
    images : relative path (with `/`) -> image id
    pixels : relative path -> hash of the decoded pixels, for `hash`
    rule :
        `none`; `folder`: the path's folder number `level` (-1 the nearest, 0 the outermost); `prefix`: the file's name
        up to its last number (`rolled-in_scale_176.jpg` -> `rolled-in_scale`); `regex`: the group `label`, or the
        first, of `pattern` searched in the path; `csv`: the table `file` (`find_table`) with the columns `path`,
        `filename` or `image_id`, and `label`; names may lack folders or the extension as long as they mean one picture;
        `hash`: the table `file` of the contents of labelled files (`known.read_known`), whatever they are called;
        `auto`: the first of the table `file`, if there is one, folders (from the nearest outwards) and prefix that
        makes sense: at least two classes, at most half as many classes as pictures, and a label for half of the
        pictures or more; otherwise none.

    Raises `UserError` for a rule that cannot work.
    """
    if rule == "none":
        return Labelling(dict.fromkeys(images, ""), "none", "no labels asked for")
    if rule == "folder":
        return _counted({path: _folder(path, level) for path in images}, f"folder, level {level}")
    if rule == "prefix":
        return _counted({path: _prefix(path) for path in images}, "prefix of the file's name")
    if rule == "regex":
        expression = _expression(pattern or "")
        return _counted({path: _searched(expression, path) for path in images}, f"regex {pattern}")
    if rule == "csv":
        return _from_table(images, file)
    if rule == "hash":
        return _from_known(images, pixels or {}, Path(file or ""))
    if rule == "auto":
        return _auto(images, file)
    raise UserError(f"intake.labels: found {rule!r}, allowed: auto, none, folder, prefix, regex, csv, hash")


def _counted(labels: dict[str, str], rule: str, note: str = "") -> Labelling:
    classes = len(set(labels.values()) - {""})
    without = sum(not label for label in labels.values())
    why = f"{classes} classes, {without} of {len(labels)} pictures without a label{note}"
    return Labelling(labels, rule, why)


def _folder(path: str, level: int) -> str:
    folders = path.split("/")[:-1]
    return folders[level] if -len(folders) <= level < len(folders) else ""


def _prefix(path: str) -> str:
    """The name's stem without its last number, that number's brackets and the separators before it."""
    return re.sub(r"[\s_.\-]*[(\[]?\d+[)\]]?$", "", PurePosixPath(path).stem)


def _expression(pattern: str) -> re.Pattern[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(f"intake.labels.pattern: found {pattern!r} ({error}), allowed: a regular expression") from None
    if not expression.groups:
        raise UserError(f"intake.labels.pattern: found {pattern!r}, allowed: an expression with a group for the label")
    return expression


def _searched(expression: re.Pattern[str], path: str) -> str:
    match = expression.search(path)
    return (match.group("label" if "label" in expression.groupindex else 1) or "") if match else ""


def _auto(images: Mapping[str, str], file: str | None) -> Labelling:
    refused = []
    for candidate in _candidates(images, file):
        if isinstance(candidate, str):
            refused.append(candidate)
        elif trouble := _implausible(candidate.labels):
            refused.append(f"{candidate.rule}: {trouble}")
        else:
            return Labelling(candidate.labels, candidate.rule, "; ".join([*refused, candidate.why]))
    return Labelling(dict.fromkeys(images, ""), "none", "; ".join(refused))


def _candidates(images: Mapping[str, str], file: str | None) -> Iterator[Labelling | str]:
    """What `auto` tries, in its order; a string says why there is nothing to try."""
    if file:
        try:
            yield _from_table(images, file)
        except UserError as error:
            yield str(error)
    else:
        yield f"no {LABEL_TABLE}"
    depth = max((path.count("/") for path in images), default=0)
    if depth == 0:
        yield "no folders"
    for level in range(1, depth + 1):
        yield label_images(images, "folder", level=-level)
    yield label_images(images, "prefix")


def _implausible(labels: Mapping[str, str]) -> str:
    """Why the labels make no sense as classes; empty if they do."""
    classes = len(set(labels.values()) - {""})
    labelled = sum(bool(label) for label in labels.values())
    if 2 * labelled < len(labels):
        return f"only {labelled} of {len(labels)} pictures have a label"
    if classes < 2:
        return "one class for all"
    if 2 * classes > len(labels):
        return f"{classes} classes for {len(labels)} pictures"
    return ""


def _from_table(images: Mapping[str, str], file: str | None) -> Labelling:
    """Labels by a table's rows; a row that names no picture, or more than one, is counted and left aside."""
    if not file:
        raise UserError(f"config: intake.labels.file: found none, and no {LABEL_TABLE} in the data; allowed: a CSV")
    found, unmatched = _matched(images, Path(file))
    labels = {**dict.fromkeys(images, ""), **found}
    return _counted(labels, f"table {Path(file).name}", f", {unmatched} rows without a picture of their own")


def corrected(labelling: Labelling, images: Mapping[str, str], file: str) -> Labelling:
    """The labelling with the labels of a table, such as the audit's page exports, in place of its own.

    The table's rows name pictures as those of the rule `csv` do; one without a label leaves the picture's as it is.
    """
    found, unmatched = _matched(images, Path(file))
    changes = {path: label for path, label in found.items() if label not in ("", labelling.labels[path])}
    why = f"{labelling.why}; {len(changes)} labels changed by {Path(file).name}"
    lost = f", {unmatched} of its rows without a picture of their own" if unmatched else ""
    return replace(labelling, labels={**labelling.labels, **changes}, why=why + lost)


def _matched(images: Mapping[str, str], table: Path) -> tuple[dict[str, str], int]:
    """The labels of the pictures that a table's rows name, and how many rows name none, or more than one."""
    index = _index(images)
    labels: dict[str, str] = {}
    unmatched = 0
    for key, label in _rows(table):
        paths = {key} if key in images else next((index[name] for name in _suffixes(key) if name in index), set())
        if len(paths) != 1 and len({images[path] for path in paths}) != 1:
            unmatched += 1
            continue
        for path in paths:
            if labels.get(path, "") not in ("", label):
                raise UserError(f"{table}: found the labels {labels[path]!r} and {label!r} for {path}, allowed: one")
            labels[path] = label
    return labels, unmatched


def _from_known(images: Mapping[str, str], pixels: Mapping[str, str], table: Path) -> Labelling:
    """Labels of the files of another data set that have the same bytes or the same pixels."""
    contents = {path: (image_id, pixels.get(path, "")) for path, image_id in images.items()}
    matches = tuple(match(contents, read_known(table)))
    found = {content: label for content, status, label, *_ in matches if status == "matched"}
    labels = {path: next((found[key] for key in its if key in found), "") for path, its in contents.items()}
    counts = Counter(status for _, status, *_ in matches)
    files = sum(number for *_, number, _ in matches)
    told = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
    counted = _counted(labels, f"content of {table.name}", f"; {files} labelled files, {len(matches)} contents: {told}")
    return replace(counted, matches=matches)


def _rows(table: Path) -> Iterator[tuple[str, str]]:
    try:
        with open(table, newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            columns = {name.strip().lower(): name for name in rows.fieldnames or []}
            key = next((columns[name] for name in KEYS if name in columns), None)
            if key is None or "label" not in columns:
                raise UserError(f"{table}: found columns {list(columns)}, allowed: one of {', '.join(KEYS)}, and label")
            for row in rows:
                yield (row[key] or "").strip().replace("\\", "/"), (row[columns["label"]] or "").strip()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{table}: cannot be read as a CSV in UTF-8 ({error})") from None


def _index(images: Mapping[str, str]) -> dict[str, set[str]]:
    """Every name that a row may give a picture: its id, its path or an end of it, each with and without extension."""
    index: defaultdict[str, set[str]] = defaultdict(set)
    for path, image_id in images.items():
        for name in (image_id, *_suffixes(path), *_suffixes(str(PurePosixPath(path).with_suffix("")))):
            index[name].add(path)
    return index


def _suffixes(path: str) -> list[str]:
    """`a/b/c` -> `a/b/c`, `b/c`, `c`."""
    parts = path.removeprefix("./").split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
