"""Write a page as one HTML file from its template, its data, and the scripts and styles that pages share."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workflow_scripts.io.store import replacing

HERE = Path(__file__).parent
DECIDING = (HERE / "deciding.css", HERE / "deciding.js")
"""The parts of a page on which a person decides on images one after another."""


def write_page(path: str, template: Path, data: Mapping[str, Any], parts: Iterable[Path] = ()) -> None:
    """Write an HTML file from a template, its data, and the contents of its scripts (.js) and styles (.css).

    The functions of `page.js` come first in every page. "<" is escaped, so that no text in the data can end the script
    element.
    """
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    files = [HERE / "page.js", *parts]
    page = template.read_text(encoding="utf-8")
    # the data are inserted last, so that a name in them cannot be taken for the place of something else
    for place, suffix in {"{{styles}}": ".css", "{{scripts}}": ".js"}.items():
        page = page.replace(place, "\n".join(_text(file) for file in files if file.suffix == suffix))
    with replacing(path) as temporary:
        temporary.write_text(page.replace("{{data}}", content, 1), encoding="utf-8")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()
