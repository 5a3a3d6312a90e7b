"""The manifest, that is the table of images with labels, and the table of rejected files with reasons."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from workflow_scripts.intake.decisions import BEFORE, DECIDED, DECISION, REMOVED, Decision
from workflow_scripts.intake.groups import group_files
from workflow_scripts.intake.inspection import count_reasons
from workflow_scripts.intake.known import MATCH_COLUMNS
from workflow_scripts.intake.label_table import read_set_aside
from workflow_scripts.intake.labels import Labelling, classes_in_words, corrected, label_images
from workflow_scripts.intake.listing import LABEL_TABLE
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.io.rejections import Reason
from workflow_scripts.wording import count

COLUMNS = ("image_id", "path", "label", "format", "width", "height", "mode", "bytes", "pages", "taken", "instrument")
SCALE_COLUMNS = ("scale_um", "nm_per_pixel", "field_um")
"""The length of the scale bar (micrometres), the size of a pixel (nanometres), and the width of the image
(micrometres); empty if not known."""
REGION_COLUMNS = ("parent", "page", "x", "y")
"""Columns of parts of files (from `regions.COLUMNS`)."""
GROUP = "group"
"""The column that says which images belong together, of parts of files and where a rule says so."""
BY_HAND_COLUMNS = ("path", "label", "set_aside", DECISION, "image_id", DECIDED)
"""Columns of what people decided, a row for each decision: those of the exports of pages."""
REJECTED_COLUMNS = ("path", "reason", "detail")


@dataclass(frozen=True)
class Labelled:
    """The result of labelling.

    Attributes
    ----------
    manifest : the images in the order of the inspection, with `COLUMNS`; `label` is "" for images without one.
    rejected : the files set aside, in the order of the inspection, with `REJECTED_COLUMNS`.
    matches : for labels matched by content, a row for each content of the other data set, with `known.MATCH_COLUMNS`.
    by_hand : the decisions of people, on labels and then on images set aside, with `BY_HAND_COLUMNS`; `image_id` is ""
        for an image that is not there.
    notes : sentences for the log about the source of the labels and the rejected files.
    """

    manifest: pd.DataFrame
    rejected: pd.DataFrame
    matches: pd.DataFrame
    by_hand: pd.DataFrame
    notes: tuple[str, ...]


def label(
    images: pd.DataFrame,
    set_aside: pd.DataFrame,
    rule: Mapping[str, Any],
    corrections: Sequence[str] = (),
    excluded: Sequence[str] = (),
    sublabels: Mapping[str, Any] | None = None,
    scales: pd.DataFrame | None = None,
    groups: Mapping[str, Any] | None = None,
    look_alikes: pd.DataFrame | None = None,
) -> Labelled:
    """Label the images of an inspection, and find duplicates whose label differs from that of the image that stays.

    Parameters
    ----------
    images, set_aside : as in `inspection.Inspection`, or as in `regions.Regions` for parts of files. A part has the
        label of its file, or with the rules `auto` and `boxes` the class of its box; `REGION_COLUMNS` are added.
    rule : the keyword arguments of `labels.label_images`.
    corrections : paths of tables whose labels replace those of the rule (see `labels.corrected`).
    excluded : paths of the tables that decided which images are set aside (see `label_table.read_set_aside`).
    sublabels : the rule of a further column `sublabel` of the manifest.
    scales : table with `scale_bars.table.COLUMNS`; its `SCALE_COLUMNS` are added to the manifest.
    groups : the keyword arguments of `groups.group_files`. Where they are given, and for parts of files, the manifest
        has the column `group`; None is the rule `file`.
    look_alikes : pairs of files that look alike, with `duplicates.PAIR_COLUMNS`; their groups are joined.

    Raises `UserError` if a rule cannot be applied.
    """
    copies = set_aside[set_aside["same_as"] != ""]
    contents = images["image_id"].map(content_hash)
    files = images["parent"] if "parent" in images else images["path"]
    paths = [*files, *copies["path"]]
    ids = dict(zip(paths, [*contents, *copies["image_id"]], strict=True))
    pixels = dict(zip(paths, [*images["pixels_id"], *copies["pixels_id"]], strict=True))
    labelling = label_images(ids, **rule, pixels=pixels)
    if "parent" in images:
        labelling = _of_parts(labelling, images, rule["rule"])
        ids |= dict(zip(images["path"], images["image_id"], strict=True))
    picked = set_aside[set_aside["reason"] == str(Reason.PICKED)]
    known = {**dict(zip(picked["path"], picked["image_id"], strict=True)), **ids}
    labelling = corrected(labelling, known, corrections)
    manifest = images.assign(label=images["path"].map(labelling.labels))[list(COLUMNS)]
    if sublabels:
        manifest["sublabel"] = files.map(label_images(ids, **sublabels).labels)
    if scales is not None:
        manifest = _with_scales(manifest, files, scales)
    if "parent" in images:
        manifest[list(REGION_COLUMNS)] = images[list(REGION_COLUMNS)]
    named = dict(zip(manifest["path"], manifest["label"], strict=True))
    counted = [classes_in_words(named)] if labelling.rule != "none" or any(named.values()) else []
    notes = [f"labels: {labelling.rule} ({'; '.join([*counted, *labelling.why])})"]
    notes += _unread_tables(set_aside["path"], rule)
    if groups is not None or "parent" in images:
        pairs = [] if look_alikes is None else look_alikes[["path", "other"]].itertuples(index=False, name=None)
        grouped = group_files(dict(zip(files, contents, strict=True)), pairs, **(groups or {}))
        manifest[GROUP] = files.map(grouped.by_file)
        notes.append(grouped.note)
    rows = [_rejection(file, labelling.labels) for file in set_aside.itertuples()]
    rejected = pd.DataFrame(rows, columns=list(REJECTED_COLUMNS), dtype=str)
    if len(rejected):
        notes.append(f"{count(len(rejected), 'file')} rejected: {count_reasons(rejected['reason'])}")
    return Labelled(
        manifest,
        rejected,
        pd.DataFrame(labelling.matches, columns=list(MATCH_COLUMNS)),
        by_hand(labelling.by_hand, read_set_aside(excluded, known), known),
        tuple(notes),
    )


def _unread_tables(paths: Iterable[str], rule: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence if labels are not read from a table, and there are tables of labels below the top."""
    tables = [path for path in paths if PurePosixPath(path).name == LABEL_TABLE]
    if tables and rule.get("rule", "auto") == "auto" and not rule.get("file"):
        yield f"{tables[0]} is not at the top of the data and so not read: name it in intake.labels.file to use it"


def by_hand(labels: Mapping[str, Decision], aside: Mapping[str, Decision], images: Mapping[str, str]) -> pd.DataFrame:
    """Return decisions on labels and on images set aside, by path or name, as a table with `BY_HAND_COLUMNS`."""
    rows = [
        {"path": name, column: decision.value, DECISION: BEFORE if decision.cells else REMOVED,
         "image_id": images.get(name, ""), DECIDED: decision.decided}
        for column, decisions in (("label", labels), ("set_aside", aside))
        for name, decision in decisions.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(BY_HAND_COLUMNS), dtype=str).fillna("")


def _of_parts(labelling: Labelling, parts: pd.DataFrame, rule: str) -> Labelling:
    """Return a labelling of files and of their parts: a part has the class of its box, or the label of its file."""
    if rule in ("auto", "boxes") and (parts["box_label"] != "").any():
        of_parts = parts["box_label"]
        labelling = replace(labelling, rule="boxes", why=())
    else:
        of_parts = parts["parent"].map(labelling.labels)
    return replace(labelling, labels={**labelling.labels, **dict(zip(parts["path"], of_parts, strict=True))})


def _with_scales(manifest: pd.DataFrame, files: pd.Series, scales: pd.DataFrame) -> pd.DataFrame:
    """Add the scale of its file to each image; the width in micrometres of a part of a file is that of the part."""
    of_file = scales.set_index("path")[list(SCALE_COLUMNS)].loc[files].set_axis(manifest.index)
    sized = (of_file["nm_per_pixel"] != "") & (files != manifest["path"])
    widths = manifest["width"].astype(float)[sized] * of_file["nm_per_pixel"][sized].astype(float) / 1e3
    of_file.loc[sized, "field_um"] = widths.map("{:.6g}".format)
    return manifest.join(of_file)


def _rejection(file: Any, labels: Mapping[str, str]) -> tuple[str, str, str]:
    if file.same_as and (label := labels[file.path]) != (label_of_first := labels[file.same_as]):
        detail = f"{file.detail}, which stays; labels {label_of_first!r} there, {label!r} here"
        return file.path, str(Reason.CONFLICT), detail
    return file.path, file.reason, file.detail
