"""The one error that a user's mistake becomes."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake of the user, shown as one line: the file or the key, what was found, what is allowed."""


def found_allowed(found: object, allowed: Iterable[object]) -> str:
    """What a message says of a name that does not exist: `found 'gray', allowed: grey, clahe (did you mean grey?)`."""
    names = [str(name) for name in allowed]
    near = get_close_matches(str(found), names, 1)
    return f"found {found!r}, allowed: {', '.join(names)}" + (f" (did you mean {near[0]}?)" if near else "")
