"""Compare several sets of labels in two tables: what each set contains, and how well each pair of sets agrees."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.errors import UserError
from workflow_scripts.figures.canvas import note
from workflow_scripts.figures.text_table import write_tables
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.intake.any_csv import read_rows
from workflow_scripts.intake.known import MATCH_COLUMNS, match, read_known
from workflow_scripts.intake.known_files import known_files
from workflow_scripts.intake.label_table import read_label_table
from workflow_scripts.io.manifest import content_hash, read_manifest
from workflow_scripts.metrics.votes import apart
from workflow_scripts.wording import decimal

HERE = "this data set"
_Labels = tuple[list[tuple[str, str]], int]
"""The content (see `tabulate`) and the label of each file or row of a set, and the number of rows that match no
image."""
COUNTS = {"classes": "Classes", "files": "Files", "contents": "Contents", "found": "Found", "conflicting": "Conflicts"}


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the counts of each set of labels, and the agreement of each pair of sets.

    The labels of the data set come first. A content identifies an image: it is the hash of the file's bytes, or the id
    of the image if images are parts of files.

    Returns
    -------
    DataFrame with rows of two kinds, which the column `part` tells apart. A `set` row has

    - `name`, `classes`: name of the set, and number of its classes.
    - `files`: number of labelled files, or of rows of the table.
    - `contents`: number of different contents.
    - `found`: number of contents that are images of the data set.
    - `missing`: number of the other contents, and of rows that match no image.
    - `conflicting`, `conflicting_files`: number of contents with several labels, and of the files with these contents.

    A `pair` row has

    - `name`, `other`: names of the two sets.
    - `common`: number of images of the data set with one label in each of the two sets.
    - `same`: share of these images whose two labels have the same name.
    - `ari`: adjusted Rand index of the two labellings; null if one of them has fewer than two classes.

    Raises
    ------
    UserError
        If a set cannot be read, or if it labels whole files and the images are parts of files.
    """
    manifest = read_manifest(inputs["manifest"][0])
    is_cut = "parent" in manifest and bool((manifest["parent"] != manifest["path"]).any())
    manifest["content"] = manifest["image_id"] if is_cut else manifest["image_id"].map(content_hash)
    ids = dict(zip(manifest["path"], manifest["content"], strict=True))
    own = manifest.dropna(subset="label")
    sets: dict[str, _Labels] = {apart(HERE, figure["sets"]): (list(zip(own["content"], own["label"], strict=True)), 0)}
    for name, path in zip(sorted(figure["sets"]), inputs["sets"], strict=True):
        if not _is_of_files(path):
            sets[name] = _of_images(path, ids)
        elif is_cut:
            allowed = f"a table that names parts of files, such as {manifest['path'].iloc[0]!r}"
            raise UserError(f"config: figures: sets: {name}: found labels of whole files, allowed: {allowed}")
        else:
            sets[name] = _of_files(path, figure["level"])
    images = {path: [content] for path, content in ids.items()}
    counts, labels = [], {}
    for name, (known, unmatched) in sets.items():
        contents = pd.DataFrame(match(images, known), columns=list(MATCH_COLUMNS))
        contents = contents.assign(is_here=contents["image"] != "", conflicts=contents["status"] == "conflicting")
        counts.append({"part": "set", "name": name, **_counts(known, unmatched, contents)})
        labels[name] = contents[contents["is_here"] & ~contents["conflicts"]].set_index("content")["labels"]
    pairs = pd.DataFrame(_agreements(labels), columns=["part", "name", "other", "common", "same", "ari"])
    whole = {column: "Int64" for column in (*counts[0], "common") if column not in ("part", "name")}
    return pd.concat([pd.DataFrame(counts), pairs], ignore_index=True).astype(whole)


def _counts(known: Sequence[tuple[str, str]], unmatched: int, contents: pd.DataFrame) -> dict[str, int]:
    """Return the counts of a `set` row. `known` and `unmatched` are the `_Labels`, and `contents` has a row for each
    content."""
    return {
        "classes": len({label for _, label in known}),
        "files": len(known) + unmatched,
        "contents": len(contents),
        "found": contents["is_here"].sum(),
        "missing": (~contents["is_here"]).sum() + unmatched,
        "conflicting": contents["conflicts"].sum(),
        "conflicting_files": contents.loc[contents["conflicts"], "files"].sum(),
    }


def _is_of_files(path: str) -> bool:
    """Return whether a label set identifies files by their content: it is a folder, or a table with a column
    `sha256`."""
    return Path(path).is_dir() or "sha256" in [cell.strip().lower() for cell in read_rows(Path(path))[0]]


def _of_files(path: str, level: int) -> _Labels:
    """Return the labels of a set of labelled files; every file counts as matched."""
    if not Path(path).is_dir():
        return list(read_known(Path(path))), 0
    try:
        return list(known_files(path, level)), 0
    except UserError as error:
        raise UserError(f"config: figures: sets: {path}: {str(error).removeprefix('config: ')}") from None


def _of_images(path: str, images: Mapping[str, str]) -> _Labels:
    """Return the labels of a table that names images; rows without a label are left out.

    `images` has the content (see `tabulate`) of each image, by path.
    """
    table = read_label_table(Path(path), images)
    return [(images[image], label) for image, label in table.labels.items() if label], table.unmatched


def _agreements(labels: Mapping[str, pd.Series]) -> Iterator[tuple[str, str, str, int, float | None, float | None]]:
    """Yield the values of one `pair` row for each pair of label sets.

    `labels` has, for each set, the label of each content (see `tabulate`).
    """
    from sklearn.metrics import adjusted_rand_score

    names = list(labels)
    for number, name in enumerate(names):
        for other in names[number + 1 :]:
            both = pd.concat([labels[name], labels[other]], axis=1, join="inner", keys=["one", "other"])
            comparable = len(both) and both.nunique().min() > 1
            ari = adjusted_rand_score(both["one"], both["other"]) if comparable else None
            same = float((both["one"] == both["other"]).mean()) if len(both) else None
            yield "pair", name, other, len(both), same, ari


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw two tables: what each set of labels contains, and the adjusted Rand index of each pair of sets."""
    sets, pairs = table[table["part"] == "set"], table[table["part"] == "pair"]
    short = short_names(sets["name"], 24)
    numbers = {name: str(number) for number, name in enumerate(sets["name"])}
    first = {name: f"{number}  {short[name]}" for name, number in numbers.items()}
    counts = [[first[row["name"]], *(f"{row[column]:,}" for column in COUNTS)] for row in sets.to_dict("records")]
    cells = {(pair["name"], pair["other"]): _agreement(pair) for pair in pairs.to_dict("records")}
    names = list(numbers)
    agreements = [[first[name], *(cells.get((other, name), "") for other in names[:-1])] for name in names[1:]]
    headings = ["Adjusted Rand index (images)", *(f"with {numbers[name]}" for name in names[:-1])]
    with theme(style):
        made = write_tables(figure, [[["Labels", *COUNTS.values()], *counts], [headings, *agreements]], style)
        what = "Found: contents that are images of the data set. Conflicts: contents with several labels"
        own = "" if sets["classes"].iloc[0] else "No labels in this data set. "
        note(made, f"{own}{what}, which are left out below. –: no common images, or one class.", style)
    return made


def _agreement(pair: Mapping[str, Any]) -> str:
    if pd.isna(pair["ari"]):
        return "–"
    return f"{decimal(pair['ari'])} ({pair['common']:,})"
