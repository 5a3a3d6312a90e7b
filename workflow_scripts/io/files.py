"""Atomic writing of files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflow_scripts.errors import refusals_of

THUMBNAILS = ".thumbnails"
"""The ending of the folder with the thumbnails of a page; the rest of its name is that of the page."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` when the block ends without an error.

    The file is fsynced before it is renamed, and removed after an error, so that `path` never holds half a file.
    Raises `UserError` if the system refuses the writing: no space, no permission.
    """
    final = Path(path)
    temporary = final.with_name(f".{final.name}.part")
    with refusals_of(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with open(temporary, "rb") as stream:
                os.fsync(stream.fileno())
            temporary.replace(final)
        finally:
            temporary.unlink(missing_ok=True)
