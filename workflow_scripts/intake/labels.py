"""Label images by their folders, file names or annotations, by a regular expression, or by a table.

Rules import this module, so it uses the standard library only.
"""

import re
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from workflow_scripts.errors import NoneNamedError, UserError
from workflow_scripts.intake.boxes import read_boxes
from workflow_scripts.intake.decisions import Decision, latest
from workflow_scripts.intake.known import STATUSES, Match, match, read_known
from workflow_scripts.intake.label_table import read_label_table
from workflow_scripts.intake.listing import LABEL_TABLE
from workflow_scripts.wording import count

SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "images", "imgs", "data", "all"}
"""Names of folders that divide a data set into parts, such as images to train on; these folders are not classes."""
OF_PATHS = ("folder", "prefix", "regex")
"""The rules that take the label from the path of an image."""
STRAY = 3
"""The largest number of images outside the largest class that are not enough for a second class."""
STRAY_SHARE = 0.02
MOST_NAMED = 8
"""The largest number of classes for which all are named at the end of a run."""
NO_TABLE = f"config: intake.labels.file: found none, and no {LABEL_TABLE} in the data; allowed: a CSV"
"""The message if the rule `csv` has no table."""
LONGEST_SECONDS = 60.0
"""Time limit for the search of a regular expression in all paths, in seconds of CPU time of this process."""


@dataclass(frozen=True)
class Labelling:
    """The labels of images.

    Attributes
    ----------
    labels : the label of each image, by path; "" for images without a label.
    rule : the name of the rule that was applied.
    why : sentences for the log: why this rule was chosen, and which rules or rows were not used.
    matches : for the rule `hash`, one row for each hash of a labelled file, with the columns `known.MATCH_COLUMNS`.
    by_hand : the decisions of people (see `corrected`). The key is the path of the image; for a row that names no image
        or more than one, it is the name in the row.
    """

    labels: dict[str, str]
    rule: str
    why: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    by_hand: Mapping[str, Decision] = field(default_factory=dict)


def find_table(root: str | Path, rule: str, file: str | None) -> str | None:
    """Return the path of the table that a rule reads, or None if it reads none.

    The table is `file` if it is given, otherwise `labels.csv` at the top of `root` if it exists. Only the rules `auto`,
    `csv` and `hash` read a table. Raises `UserError` if `file` is given and does not exist.
    """
    if rule not in ("auto", "csv", "hash"):
        return None
    table = Path(file) if file else Path(root, LABEL_TABLE)
    if file and not table.is_file():
        raise UserError(f"config: intake.labels.file: found no file {file}, allowed: a CSV with a column of labels")
    return str(table) if table.is_file() else None


def label_images(
    images: Mapping[str, str],
    rule: str = "auto",
    level: int = -1,
    pattern: str | None = None,
    file: str | None = None,
    column: str | None = None,
    pixels: Mapping[str, str] | None = None,
) -> Labelling:
    """Label images by a rule.

    Parameters
    ----------
    images : image ids by relative path (with `/`).
    column : the name of the column of labels in a table, for the rules `csv` and `auto`; None takes a usual one.
    pixels : hashes of the decoded pixels by relative path, for the rule `hash`.
    rule :
        - `none`: no labels.
        - `folder`: the name of the folder number `level` in the path (-1 is the nearest, 0 the outermost).
        - `prefix`: the file's name up to its last number, such as `rolled-in_scale` for `rolled-in_scale_176.jpg`.
        - `regex`: the group `label`, or the first group, of `pattern` searched in the path.
        - `csv`: the labels of the table `file` (see `label_table.read_label_table`).
        - `hash`: the labels of the table `file`, whose rows are matched by content (see `known.read_known`).
        - `boxes`: the class of the image's boxes in the annotations `file`, if it is the same for all (see
          `boxes.read_boxes`).
        - `auto`: the table `file` if it is given. Otherwise `folder`, for one level after the other, and then `prefix`
          are tried, and the first plausible labels are taken; without plausible labels, `none`. Labels are plausible if
          half of the images or more have one, if there are at least two classes and at most half as many as images, if
          the classes are not parts of a data set (train, test), and if more than a few images are outside the largest
          class.

    Raises `UserError` if the rule cannot be applied, and `NoneNamedError` if it fits no image.
    """
    if rule == "none":
        return Labelling(dict.fromkeys(images, ""), "none", ("no labels asked for",))
    if rule == "auto":
        return _auto(images, file, column)
    labelling = _applied(images, rule, level, pattern, file, column, pixels or {})
    if rule in OF_PATHS and images and not any(labelling.labels.values()):
        allowed = f"one that fits the images, the first is {next(iter(images))!r}"
        raise NoneNamedError(f"config: intake: found the rule {labelling.rule}, allowed: {allowed}")
    return labelling


def _applied(
    images: Mapping[str, str],
    rule: str,
    level: int,
    pattern: str | None,
    file: str | None,
    column: str | None,
    pixels: Mapping[str, str],
) -> Labelling:
    if rule == "folder":
        return _by_folder(images, level)
    if rule == "prefix":
        return _by_prefix(images)
    if rule == "regex":
        expression = _expression(pattern or "")
        with _in_time(expression.pattern):
            return Labelling({path: _searched(expression, path) for path in images}, f"regex {pattern}")
    if rule == "csv":
        return _from_table(images, file, column)
    if rule == "hash":
        return _from_known(images, pixels, Path(file or ""))
    if rule == "boxes":
        boxes = read_boxes(file or "", images)
        return Labelling({path: boxes.label(path) for path in images}, f"boxes of {boxes.source}")
    raise UserError(f"intake.labels: found {rule!r}, allowed: auto, none, folder, prefix, regex, csv, hash, boxes")


def _by_folder(images: Iterable[str], level: int) -> Labelling:
    return Labelling({path: _folder(path, level) for path in images}, f"folder, level {level}")


def _by_prefix(images: Iterable[str]) -> Labelling:
    return Labelling({path: _prefix(path) for path in images}, "prefix of the file's name")


def classes_in_words(labels: Mapping[str, str]) -> str:
    """Return a text with the number and the sizes of the classes, and with the number of images without a label.

    `labels` has the label of each image, by path. If there are more than `MOST_NAMED` classes, only the largest ones
    and the smallest are named.
    """
    counts = Counter(labels.values())
    without = counts.pop("", 0)
    sizes = [f"{' '.join(label.split())} {size}" for label, size in counts.most_common()]
    if len(sizes) > MOST_NAMED:
        sizes = [*sizes[:3], "...", sizes[-1]]
    named = f" ({', '.join(sizes)})" if sizes else ""
    first = next((f" ({path})" for path, label in labels.items() if sizes and not label), "")
    return f"{count(len(counts), 'class', 'classes')}{named}, {without} of {len(labels)} images without a label{first}"


def _folder(path: str, level: int) -> str:
    folders = path.split("/")[:-1]
    return folders[level] if -len(folders) <= level < len(folders) else ""


def _prefix(path: str) -> str:
    """Return a file's name without its extension, and without a number at its end.

    The separators before this number and the brackets around it are removed too.
    """
    return re.sub(r"[\s_.\-]*[(\[]?\d+[)\]]?$", "", PurePosixPath(path).stem)


def _expression(pattern: str) -> re.Pattern[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(f"intake.labels.pattern: found {pattern!r} ({error}), allowed: a regular expression") from None
    if not expression.groups:
        raise UserError(f"intake.labels.pattern: found {pattern!r}, allowed: an expression with a group for the label")
    return expression


@contextmanager
def _in_time(pattern: str) -> Iterator[None]:
    """Raise `UserError` if the searches inside the `with` block take too long, that is more than `LONGEST_SECONDS`.

    A search for a pattern such as `(a+)+$` may take very long.
    """

    def stop(*_: object) -> None:
        raise UserError(
            f"intake.labels.pattern: found {pattern!r}, whose search takes more than {LONGEST_SECONDS} s; allowed: an "
            "expression without a repetition inside a repetition"
        )

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _searched(expression: re.Pattern[str], path: str) -> str:
    match = expression.search(path)
    return (match.group("label" if "label" in expression.groupindex else 1) or "") if match else ""


def _auto(images: Mapping[str, str], file: str | None, column: str | None) -> Labelling:
    """Return the labels of a table if `file` or `column` is given, otherwise the first plausible labels, if any.

    `_candidates` yields the labels to try. Without a table, `why` of the result says which rules were refused and why.
    """
    if file or column:
        return _from_table(images, file, column)
    refused = [f"no {LABEL_TABLE}"]
    if not any("/" in path for path in images):
        refused.append("no folders")
    for candidate in _candidates(images):
        if trouble := _implausible(candidate.labels):
            refused.append(f"{candidate.rule}: {trouble}")
        else:
            return Labelling(candidate.labels, candidate.rule, tuple(refused))
    return Labelling(dict.fromkeys(images, ""), "none", tuple(refused))


def _candidates(images: Mapping[str, str]) -> Iterator[Labelling]:
    """Yield the labellings that `auto` tries: by each level of folders, then by prefix.

    Folders are tried from the nearest outwards, or from the outermost inwards if images are at several depths.
    """
    depths = Counter(path.count("/") for path in images)
    deepest = max(depths, default=0)
    # `defect/1.png` beside `no_defect/FABRIC/1.png`: only the outer folders mean the same for every image.
    ragged = depths and max(depths.values()) < (1 - STRAY_SHARE) * len(images)
    levels = range(deepest) if ragged else range(-1, -deepest - 1, -1)
    for level in levels:
        yield _by_folder(images, level)
    yield _by_prefix(images)


def _implausible(labels: Mapping[str, str]) -> str:
    """Return the reason why the labels are not plausible as classes, or "" if they are."""
    counts = Counter(labels.values())
    without = counts.pop("", 0)
    labelled = len(labels) - without
    if 2 * labelled < len(labels):
        return f"only {labelled} of {len(labels)} images have a label"
    if len(counts) < 2:
        return "one class for all"
    if 2 * len(counts) > len(labels):
        return f"{len(counts)} classes for {len(labels)} images"
    if {name.lower() for name in counts} <= SPLITS:
        return f"{', '.join(sorted(counts))} are parts of a data set, not classes"
    largest, size = counts.most_common(1)[0]
    stray = labelled - size
    if size >= STRAY * 10 and stray <= max(STRAY, STRAY_SHARE * labelled / 10):
        return f"{size} of {labelled} images are {largest!r}, only {stray} are not: too few for classes"
    return ""


def _from_table(images: Mapping[str, str], file: str | None, column: str | None) -> Labelling:
    """Return the labels of a table; rows that name no image or more than one are counted and not used."""
    if not file:
        raise UserError(NO_TABLE)
    table = read_label_table(Path(file), images, column, key="intake.labels.column")
    labels = {**dict.fromkeys(images, ""), **table.labels}
    unmatched = f"{count(table.unmatched, 'row that names', 'rows that name')} no image or more than one"
    return Labelling(labels, f"table {Path(file).name} ({table.columns})", (unmatched,))


def corrected(labelling: Labelling, images: Mapping[str, str], files: Sequence[str]) -> Labelling:
    """Return the labelling after people's corrections, which are read from the tables `files`.

    The tables, which the pages export, are read as for the rule `csv`. If there are several decisions on an image, the
    latest one counts; without times it is the last one. If the decision takes a label back, the image keeps the label
    of the rule.
    """
    tables = [read_label_table(Path(file), images) for file in files]
    if not tables:
        return labelling
    by_hand = latest(table.decisions for table in tables)
    given = {path: by_hand[path].value for path in by_hand.keys() & labelling.labels.keys() if by_hand[path].value}
    changed = sum(labelling.labels[path] != label for path, label in given.items())
    unmatched = sum(table.unmatched for table in tables)
    lost = f", {count(unmatched, 'row names', 'rows name')} no image or more than one" if unmatched else ""
    names = " and ".join(Path(file).name for file in files)
    why = (*labelling.why, f"{count(changed, 'label')} changed by {names}{lost}")
    return replace(labelling, labels={**labelling.labels, **given}, why=why, by_hand=by_hand)


def _from_known(images: Mapping[str, str], pixels: Mapping[str, str], table: Path) -> Labelling:
    """Return the labels from a table of labelled files with the same bytes or pixels as the images."""
    contents = {path: (image_id, pixels.get(path, "")) for path, image_id in images.items()}
    matches = tuple(match(contents, read_known(table)))
    known = {content: label for content, status, label, *_ in matches if status == "matched"}
    labels = {path: next((known[key] for key in keys if key in known), "") for path, keys in contents.items()}
    counts = Counter(status for _, status, *_ in matches)
    files = sum(number for *_, number, _ in matches)
    statuses = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
    why = f"{files} labelled files, {len(matches)} contents: {statuses}"
    return Labelling(labels, f"content of {table.name}", (why,), matches)
