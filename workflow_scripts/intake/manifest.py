"""The manifest: the images with their labels, and every file that was left out, with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workflow_scripts.intake.inspection import count_reasons
from workflow_scripts.intake.known import MATCH_COLUMNS
from workflow_scripts.intake.labels import corrected, label_images
from workflow_scripts.io.images import Reason

COLUMNS = ("image_id", "path", "label", "format", "width", "height", "mode", "bytes", "pages")
SCALE_COLUMNS = ("scale_um", "nm_per_pixel", "field_um")
"""The length of the scale bar, micrometres, the size of a pixel, and what the image is wide, micrometres; empty where
they are not known."""
REJECTED_COLUMNS = ("path", "reason", "detail")


@dataclass(frozen=True)
class Labelled:
    """`manifest` (`COLUMNS`, rows as the images) and `rejected` (`REJECTED_COLUMNS`, rows as those set aside).

    `label` is `""` where there is none. `matches` (`known.MATCH_COLUMNS`) has what became of each content of a data set
    that labels were brought from. `notes` are sentences for the log: where the labels come from and why, what was
    rejected.
    """

    manifest: pd.DataFrame
    rejected: pd.DataFrame
    matches: pd.DataFrame
    notes: tuple[str, ...]


def label(
    images: pd.DataFrame,
    set_aside: pd.DataFrame,
    rule: Mapping[str, Any],
    corrections: str | None = None,
    sublabels: Mapping[str, Any] | None = None,
    scales: pd.DataFrame | None = None,
) -> Labelled:
    """Label the images of an inspection, and tell duplicates that agree from those with another label.

    `images` and `set_aside` are as in `inspection.Inspection`; `rule` are the keywords of `labels.label_images`, and
    `corrections` is a table whose labels come before those of the rule (`labels.corrected`). With `sublabels`, another
    rule, the manifest gets a column `sublabel` behind the others; with `scales` (`scale_bars.table.COLUMNS`) also
    `SCALE_COLUMNS`.
    Duplicates are labelled as images are, before they are left out. Raises `UserError` for a rule that cannot work.
    """
    copies = set_aside[set_aside["same_as"] != ""]
    contents = images["image_id"].str.split("-").str[0]  # kept duplicates end in -2, -3, ... but are one content
    paths = [*images["path"], *copies["path"]]
    ids = dict(zip(paths, [*contents, *copies["image_id"]], strict=True))
    pixels = dict(zip(paths, [*images["pixels_id"], *copies["pixels_id"]], strict=True))
    labelling = label_images(ids, **rule, pixels=pixels)
    if corrections:
        labelling = corrected(labelling, ids, corrections)
    manifest = images.assign(label=images["path"].map(labelling.labels))[list(COLUMNS)]
    if sublabels:
        manifest["sublabel"] = manifest["path"].map(label_images(ids, **sublabels).labels)
    if scales is not None:
        manifest = manifest.merge(scales[["path", *SCALE_COLUMNS]], on="path", how="left", validate="one_to_one")
    rows = [_rejection(file, labelling.labels) for file in set_aside.itertuples()]
    rejected = pd.DataFrame(rows, columns=list(REJECTED_COLUMNS), dtype=str)
    notes = [f"labels: {labelling.rule} ({labelling.why})"]
    if len(rejected):
        notes.append(f"{len(rejected)} files rejected: {count_reasons(rejected['reason'])}")
    return Labelled(manifest, rejected, pd.DataFrame(labelling.matches, columns=list(MATCH_COLUMNS)), tuple(notes))


def _rejection(file: Any, labels: Mapping[str, str]) -> tuple[str, str, str]:
    if file.same_as and (here := labels[file.path]) != (there := labels[file.same_as]):
        return file.path, str(Reason.CONFLICT), f"{file.detail}, which stays; labels {there!r} there, {here!r} here"
    return file.path, file.reason, file.detail
