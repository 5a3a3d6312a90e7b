"""The colours of the pages against the contrast that WCAG 2.2 asks of text."""

import re
from itertools import product

import pytest

from workflow_scripts.pages.parts import writing

TEXTS = ("ink", "soft", "mark", "good", "doubt", "warn")
GROUNDS = ("paper", "back", "current")
LEAST = 4.5
"""Success criterion 1.4.3 (AA)."""


def luminance(colour):
    """Return the relative luminance of a colour in hex digits, as WCAG defines it."""
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    parts = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [":root", ":root[data-theme=dark]"])
def test_texts_can_be_read_on_every_ground_and_on_chosen_buttons(theme):
    (rule,) = re.findall(re.escape(theme) + r" \{(.*?)\}", (writing.HERE / "common.css").read_text(), re.S)
    colours = dict(re.findall(r"--(\w+): (#\w+)", rule))
    chosen = (("paper", text) for text in TEXTS[2:])  # a button that is pressed has its colour as the ground
    for text, ground in (*product(TEXTS, GROUNDS), *chosen):
        dark, light = sorted(luminance(colours[name]) for name in (text, ground))
        assert (light + 0.05) / (dark + 0.05) >= LEAST, (text, ground)
