"""The exception for mistakes of the user, and the messages for wrong names and for errors of the operating system."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

MOST_LETTERS = 80
"""Largest number of characters of a value in a message."""
_IN_YAML = {None: "nothing", True: "true", False: "false"}
"""The values that YAML writes otherwise than Python."""


class UserError(Exception):
    """Report a mistake of the user in one line: the file or the key, the value found, the values allowed."""


class NoneNamedError(UserError):
    """Report that a rule or a table gives none of the images a name."""


def found_allowed(given: object, allowed: Iterable[object]) -> str:
    """Return the part of a message about an unknown name: `found 'gray', allowed: grey, clahe (did you mean grey?)`."""
    names = [str(name) for name in allowed]
    near = get_close_matches(str(given), names, 1)
    allowed_here = ", ".join(names) or "none, for none is defined"
    return f"found {shown(given)}, allowed: {allowed_here}" + (f" (did you mean {near[0]}?)" if near else "")


def shown(value: object) -> str:
    """Return a value as text for a message: as in YAML, on one line, and shortened to `MOST_LETTERS` characters."""
    text = _IN_YAML[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]} …"


_REFUSED = {
    errno.ENOSPC: "no space left; make room and run again",
    errno.EDQUOT: "no space left (the disk quota is used up); make room and run again",
    errno.EFBIG: "the file system takes no file of that size; move the results to another and run again",
    errno.EROFS: "the file system is read-only; make it writable, or work in another folder",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "permission denied; change its owner or its mode"),
    errno.ENAMETOOLONG: "the name is too long for the file system; choose a shorter one",
    errno.EIO: "the disk cannot be read or written (input/output error); check the disk",
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "too many open files; raise the limit (`ulimit -n`) and run again"),
}
"""Errors of the operating system that are no fault of the code, such as a full disk, and what to do."""
_GONE = dict.fromkeys((errno.ENOENT, errno.ESTALE), "it has gone since the run began; run again")
"""The errors for a file that is not there, and what to do if it is an input of a job, which was there before. Any other
missing file is a fault of the code."""


def refusal(error: BaseException, path: str | os.PathLike[str] = "") -> str | None:
    """Return the message for an error of the operating system (`_REFUSED`) or a lack of memory; None for other errors.

    `path` is the file in the message if the error names none. If a library raised its own exception, the causes of
    this exception are searched for an error of the system.
    """
    if isinstance(error, MemoryError):
        return "no memory left; run fewer jobs at once (--cores), or on a machine with more"
    if isinstance(error, OSError) and error.errno in _REFUSED:
        return f"{error.filename or path or 'a file'}: {_REFUSED[error.errno]}"
    above = error.__cause__ or error.__context__
    return refusal(above, path) if above and not isinstance(error, UserError) else None


def refused_input(error: BaseException, path: str | os.PathLike[str]) -> UserError | None:
    """Return the error of a job whose input cannot be read for a reason in `_REFUSED`, or no longer exists; otherwise
    None."""
    line = (_REFUSED | _GONE).get(error.errno or 0) if isinstance(error, OSError) else None
    return UserError(f"{os.fspath(path)}: {line}") if line else None


@contextmanager
def refusals_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise a `UserError` that says what to do in place of an error of the operating system while `path` is written."""
    try:
        yield
    except Exception as error:
        if line := refusal(error, path):
            raise UserError(line) from None
        raise
