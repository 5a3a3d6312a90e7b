"""The exception for mistakes of the user, and the text for a name that is not allowed."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Report a mistake of the user in one line: the file or the key, the value found, the values allowed."""


def found_allowed(found: object, allowed: Iterable[object]) -> str:
    """Return the part of a message about an unknown name: `found 'gray', allowed: grey, clahe (did you mean grey?)`."""
    names = [str(name) for name in allowed]
    near = get_close_matches(str(found), names, 1)
    return f"found {found!r}, allowed: {', '.join(names)}" + (f" (did you mean {near[0]}?)" if near else "")
