"""List the files in the data folder. Rules import this module, so it uses the standard library only."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workflow_scripts.errors import UserError

HIDDEN = (".", "__MACOSX")
LABEL_TABLE = "labels.csv"
"""The table of labels at the top of the data folder. It is not listed, so that editing it does not run intake again."""


@dataclass(frozen=True, order=True, slots=True)
class Entry:
    """A file: its path relative to the data folder (with `/`), its size (bytes) and time of change (nanoseconds)."""

    path: str
    size: int
    mtime_ns: int


def scan(
    root: str | Path, include: Iterable[str] = ("**/*",), exclude: Iterable[str] = (), key: str = "data"
) -> list[Entry]:
    """Return the files in `root` and all folders below it, sorted by path.

    A file is listed if a pattern of `include` matches it and no pattern of `exclude` does. In a pattern, `*` stands for
    any characters except `/`, and `?` for one such character; `[ab]` is an a or a b, and `[!ab]` any other character;
    `**` stands for any number of folders. A pattern with a `/` inside is compared with the path relative to `root`, a
    pattern without `/` with each name in the path. A pattern that matches a folder matches everything in it. Upper and
    lower case are not distinguished.

    Some files are not listed: those whose names, or whose folders' names, begin with a dot or with `__MACOSX`;
    `labels.csv` in `root` itself; and what is no regular file, such as a socket. Links are followed, except links to a
    folder above them. A link that leads nowhere, to itself, or to a place that the user may not read is listed with
    size 0, so that intake rejects it with a reason.

    Raises `UserError` if `root` is no folder, if no file is left, or if a folder cannot be listed or entered. The
    message has `key`, the key of the configuration that names the folder.
    """
    root = Path(root)
    if not root.is_dir():
        there = "a file" if root.is_file() else "nothing"
        raise UserError(f"{key}: found {there} at {root}, allowed: a folder of images")
    wanted, unwanted = _compile(include), _compile(exclude)
    entries = sorted(entry for entry in _walk(str(root), "", unwanted, (), key) if wanted.fullmatch(entry.path))
    if not entries:
        raise UserError(
            f"{key}: no file in {root} with include {list(include)} and exclude {list(exclude)}; "
            "allowed: a folder of images"
        )
    return entries


def would_list(path: str, include: Iterable[str], exclude: Iterable[str]) -> bool:
    """Return whether `scan` would list a file with this path, which is relative to the folder of `scan`.

    `include` and `exclude` are the arguments of `scan`. That `scan` leaves out `labels.csv` is not considered.
    """
    hidden = any(name.startswith(HIDDEN) for name in path.split("/"))
    return bool(_compile(include).fullmatch(path)) and not (hidden or _compile(exclude).fullmatch(path))


def entry_of(path: str) -> Entry:
    """Return the `Entry` of one file: its path as it is given, its size and its time of change."""
    status = os.stat(path)
    return Entry(path, status.st_size, status.st_mtime_ns)


def listing_digest(entries: Iterable[Entry]) -> str:
    """Return a hash of all paths, sizes and times of change, 16 hex digits."""
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(b"%s\0%d\0%d\n" % (os.fsencode(entry.path), entry.size, entry.mtime_ns))
    return digest.hexdigest()[:16]


def _walk(
    folder: str, prefix: str, unwanted: re.Pattern[str], above: tuple[tuple[int, int], ...], key: str
) -> Iterator[Entry]:
    try:
        status = Path(folder).stat()
        here = (status.st_dev, status.st_ino)
        items = [] if here in above else list(os.scandir(folder))
    except FileNotFoundError:  # removed while the folder above it was read
        return
    except OSError as error:
        raise UserError(f"{key}: {folder} cannot be listed ({error.strerror}); exclude it or change its mode") from None
    for item in items:
        path = prefix + item.name
        if item.name.startswith(HIDDEN) or path == LABEL_TABLE or unwanted.fullmatch(path):
            continue
        try:
            status = item.stat()
        except OSError as error:
            if item.is_symlink():
                yield Entry(path, 0, 0)
            elif not isinstance(error, FileNotFoundError):  # a file that was removed meanwhile is left out
                raise UserError(f"{key}: {item.path} cannot be read ({error.strerror}); change its mode") from None
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(item.path, path + "/", unwanted, (*above, here), key)
        elif stat.S_ISREG(status.st_mode):
            yield Entry(path, status.st_size, status.st_mtime_ns)


_TOKENS = re.compile(
    r"(?P<folders>\*\*/)|(?P<all>\*\*)|(?P<some>\*)|(?P<one>\?)|\[(?P<set>!?\]?[^]/]*)\]|(?P<literal>.)", re.DOTALL
)


def _compile(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return a regular expression that matches what any of the glob patterns matches; without patterns, nothing."""
    return re.compile("|".join(map(_translate, patterns)) or r"(?!)", re.DOTALL | re.IGNORECASE)


def is_pattern(text: str) -> bool:
    """Return whether a text is a valid glob pattern; `[z-a]`, for example, is not."""
    try:
        _compile([text])
    except re.error:
        return False
    return True


def _translate(pattern: str) -> str:
    pattern = pattern.removeprefix("./").rstrip("/")
    body = "".join(_translate_token(match) for match in _TOKENS.finditer(pattern))
    start = "" if "/" in pattern else "(?:.*/)?"
    return f"{start}{body}(?:/.*)?"


def _translate_token(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match.group(match.lastgroup or 0)
    if kind == "set":
        negated = text.startswith("!")
        members = (
            text.removeprefix("!").replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]").replace("^", r"\^")
        )
        return f"[^/{members}]" if negated else f"[{members}]"
    return {"folders": "(?:.*/)?", "all": ".*", "some": "[^/]*", "one": "[^/]"}.get(kind or "", re.escape(text))
