"""Texts in CSVs that a spreadsheet would take for formulas: made harmless by an apostrophe, and given back."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet runs, and what already looks as if it had been made harmless."""


def harmless(text: str) -> str:
    """Return a text that no spreadsheet runs: one that begins with `=`, `+`, `-`, `@` gets an apostrophe in front."""
    return f"'{text}" if _FORMULA.match(text) else text


def given_back(text: str) -> str:
    """Return the text that `harmless` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
