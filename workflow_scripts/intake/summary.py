"""Say what intake took in, how it was labelled and what was set aside: as sentences for the log, and as a table."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from workflow_scripts.intake.labels import Labelling, classes_in_words
from workflow_scripts.intake.listing import LABEL_TABLE
from workflow_scripts.io.rejections import count_reasons
from workflow_scripts.wording import count

COLUMNS = ("subject", "number", "detail")


def labels_in_words(manifest: pd.DataFrame, labelling: Labelling) -> str:
    """Return a sentence for the log: the rule that gave the labels, the classes, and the rules or rows that were not
    used."""
    labels = dict(zip(manifest["path"], manifest["label"], strict=True))
    counted = [classes_in_words(labels)] if labelling.rule != "none" or any(labels.values()) else []
    return f"labels: {labelling.rule} ({'; '.join([*counted, *labelling.why])})"


def rejected_in_words(rejected: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence with the number of rejected files for each reason, if there are any."""
    if len(rejected):
        yield f"{count(len(rejected), 'file')} rejected: {count_reasons(rejected['reason'])}"


def unread_tables(paths: Iterable[str], rule: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence if a folder below the top has a table of labels, which is not read there.

    `paths` are those of the files that were set aside, and `rule` has the settings of the labels. There is no sentence
    if the settings name a table, or another rule than `auto`.
    """
    tables = [path for path in paths if PurePosixPath(path).name == LABEL_TABLE]
    if tables and rule.get("rule", "auto") == "auto" and not rule.get("file"):
        yield f"{tables[0]} is not at the top of the data and so not read: name it in intake.labels.file to use it"


def summary_table(
    manifest: pd.DataFrame, rejected: pd.DataFrame, labelling: Labelling, notes: Iterable[str]
) -> pd.DataFrame:
    """Return a table with `COLUMNS` that says what was taken in, labelled and set aside, and why."""
    sizes = manifest["label"].value_counts()
    rows: list[tuple[str, int | None, str]] = [("taken in", len(manifest), "")]
    rows.append(("labels", len(manifest) - int(sizes.get("", 0)), labelling.rule))
    rows += [("about labels", None, sentence) for sentence in labelling.why]
    rows += [("class", size, label) for label, size in sizes.items() if label]
    without = manifest.loc[manifest["label"] == "", "path"]
    if len(without) and len(sizes) > 1:
        rows.append(("without a label", len(without), f"the first is {without.iloc[0]}"))
    rows += [("note", None, sentence) for sentence in notes]
    for reason, files in rejected.groupby("reason"):
        first = files.iloc[0]
        rows.append(("set aside", len(files), f"{reason}; the first is {first['path']}: {first['detail']}"))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"number": "Int64"})
