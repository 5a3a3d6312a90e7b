"""Protect texts in CSVs that a spreadsheet would run as formulas, by an apostrophe, and remove it again."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""Texts that a spreadsheet runs as formulas, and texts that already look protected by `harmless`."""


def harmless(text: str) -> str:
    """Return the text, with an apostrophe in front if a spreadsheet would run it, as it runs `=1+1` or `@f`."""
    return f"'{text}" if _FORMULA.match(text) else text


def given_back(text: str) -> str:
    """Return the original text of a result of `harmless`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
