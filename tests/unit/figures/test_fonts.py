"""The fonts of figures: those that are installed, and letters that none has."""

import matplotlib as mpl
from figure_artefacts import STYLE

from workflow_scripts.figures import fonts
from workflow_scripts.figures.saving import save
from workflow_scripts.figures.theme import theme


def test_characters_that_no_font_has_are_said_once(tmp_path, caplog, recwarn, drawn):
    caplog.set_level("INFO")
    made = drawn("class_distribution", 3)
    for title, expected in (("a", []), ("\U0001f9ff\U0001faa8", [fonts.NO_FONT])):
        caplog.clear()
        made.suptitle(title)
        save(made, tmp_path / "f.svg", tmp_path / "f.png", STYLE)
        assert caplog.messages == expected
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


def test_a_font_that_is_not_installed_is_said_once(tmp_path, caplog, drawn):
    caplog.set_level("INFO")
    save(drawn("class_distribution", 3), tmp_path / "f.svg", tmp_path / "f.png", {**STYLE, "font": "Nobody's Sans"})
    line = 'style.font: found "Nobody\'s Sans", which is not installed; figures are in DejaVu Sans'
    assert caplog.messages == [line]
    assert fonts.available("monospace") == "monospace"


def test_fonts_of_other_scripts_are_used_where_they_are_installed(monkeypatch):
    monkeypatch.setattr(fonts.font_manager, "get_font_names", lambda: ["DejaVu Sans", "Noto Sans CJK JP"])
    fonts.fonts_of_other_scripts.cache_clear()
    with theme(STYLE):
        assert mpl.rcParams["font.family"] == ["DejaVu Sans", "Noto Sans CJK JP"]
    fonts.fonts_of_other_scripts.cache_clear()
