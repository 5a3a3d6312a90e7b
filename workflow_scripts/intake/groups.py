"""Group images that belong together, such as those of one specimen.

When images are divided, for example into images to train on and images to test on, a group is never divided.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workflow_scripts.errors import UserError
from workflow_scripts.intake.label_table import read_label_table
from workflow_scripts.intake.labels import label_images
from workflow_scripts.wording import count

FILE = "file"
"""The rule by which each file is a group, with all of its tiles, boxes and pages."""
GROUPS = ("group",)
"""Allowed names of the column of groups if the user names none."""


@dataclass(frozen=True)
class Groups:
    """The name of the group of each file, by the file's path, and a sentence for the log."""

    by_file: Mapping[str, str]
    note: str


def group_files(
    files: Mapping[str, str],
    copies: Iterable[tuple[str, str]],
    rule: str = FILE,
    level: int = -1,
    pattern: str | None = None,
    file: str | None = None,
    column: str | None = None,
) -> Groups:
    """Group files by a rule; two groups become one if a file of the first looks like a file of the second.

    Parameters
    ----------
    files : mapping from the relative path of each file (with `/`) to the id of its image.
    copies : pairs of paths of files that look alike; the files of a pair need not be in `files`.
    rule : `file` (each file is a group), or one of the rules `folder`, `prefix`, `regex` and `csv` of
        `labels.label_images`. A file for which the rule has no value is a group of its own.
    level, pattern : keywords of the rules `folder` and `regex`, as for `labels.label_images`.
    file, column : the table of the rule `csv`, and its column with the groups.

    Raises `UserError` if the rule cannot be applied, or if a rule other than `file` puts all files into one group.
    """
    named = named_groups(files, rule, level, pattern, file, column)
    pairs = list(copies)
    by_file = _joined(named, pairs)
    sizes = np.unique(list(by_file.values()), return_counts=True)[1]
    if rule != FILE and len(sizes) < 2:
        raise UserError(
            f"config: intake.groups: all files are one group by the rule {rule}, allowed: two or more groups"
        )
    alone = sum(not name for name in named.values())
    without = f", {count(alone, 'file')} without one by the rule" if rule != FILE and alone else ""
    joined = f", joined by {count(len(pairs), 'pair')} of look-alikes" if pairs else ""
    of_files = f"{count(len(sizes), 'group')} of {count(len(files), 'file')}"
    note = f"groups: {rule} ({of_files}, the largest of {max(sizes)}{without}{joined})"
    return Groups(by_file, note)


def named_groups(
    files: Mapping[str, str],
    rule: str = FILE,
    level: int = -1,
    pattern: str | None = None,
    file: str | None = None,
    column: str | None = None,
) -> dict[str, str]:
    """Return, for each file, the name of a group by a rule, or "" if the rule has none for this file.

    The parameters are as in `group_files`. Raises `UserError` if the rule cannot be applied, and `NoneNamedError` if it
    has no name for any file.
    """
    if rule == FILE:
        return dict.fromkeys(files, "")
    if rule == "csv":
        table = read_label_table(Path(file or ""), files, column, GROUPS, key="intake.groups.column")
        return {**dict.fromkeys(files, ""), **table.labels}
    return dict(label_images(files, rule, level, pattern).labels)


def _joined(named: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return, for each file, the name of its group.

    `named` has the name that the rule gives each file, or "". `pairs` are paths of files that look alike. Files with
    the same name are in one group, and so are the two files of a pair. If a group has files with different names, the
    first name counts. If none of its files has a name, the path of the first file is the name of the group.
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
