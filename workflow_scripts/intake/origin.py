"""Read from the metadata of an image when and with which instrument it was taken."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from tifffile import TiffFile

from workflow_scripts.intake.scale_bars.metadata import attempted, readable, texts_of_tags, texts_outside_tags

_DATES = ("%Y:%m:%d", "%Y/%m/%d", "%Y-%m-%d", "%d %b %Y", "%m/%d/%Y")
"""Formats of dates: those of Exif, of Hitachi and JEOL, of Tescan, of Zeiss, and of FEI."""
_TIMES = ("%H:%M:%S", "%I:%M:%S %p")


@dataclass(frozen=True, slots=True)
class Origin:
    """The time at which an image was taken (`taken`), and the instrument that took it.

    `taken` is the date and time as ISO 8601, or the date alone if the time is not stated. A value that is not stated is
    "".
    """

    taken: str = ""
    instrument: str = ""


def origin(path: Path) -> Origin:
    """Return when and with which instrument the image in a file was taken.

    The following are read in this order, and the first that states a fact counts: the TIFF tags of FEI and Thermo
    Fisher (34680, 34682) and Zeiss (34118); the texts of Tescan, JEOL and Hitachi in tags, Exif entries or the file
    beside the image; and Exif's `DateTimeOriginal`, `DateTime`, `Make` and `Model`.
    """
    stated = list(_statements(path))
    return Origin(
        next((each.taken for each in stated if each.taken), ""),
        next((each.instrument for each in stated if each.instrument), ""),
    )


def _statements(path: Path) -> Iterator[Origin]:
    texts = texts_outside_tags(path)
    with readable(TiffFile, path) as tiff:
        if tiff:
            yield from filter(None, (attempted(maker, tiff) for maker in (_fei, _zeiss)))
            texts = [*(attempted(texts_of_tags, tiff) or []), *texts]
    for text in texts:
        yield from (_of_text(text, *keys) for keys in _KEYS)
    with readable(Image.open, path) as image:
        if image:
            yield attempted(_exif, image) or Origin()


def _fei(tiff: TiffFile) -> Origin:
    sections: dict[str, Any] = tiff.fei_metadata or {}
    user, system = sections.get("User", {}), sections.get("System", {})
    return Origin(_iso(user.get("Date", ""), user.get("Time", "")), str(system.get("SystemType", "")))


def _zeiss(tiff: TiffFile) -> Origin:
    entries: dict[str, Any] = tiff.sem_metadata or {}
    date, time, name = (str(entries.get(key, ("", ""))[1]) for key in ("ap_date", "ap_time", "sv_serial_number"))
    return Origin(_iso(date, time), name and f"Zeiss {name}")


_KEYS = (
    ("", r"^Date=", r"^Time=", r"^Device="),
    ("Hitachi ", r"^Date=", r"^Time=", r"^InstructName="),
    ("JEOL ", r"^\$CM_DATE\s+", r"^\$CM_TIME\s+", r"^\$CM_INSTRUMENT\s+"),
)
"""For Tescan, Hitachi and JEOL: the maker to put before the name of the instrument, and the expressions for the texts
before date, time and instrument."""


def _of_text(text: str, maker: str, *keys: str) -> Origin:
    date, time, name = (_after(key, text) for key in keys)
    return Origin(_iso(date, time), f"{maker}{name}" if name else "")


def _after(key: str, text: str) -> str:
    match = re.search(rf"{key}([^\r\n]*)", text, re.MULTILINE)
    return match[1].strip() if match else ""


def _exif(image: Image.Image) -> Origin:
    exif = image.getexif()
    stamp = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    date, _, time = str(stamp or "").strip("\0 ").partition(" ")
    names = [str(exif.get(tag, "")).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    return Origin(_iso(date, time), " ".join(filter(None, names)))


def _iso(date: str, time: str) -> str:
    """Return a date and a time as ISO 8601; the date alone if the time cannot be read, and "" if the date cannot be
    read."""
    for date_format in _DATES:
        with suppress(ValueError):
            day = datetime.strptime(date, date_format).date().isoformat()
            clocks = (_clock(time, time_format) for time_format in _TIMES)
            return "T".join(filter(None, (day, next(filter(None, clocks), ""))))
    return ""


def _clock(time: str, time_format: str) -> str:
    with suppress(ValueError):
        return datetime.strptime(time.split(".")[0], time_format).time().isoformat()
    return ""
