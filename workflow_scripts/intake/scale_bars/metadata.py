"""The size of a pixel as the microscope's program wrote it into the file or beside it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tifffile import TiffFile, TiffFileError

NM = {"pm": 1e-3, "nm": 1.0, "um": 1e3, "µm": 1e3, "μm": 1e3, "mm": 1e6, "m": 1e9}
"""Units of length, nanometres."""


@dataclass(frozen=True)
class Calibration:
    """Nanometres per pixel, and whose metadata say so."""

    nm_per_pixel: float
    maker: str


def calibration(path: Path, width: int) -> Calibration | None:
    """What the metadata of a picture of `width` pixels say, or None.

    Read are the TIFF tags of FEI and Thermo Fisher (34680, 34682: `PixelWidth`) and of Zeiss (34118: `Image Pixel
    Size`), and the text file of the same name beside the picture that the programs of Hitachi (`PixelSize`) and JEOL
    (`$$SM_MICRON_BAR`, `$$SM_MICRON_MARKER`) write. Where they name another width than the picture has, it was resized
    or cropped since, and they are not taken.
    """
    found = _of_tags(path) or _of_text(text_beside(path))
    if found is None:
        return None
    nm, stated_width, maker = found
    return Calibration(nm, maker) if nm > 0 and stated_width in (None, width) else None


def text_beside(path: Path) -> Path:
    """The text file of the same name beside a picture, where there may be one."""
    return path.with_suffix(".txt")


_Found = tuple[float, int | None, str]


def _of_tags(path: Path) -> _Found | None:
    try:
        with TiffFile(path) as tiff:
            return _fei(tiff.fei_metadata or {}) or _zeiss(tiff.sem_metadata or {})
    except (TiffFileError, OSError, ValueError):  # no TIFF, or one with broken tags
        return None


def _fei(sections: dict[str, dict[str, Any]]) -> _Found | None:
    for name in ("Scan", "EScan", "IScan"):
        metres = sections.get(name, {}).get("PixelWidth")
        if isinstance(metres, float):
            return metres * NM["m"], sections.get("Image", {}).get("ResolutionX"), "FEI"
    return None


def _zeiss(entries: dict[str, tuple[Any, ...]]) -> _Found | None:
    for name in ("ap_image_pixel_size", "ap_pixel_size"):
        match entries.get(name):
            case (_, (int() | float()) as size, str() as unit) if unit in NM:
                stored = re.match(r"\d+", str(entries.get("dp_image_store", ("", ""))[1]))
                return size * NM[unit], int(stored[0]) if stored else None, "Zeiss"
    return None


def _of_text(file: Path) -> _Found | None:
    try:
        content = file.read_bytes()
    except OSError:
        return None
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", errors="replace")
    return _hitachi(text) if "[SemImageFile]" in text else _jeol(text)


def _hitachi(text: str) -> _Found | None:
    size, width = re.search(r"^PixelSize=([\d.]+)", text, re.M), re.search(r"^DataSize=(\d+)x", text, re.M)
    return (float(size[1]), int(width[1]) if width else None, "Hitachi") if size else None


def _jeol(text: str) -> _Found | None:
    pixels = re.search(r"^\$\$SM_MICRON_BAR\s+(\d+)", text, re.M)
    marker = re.search(r"^\$\$SM_MICRON_MARKER\s+([\d.]+)\s*(nm|[uµμ]m|mm)", text, re.M)
    width = re.search(r"^\$CM_FULL_SIZE\s+(\d+)", text, re.M)
    if not pixels or not marker or pixels[1] == "0":
        return None
    return float(marker[1]) * NM[marker[2]] / int(pixels[1]), int(width[1]) if width else None, "JEOL"
