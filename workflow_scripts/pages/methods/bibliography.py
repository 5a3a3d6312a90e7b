"""Return the bibliography of a paragraph on methods: the entries of `references.bib` that the text cites."""

import re
from pathlib import Path

REFERENCES = Path(__file__).with_name("references.bib")
CITED = re.compile(r"(?<!\w)@([a-z]+\d{4}\w*)")
ENTRY = re.compile(r"^@\w+\{(\w+),\n.*?^\}\n", re.MULTILINE | re.DOTALL)


def entries() -> dict[str, str]:
    """Return the BibTeX text of every entry, by its key."""
    return {match[1]: match[0] for match in ENTRY.finditer(REFERENCES.read_text(encoding="utf-8"))}


def bibliography(text: str) -> str:
    """Return the BibTeX entries that a text cites, in the order of their keys.

    The text is Pandoc's Markdown, with citations such as `[@key; @other]`. Raises `KeyError` if a key has no entry.
    """
    known = entries()
    return "\n".join(known[key] for key in sorted(set(CITED.findall(text))))
