"""Find fonts for names in all scripts, and tell whether a figure has characters that no font has."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

CHINESE_JAPANESE_KOREAN = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "Source Han Sans SC"),
    *("WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "Microsoft YaHei", "Yu Gothic"),
    *("Malgun Gothic", "PingFang SC", "Hiragino Sans", "Arial Unicode MS"),
)
"""Common fonts of Linux, Windows and macOS with Chinese, Japanese or Korean letters."""
FONT_PACKAGE = "noto_cjk_sans_jp_regular"
"""The package of the extra `fonts`, which brings one of these fonts (SIL Open Font License 1.1)."""
NO_FONT = (
    "names have characters that no installed font has, and figures show boxes in their place: install a font that has "
    "them, for Chinese, Japanese and Korean by pip install '.[fonts]' or the system's package fonts-noto-cjk"
)
FALLBACK = "DejaVu Sans"
"""The font that comes with matplotlib."""


@cache
def available(font: str) -> str:
    """Return the name of a font, or `FALLBACK` if matplotlib does not find the font."""
    try:
        font_manager.findfont(font, fallback_to_default=False)
    except ValueError:
        return FALLBACK
    return font


@cache
def fonts_of_other_scripts() -> list[str]:
    """Return the installed fonts of `CHINESE_JAPANESE_KOREAN`, for characters that the figures' own font lacks."""
    package = find_spec(FONT_PACKAGE)
    for path in (package and package.submodule_search_locations) or ():
        for font in Path(path).glob("*.otf"):
            font_manager.fontManager.addfont(font)
    installed = set(font_manager.get_font_names())
    return [name for name in CHINESE_JAPANESE_KOREAN if name in installed]


def has_missing_glyphs(made: Figure, style: Mapping[str, Any]) -> bool:
    """Return whether a text of the figure has a character that no font has, which is drawn as a box."""
    names = (available(style["font"]), *fonts_of_other_scripts())
    fonts = [font_manager.get_font(font_manager.findfont(name)) for name in names]
    letters = {letter for text in made.findobj(Text) for letter in text.get_text() if not letter.isspace()}
    return any(not any(font.get_char_index(ord(letter)) for font in fonts) for letter in letters)
