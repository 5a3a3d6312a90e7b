"""Write a page as one HTML file from its body, its data, its own scripts and styles, and the shared ones."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workflow_scripts.io.files import replacing

HERE = Path(__file__).parent
COMMON = (HERE / "common.css", HERE / "common.js")
DECIDING = (HERE / "deciding.css", HERE / "deciding.js")
"""The style and script of pages on which a person decides on one image after another."""
ENLARGING = (HERE / "enlarging.css", HERE / "enlarging.js")
"""The style and script of pages that enlarge an image when it is clicked."""


def write_page(
    path: str, folder: Path, data: Mapping[str, Any], parts: Iterable[Path] = (), kind: str = "text/javascript"
) -> None:
    """Write an HTML file from the files of a page and its data.

    Parameters
    ----------
    path : the HTML file.
    folder : folder with the body `page.html`, the style `page.css` and the script `page.js`.
    data : the data, which the script reads as JSON. Every "<" is escaped, so that no text in the data can end the
        element that holds them.
    parts : shared styles (.css) and scripts (.js), which stand before those of the page; `COMMON` stands before all.
    kind : type of the script; `module` if it awaits something at its top level.
    """
    files = [*COMMON, *parts, folder / "page.css", folder / "page.js"]
    content = {
        "styles": "\n".join(_text(file) for file in files if file.suffix == ".css"),
        "body": _text(folder / "page.html"),
        "kind": kind,
        "scripts": "\n\n".join(_text(file) for file in files if file.suffix == ".js"),
        # the data are inserted last, so that a name in them cannot be taken for the place of something else
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    page = _text(HERE / "page.html")
    for place, text in content.items():
        page = page.replace(f"{{{{{place}}}}}", text, 1)
    with replacing(path) as temporary:
        temporary.write_text(f"{page}\n", encoding="utf-8")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()
