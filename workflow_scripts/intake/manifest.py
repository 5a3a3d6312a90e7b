"""Make the manifest, which is the table of images with their labels, and the table of rejected files with reasons."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from workflow_scripts.intake.decisions import BEFORE, DECIDED, DECISION, REMOVED, Decision
from workflow_scripts.intake.groups import group_files
from workflow_scripts.intake.known import MATCH_COLUMNS
from workflow_scripts.intake.label_table import read_set_aside
from workflow_scripts.intake.labels import Labelling, corrected, label_images
from workflow_scripts.intake.summary import labels_in_words, rejected_in_words, summary_table, unread_tables
from workflow_scripts.io.manifest import content_hash
from workflow_scripts.io.rejections import Reason

COLUMNS = ("image_id", "path", "label", "format", "width", "height", "mode", "bytes", "pages", "taken", "instrument")
SCALE_COLUMNS = ("scale_um", "nm_per_pixel", "field_um")
"""The length that the scale bar stands for (micrometres), the size of a pixel (nanometres), and the width of the image
(micrometres); empty if not known."""
REGION_COLUMNS = ("parent", "page", "x", "y")
"""Columns of images that are parts of files (from `regions.COLUMNS`)."""
GROUP = "group"
"""The column that says which images belong together. The manifest has it if a rule of groups is set, or if the images
are parts of files."""
BY_HAND_COLUMNS = ("path", "label", "set_aside", DECISION, "image_id", DECIDED)
"""Columns of the table of what people decided, which has a row for each decision; the exports of pages have the
same."""
REJECTED_COLUMNS = ("path", "reason", "detail")


@dataclass(frozen=True)
class Labelled:
    """The result of labelling.

    Attributes
    ----------
    manifest : the images in the order of the inspection, with `COLUMNS`; `label` is "" for images without one.
    rejected : the files set aside, in the order of the inspection, with `REJECTED_COLUMNS`.
    matches : table with `known.MATCH_COLUMNS`, empty except with the rule `hash`. This rule takes the labels of files
        with the same content in another data set; the table has a row for each hash of a labelled file there.
    by_hand : the decisions of people with `BY_HAND_COLUMNS`: first those on labels, then those to set images aside.
        `image_id` is "" for an image that does not exist.
    intake_summary : a table that says what was taken in, labelled and set aside (see `summary.summary_table`).
    notes : sentences for the log about the source of the labels and the rejected files.
    """

    manifest: pd.DataFrame
    rejected: pd.DataFrame
    matches: pd.DataFrame
    by_hand: pd.DataFrame
    intake_summary: pd.DataFrame
    notes: tuple[str, ...]


def label(
    images: pd.DataFrame,
    set_aside: pd.DataFrame,
    rule: Mapping[str, Any],
    *,
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
    images, set_aside :
        as in `inspection.Inspection`, or as in `regions.Regions` if images are parts of files. A part has the label of
        its file, or with the rules `auto` and `boxes` the class of its box; `REGION_COLUMNS` are added.
    rule : the keyword arguments of `labels.label_images`.
    corrections : paths of tables whose labels replace those of the rule (see `labels.corrected`).
    excluded : paths of the tables that decided which images are set aside (see `label_table.read_set_aside`).
    sublabels : the rule of a further column `sublabel` of the manifest.
    scales : table with `scale_bars.table.COLUMNS`; its `SCALE_COLUMNS` are added to the manifest.
    groups : the keyword arguments of `groups.group_files`. If they are given, or if images are parts of files, the
        manifest has the column `group`; None is the rule `file`.
    look_alikes : pairs of files that look alike, with `duplicates.PAIR_COLUMNS`; their groups are joined.

    Raises `UserError` if a rule cannot be applied.
    """
    files = images["parent"] if "parent" in images else images["path"]
    ids, pixels = _contents(images.assign(path=files), set_aside)
    picked = set_aside[set_aside["reason"] == str(Reason.PICKED)]
    known = {**_by_path(picked, "image_id"), **ids}
    labelling = label_images(ids, **rule, pixels=pixels)
    if "parent" in images:
        labelling = _of_parts(labelling, images, rule["rule"])
        known |= _by_path(images, "image_id")
    labelling = corrected(labelling, known, corrections)
    if "parent" in images and not _are_boxes(images, rule["rule"]):
        labelling = _with_corrected_files(labelling, images)
    finer = label_images(ids, **sublabels).labels if sublabels else None
    manifest = _manifest(images, files, labelling.labels, finer, scales)
    notes = list(unread_tables(set_aside["path"], rule))
    if groups is not None or "parent" in images:
        grouped = group_files({path: ids[path] for path in files}, _pairs(look_alikes), **(groups or {}))
        manifest[GROUP] = files.map(grouped.by_file)
        notes.append(grouped.note)
    rejected = _rejected(set_aside, labelling.labels)
    return Labelled(
        manifest,
        rejected,
        pd.DataFrame(labelling.matches, columns=list(MATCH_COLUMNS)),
        by_hand(labelling.by_hand, read_set_aside(excluded, known), known),
        summary_table(manifest, rejected, labelling, notes),
        (labels_in_words(manifest, labelling), *notes, *rejected_in_words(rejected)),
    )


def _by_path(table: pd.DataFrame, column: str) -> dict[str, str]:
    return dict(zip(table["path"], table[column], strict=True))


def _contents(files: pd.DataFrame, set_aside: pd.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Return the hashes of the bytes and the hashes of the pixels, as two mappings by path.

    They have the files that were taken in, and the duplicates that were set aside.
    """
    copies = set_aside[set_aside["same_as"] != ""]
    contents = files.assign(image_id=files["image_id"].map(content_hash))
    ids, pixels = ({**_by_path(contents, name), **_by_path(copies, name)} for name in ("image_id", "pixels_id"))
    return ids, pixels


def _manifest(
    images: pd.DataFrame,
    files: pd.Series,
    labels: Mapping[str, str],
    sublabels: Mapping[str, str] | None,
    scales: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return the manifest of images, without groups; `files` has the path of the file of each image."""
    manifest = images.assign(label=images["path"].map(labels))[list(COLUMNS)]
    if sublabels is not None:
        manifest["sublabel"] = files.map(sublabels)
    if scales is not None:
        manifest = _with_scales(manifest, files, scales)
    if "parent" in images:
        manifest[list(REGION_COLUMNS)] = images[list(REGION_COLUMNS)]
    return manifest


def _pairs(look_alikes: pd.DataFrame | None) -> Iterable[tuple[str, str]]:
    return () if look_alikes is None else zip(look_alikes["path"], look_alikes["other"], strict=True)


def by_hand(labels: Mapping[str, Decision], aside: Mapping[str, Decision], images: Mapping[str, str]) -> pd.DataFrame:
    """Return the decisions on labels, followed by those to set images aside, as a table with `BY_HAND_COLUMNS`.

    `labels` and `aside` have decisions by path or name, and `images` has the id of each image by path.
    """
    rows = [
        {"path": name, column: decision.value, DECISION: BEFORE if decision.cells else REMOVED,
         "image_id": images.get(name, ""), DECIDED: decision.decided}
        for column, decisions in (("label", labels), ("set_aside", aside))
        for name, decision in decisions.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(BY_HAND_COLUMNS), dtype=str).fillna("")


def _of_parts(labelling: Labelling, parts: pd.DataFrame, rule: str) -> Labelling:
    """Return a labelling of files and of their parts (pages, tiles or boxes).

    A part has the class of its box if there are boxes and the rule is `auto` or `boxes`; otherwise it has the label of
    its file.
    """
    if _are_boxes(parts, rule):
        of_parts = parts["box_label"]
        labelling = replace(labelling, rule="boxes", why=())
    else:
        of_parts = parts["parent"].map(labelling.labels)
    return replace(labelling, labels={**labelling.labels, **dict(zip(parts["path"], of_parts, strict=True))})


def _are_boxes(parts: pd.DataFrame, rule: str) -> bool:
    """Return whether the labels of parts are the classes of their boxes."""
    return rule in ("auto", "boxes") and bool((parts["box_label"] != "").any())


def _with_corrected_files(labelling: Labelling, parts: pd.DataFrame) -> Labelling:
    """Return a labelling in which a person's label of a file is also that of its parts, unless they have their own."""
    given = {path: decision.value for path, decision in labelling.by_hand.items() if decision.value}
    of_parts = {
        path: given[file]
        for path, file in zip(parts["path"], parts["parent"], strict=True)
        if file in given and path not in given
    }
    return replace(labelling, labels={**labelling.labels, **of_parts})


def _with_scales(manifest: pd.DataFrame, files: pd.Series, scales: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest with `SCALE_COLUMNS`: each image has the scale of its file.

    If an image is only a part of a file, its `field_um` is the width of the part in micrometres.
    """
    of_file = scales.set_index("path")[list(SCALE_COLUMNS)].loc[files].set_axis(manifest.index)
    sized = (of_file["nm_per_pixel"] != "") & (files != manifest["path"])
    widths = manifest["width"].astype(float)[sized] * of_file["nm_per_pixel"][sized].astype(float) / 1e3
    of_file.loc[sized, "field_um"] = widths.map("{:.6g}".format)
    return manifest.join(of_file)


def _rejected(set_aside: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the table of the files set aside, with `REJECTED_COLUMNS`."""
    rows = [_rejection(file, labels) for file in set_aside.itertuples()]
    return pd.DataFrame(rows, columns=list(REJECTED_COLUMNS), dtype=str)


def _rejection(file: Any, labels: Mapping[str, str]) -> tuple[str, str, str]:
    # a file that stays has no label if no part of it is an image
    if file.same_as in labels and (label := labels[file.path]) != (label_of_first := labels[file.same_as]):
        detail = f"{file.detail}, which stays; labels {label_of_first!r} there, {label!r} here"
        return file.path, str(Reason.CONFLICT), detail
    return file.path, file.reason, file.detail
