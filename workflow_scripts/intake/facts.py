"""Collect facts about image files, and keep them in a file, so that the next run does not compute them again."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Generic, TextIO, TypeVar

from workflow_scripts.errors import refusals_of
from workflow_scripts.intake.listing import Entry


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about an image file.

    `sha256` is the digest of the file's bytes. `width` and `height` are in pixels, after the EXIF rotation. `pixels` is
    a digest of the decoded pixels, 16 hex digits. `look` and `fine_look` are perceptual hashes, 16 and 64 hex digits
    (see `fingerprints`). The other fields are explained in `images.DecodedImage`, `quality.Quality` and
    `origin.Origin`.
    """

    sha256: str
    format: str
    width: int
    height: int
    mode: str
    bytes: int
    pages: int
    pixels: str
    look: str
    fine_look: str
    brightness: float
    contrast: float
    sharpness: float
    levels: int
    range_used: float
    highest: float
    taken: str = ""
    instrument: str = ""

    @property
    def image_id(self) -> str:
        """Return the id of the image: the beginning of the SHA-256 of its bytes."""
        return self.sha256[:16]


Kind = TypeVar("Kind")
"""A dataclass of facts, whose fields are texts and numbers, such as `Facts`."""


class Memory(Generic[Kind]):
    """Facts about files: `known` has those of earlier runs, and `add` writes new ones for later runs.

    The key of a fact includes the size and the time of change of the file, so that the fact is not used after the file
    has changed. Without a `stream` nothing is written.
    """

    def __init__(self, known: dict[Entry, Kind], stream: TextIO | None = None) -> None:
        self.known = known
        self._stream = stream

    def add(self, entry: Entry, facts: Kind) -> None:
        """Write the facts about a file for later runs."""
        if self._stream:
            self._stream.write(json.dumps([astuple(entry), astuple(facts)]) + "\n")  # type: ignore[call-overload]


@contextmanager
def remembering(path: str | Path, made_from: str, entries: Iterable[Entry], kind: type[Kind]) -> Iterator[Memory[Kind]]:
    """Open a file of facts, as a context manager that yields the `Memory` of the facts about the files `entries`.

    The facts are of type `kind`. Added facts are written to the file `path` at once, a line each, so that a killed job
    loses only the files that it was reading. `made_from` is a digest of everything that decides the facts, such as code
    and limits; if the file was made from something else, its facts are discarded.
    """
    known = _read(Path(path), made_from, set(entries), kind)
    with refusals_of(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w" if known is None else "a", buffering=1, encoding="utf-8") as stream:
            stream.write(json.dumps(made_from) + "\n" if known is None else "\n")  # the last line may be incomplete
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
    """Return the file and the facts that a line has; None if the line is incomplete."""
    try:
        entry, facts = json.loads(line)
        return Entry(*entry), kind(*facts)
    except (ValueError, TypeError):
        return None
