"""The exception for mistakes of the user, and the messages for wrong names and for errors of the operating system."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

MOST_LETTERS = 80
"""Largest number of characters of a value in a message."""
_IN_YAML = {None: "nothing", True: "true", False: "false"}
"""How YAML writes the values that it writes differently from Python."""


class UserError(Exception):
    """Report a mistake of the user in one line: the file or the key, the value found, the values allowed."""


class NoneNamedError(UserError):
    """Report that a table or a rule for labels names none of the images."""


def found_allowed(given: object, allowed: Iterable[object]) -> str:
    """Return the part of a message about an unknown name: what was found, and what is allowed.

    For example `found 'gray', allowed: grey, clahe (did you mean grey?)`.
    """
    names = [str(name) for name in allowed]
    near = get_close_matches(str(given), names, 1)
    allowed_here = ", ".join(names) or "none, for none is defined"
    return f"found {shown(given)}, allowed: {allowed_here}" + (f" (did you mean {near[0]}?)" if near else "")


def shown(value: object) -> str:
    """Return a value as text for a message, on one line, shortened to `MOST_LETTERS` characters.

    None, True and False are written as in YAML, other values as Python's `repr` writes them.
    """
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
"""Errors of the operating system that the user can mend, such as a full disk: what happened, and what to do."""
_GONE = dict.fromkeys((errno.ENOENT, errno.ESTALE), "it has gone since the run began; run again")
"""The errors for a missing file, and what to do if the file is an input of a job: it existed when the run began. If
another file is missing, the code is at fault."""


def refusal(error: BaseException, path: str | os.PathLike[str] = "") -> str | None:
    """Return the message for an error of the operating system (`_REFUSED`) or a lack of memory; None for other errors.

    If the error names no file, the message names `path`. If a library raised its own exception, its causes are searched
    for an error of the operating system.
    """
    if isinstance(error, MemoryError):
        return "no memory left; run fewer jobs at once (--cores), or on a machine with more"
    if isinstance(error, OSError) and error.errno in _REFUSED:
        return f"{error.filename or path or 'a file'}: {_REFUSED[error.errno]}"
    above = error.__cause__ or error.__context__
    return refusal(above, path) if above and not isinstance(error, UserError) else None


def refused_input(error: BaseException, path: str | os.PathLike[str]) -> UserError | None:
    """Return the `UserError` for an input `path` that a job cannot read; None if the user cannot mend it.

    The user can mend the errors in `_REFUSED` and `_GONE`.
    """
    line = (_REFUSED | _GONE).get(error.errno or 0) if isinstance(error, OSError) else None
    return UserError(f"{os.fspath(path)}: {line}") if line else None


@contextmanager
def refusals_of(path: str | os.PathLike[str]) -> Iterator[None]:
    """Replace an error of the operating system by a `UserError` that says what to do, while `path` is written.

    Errors for which `refusal` has no message are raised as they are.
    """
    try:
        yield
    except Exception as error:
        if line := refusal(error, path):
            raise UserError(line) from None
        raise
