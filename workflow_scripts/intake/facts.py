"""What is found out about a picture file once, and a file that remembers such facts for the next run."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Generic, TextIO, TypeVar

from workflow_scripts.intake.listing import Entry


@dataclass(frozen=True, slots=True)
class Facts:
    """An image: `sha256` of the file's bytes; `width` and `height` of the upright image, pixels; `pixels`, a digest
    of the decoded pixels, and `look`, a perceptual hash, 16 hex digits each (`fingerprints`); the rest is its quality
    (`quality.Quality`)."""

    sha256: str
    format: str
    width: int
    height: int
    mode: str
    bytes: int
    pages: int
    pixels: str
    look: str
    brightness: float
    contrast: float
    sharpness: float
    levels: int
    range_used: float

    @property
    def image_id(self) -> str:
        return self.sha256[:16]


Kind = TypeVar("Kind")
"""A dataclass of facts: `Facts`, or another of texts and numbers."""


class Memory(Generic[Kind]):
    """The facts of earlier runs by file, size and time of change, and a place to add more, if there is one."""

    def __init__(self, known: dict[Entry, Kind], stream: TextIO | None = None) -> None:
        self.known = known
        self._stream = stream

    def add(self, entry: Entry, facts: Kind) -> None:
        if self._stream:
            self._stream.write(json.dumps([astuple(entry), astuple(facts)]) + "\n")  # type: ignore[call-overload]


@contextmanager
def remembering(path: str | Path, made_from: str, entries: Iterable[Entry], kind: type[Kind]) -> Iterator[Memory[Kind]]:
    """The facts of a kind that the file `path` has about `entries`; what is added goes to its end at once, a line each.

    So a kill at any moment loses the files under way and no more. `made_from` is a digest of what decides facts (code,
    limits): a file that was made from something else is begun anew.
    """
    known = _read(Path(path), made_from, set(entries), kind)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w" if known is None else "a", buffering=1, encoding="utf-8") as stream:
        stream.write(json.dumps(made_from) + "\n" if known is None else "\n")  # the last line may be torn
        yield Memory(known or {}, stream)


def _read(path: Path, made_from: str, wanted: set[Entry], kind: type[Kind]) -> dict[Entry, Kind] | None:
    if not path.is_file():
        return None
    with open(path, encoding="utf-8", errors="replace") as lines:
        if next(lines, "") != json.dumps(made_from) + "\n":
            return None
        read = (_parse(line, kind) for line in lines)
        return {entry: facts for entry, facts in filter(None, read) if entry in wanted}


def _parse(line: str, kind: type[Kind]) -> tuple[Entry, Kind] | None:
    """What a line says; nothing if a kill has torn it."""
    try:
        entry, facts = json.loads(line)
        return Entry(*entry), kind(*facts)
    except (ValueError, TypeError):
        return None
