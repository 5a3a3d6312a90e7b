"""The bibliography of a methods paragraph: the entries of `references.bib` that a text cites."""

import re
from pathlib import Path

REFERENCES = Path(__file__).with_name("references.bib")
CITED = re.compile(r"@([a-z]+\d{4}\w*)")
ENTRY = re.compile(r"^@\w+\{(\w+),\n.*?^\}\n", re.MULTILINE | re.DOTALL)


def entries() -> dict[str, str]:
    """Return the text of every entry in BibTeX, by its key."""
    return {match[1]: match[0] for match in ENTRY.finditer(REFERENCES.read_text(encoding="utf-8"))}


def bibliography(text: str) -> str:
    """Return the entries that a text in Pandoc's Markdown cites (as `[@key; @other]`), in the order of their keys.

    Raises `KeyError` for a key that has no entry.
    """
    known = entries()
    return "\n".join(known[key] for key in sorted(set(CITED.findall(text))))
