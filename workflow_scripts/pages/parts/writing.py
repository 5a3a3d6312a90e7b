"""Write a page as one HTML file from its body, its data, and its own and the shared scripts and styles."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workflow_scripts.io.store import replacing

HERE = Path(__file__).parent
COMMON = (HERE / "common.css", HERE / "common.js")
DECIDING = (HERE / "deciding.css", HERE / "deciding.js")
"""The parts of a page on which a person decides on images one after another."""
ENLARGING = (HERE / "enlarging.css", HERE / "enlarging.js")
"""The parts of a page that shows images large when they are clicked."""


def write_page(
    path: str, folder: Path, data: Mapping[str, Any], parts: Iterable[Path] = (), kind: str = "text/javascript"
) -> None:
    """Write an HTML file from the files of a page and its data.

    The folder has the body as `page.html`, the style as `page.css` and the script as `page.js`. `parts` are the styles
    (.css) and scripts (.js) that come before them, and those of `COMMON` come first. `kind` is the type of the script:
    `module` for one that awaits something at its top level. "<" is escaped in the data, so that no text in them can end
    their element.
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
