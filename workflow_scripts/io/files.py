"""Write files so that a reader sees a complete file or none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflow_scripts.errors import refusals_of

THUMBNAILS = ".thumbnails"
"""The ending of the folder with the thumbnails of a page: the folder of `a.html` is `a.thumbnails`."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` when the `with` block ends without an error.

    The file is flushed to the disk (fsync) before it is renamed. After an error the temporary file is deleted, so that
    `path` is never an incomplete file. Raises `UserError` if the system cannot write the file, for example because the
    disk is full or permission is missing.
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
