"""Groups of images that belong together, such as those of one specimen, so that no comparison has some on each side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workflow_scripts.errors import UserError
from workflow_scripts.intake.label_table import read_label_table
from workflow_scripts.intake.labels import label_images

FILE = "file"
"""The rule by which each file is a group; its tiles, boxes and pages belong together."""


@dataclass(frozen=True)
class Groups:
    """The group of each file by path, and a sentence for the log."""

    by_file: Mapping[str, str]
    note: str


def group_files(
    files: Mapping[str, str],
    copies: Iterable[tuple[str, str]],
    rule: str = FILE,
    level: int = -1,
    pattern: str | None = None,
    file: str | None = None,
    column: str = "group",
) -> Groups:
    """Group files by a rule; near copies join the groups that they are in.

    Parameters
    ----------
    files : ids of their images by relative path (with `/`).
    copies : pairs of paths of files that look alike; the files of a pair need not be in `files`.
    rule : `file`, or one of `labels.label_images`: `folder`, `prefix`, `regex` and `csv`, with its keywords. A file for
        which it has no value is a group of its own.
    file, column : the table of the rule `csv`, and its column with the groups.

    Raises `UserError` if the rule cannot be applied, or if all files are one group.
    """
    if rule == FILE:
        named = dict.fromkeys(files, "")
    elif rule == "csv":
        named = {**dict.fromkeys(files, ""), **read_label_table(Path(file or ""), files, column).labels}
    else:
        named = label_images(files, rule, level, pattern).labels
    pairs = list(copies)
    by_file = _joined(named, pairs)
    sizes = np.unique(list(by_file.values()), return_counts=True)[1]
    if rule != FILE and len(sizes) < 2:
        raise UserError(
            f"config: intake.groups: all files are one group by the rule {rule}, allowed: two or more groups"
        )
    alone = sum(not name for name in named.values())
    without = f", {alone} files without one by the rule" if rule != FILE and alone else ""
    joined = f", joined by {len(pairs)} pairs of look-alikes" if pairs else ""
    note = f"groups: {rule} ({len(sizes)} groups of {len(files)} files, the largest of {max(sizes)}{without}{joined})"
    return Groups(by_file, note)


def _joined(named: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the group of each file: what names and pairs connect; its name is the first name in it, or its first file.

    `named` has the group that the rule gives each file, or "".
    """
    first_of: dict[str, str] = {}
    links = [*pairs, *((path, first_of.setdefault(name, path)) for path, name in named.items() if name)]
    nodes = {
        path: number for number, path in enumerate(dict.fromkeys([*named, *(path for link in links for path in link)]))
    }
    ends = np.array([(nodes[one], nodes[other]) for one, other in links], dtype=np.intp).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), ends.T), shape=(len(nodes), len(nodes)))
    component = connected_components(graph, directed=False)[1]
    names: dict[int, str] = {}
    for path in [*first_of.values(), *named]:
        names.setdefault(component[nodes[path]], named[path] or path)
    return {path: names[component[nodes[path]]] for path in named}
