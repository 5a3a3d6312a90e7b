"""Protect texts in CSV files that a spreadsheet would run as formulas: add an apostrophe, and remove it again."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""Matches texts that a spreadsheet runs as formulas, and such texts with apostrophes in front."""


def harmless(text: str) -> str:
    """Return the text, with an apostrophe in front if a spreadsheet would run it as a formula, such as `=1+1`."""
    return f"'{text}" if _FORMULA.match(text) else text


def given_back(text: str) -> str:
    """Undo `harmless`: return the text without the apostrophe that it put in front."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
