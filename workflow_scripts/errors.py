"""The one error that a user's mistake becomes."""


class UserError(Exception):
    """A mistake of the user, shown as one line: the file or the key, what was found, what is allowed."""
