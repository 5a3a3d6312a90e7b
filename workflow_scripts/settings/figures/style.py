"""The style of all figures."""

from typing import Literal

from pydantic import Field

from workflow_scripts.settings.base import Model

PALETTES = (
    *("Accent", "Dark2", "Paired", "Pastel1", "Pastel2", "Set1", "Set2", "Set3", "okabe_ito"),
    *("petroff10", "petroff6", "petroff8", "tab10", "tab20", "tab20b", "tab20c"),
)
"""The names of matplotlib's colour sequences, listed here because rules do not import matplotlib."""


class Style(Model):
    """The style of all figures."""

    font: str = "DejaVu Sans"
    font_size: float = Field(8, gt=3, le=30)
    """Font size in points."""
    palette: Literal[PALETTES] = "petroff10"  # type: ignore[valid-type]
    """A colour sequence of matplotlib; classes and lines take its colours in order. The default (Petroff 2021) can be
    told apart by colour-blind readers."""
    dpi: int = Field(200, ge=50, le=1200)
