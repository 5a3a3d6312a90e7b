"""Read the size of a pixel from the metadata that the microscope's program wrote into the file or beside it."""

import os
import re
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree

from PIL import ExifTags, Image, UnidentifiedImageError
from tifffile import TiffFile, TiffFileError

from workflow_scripts.io.images import quiet_decoders

NM = {
    **{"pm": 1e-3, "nm": 1.0, "um": 1e3, "µm": 1e3, "μm": 1e3, "micron": 1e3, "microns": 1e3, "mm": 1e6, "m": 1e9},
    **{"Å": 0.1, "A": 0.1},
}
"""Units of length in nanometres."""
LENGTH = re.compile(r"([\d.]+)\s*(nm|[uµμ]m|mm)")
FIELD_TOLERANCE = 0.02
"""The largest relative difference between two sizes of a pixel: the stated one, which is rounded, and the one computed
from the width of the field."""
ASPECT_TOLERANCE = 0.01
"""The largest relative difference between the aspect ratios of the field and of an image that is not cropped."""
_DM_UNIT, _DM_SCALE, _TESCAN, _PHENOM, _EXIF = 65003, 65009, 50431, 34683, 34665
"""Codes of TIFF tags: unit and scale of Digital Micrograph's exports, settings of Tescan and Phenom, Exif entries."""


_T = TypeVar("_T")
_R = TypeVar("_R")
_DAMAGED = (
    *(TiffFileError, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, ZeroDivisionError),
    *(SyntaxError, struct.error),
)
"""Exceptions that readers raise for damaged or unexpected tags; those of XML are syntax errors."""


@dataclass(frozen=True)
class Calibration:
    """The size of a pixel (nanometres) from metadata, and the maker of the microscope.

    `stripe_height` is the height of the image without its data stripe (pixels), or None if it is not stated.
    """

    nm_per_pixel: float
    maker: str
    stripe_height: int | None = None


@dataclass(frozen=True)
class _Stated:
    """A statement in the metadata of an image about the size of a pixel.

    `nm_per_pixel` is the size in nanometres. It holds for an image that is `width` pixels wide, or for any image if
    `width` is None. `stripe_height` is as in `Calibration`.
    """

    nm_per_pixel: float
    maker: str
    width: int | None = None
    stripe_height: int | None = None


def calibration(path: Path, width: int, height: int) -> Calibration | None:
    """Return the size of a pixel from the metadata of an image of `width` x `height` pixels, or None.

    The following are read: the TIFF tags of FEI and Thermo Fisher (34680, 34682: `PixelWidth`, `DatabarHeight`), Phenom
    (34683), Zeiss (34118: the width of the field, `Image Pixel Size`), Tescan (50431: `PixelSizeX`, `ImageStripSize`),
    Olympus (33560), Gatan's exports (65009), Hitachi (XPComment: `PixelSize`) and JEOL (Exif MakerNote:
    `SM_MICRON_BAR`, `SM_MICRON_MARKER`); the units of ImageJ and OME; the calibration in Digital Micrograph files; and
    the text files that the programs of Hitachi, JEOL and Tescan write beside the image.

    The first statement about the size of a pixel counts. If it holds for another width than the image has, the result
    is None, because the image was resized or cropped.
    """
    stated = next(_statements(path, width, height), None)
    if stated and stated.nm_per_pixel > 0 and stated.width in (None, width):
        return Calibration(stated.nm_per_pixel, stated.maker, stated.stripe_height)
    return None


def texts_beside(path: Path) -> list[Path]:
    """Return the text files beside an image that may describe it."""
    dashed = path.with_name(f"{path.stem}-{path.suffix[1:]}.hdr")
    files = [path.with_suffix(".txt"), path.with_suffix(".hdr"), dashed]
    return [file for file in files if os.path.isfile(file)]  # Path.is_file fails if the name is too long


def _statements(path: Path, width: int, height: int) -> Iterator[_Stated]:
    with readable(TiffFile, path) as tiff:
        if tiff:
            yield from _of_tiff(tiff, width, height)
    yield from _of_texts(texts_outside_tags(path))
    yield from _digital_micrograph(path)


class readable:  # noqa: N801 - used as a function
    """Open a file with `reader`, as a context manager that gives None if the file has another format or is damaged."""

    def __init__(self, reader: Callable[[Path], Any], path: Path) -> None:
        try:
            with quiet_decoders():
                self.opened = reader(path)
        except (*_DAMAGED, UnidentifiedImageError):
            self.opened = None

    def __enter__(self) -> Any:
        return self.opened

    def __exit__(self, *_: object) -> None:
        if self.opened:
            self.opened.close()


# ------------------------------------------------------------------------------------------------------------ TIFF


def _of_tiff(tiff: TiffFile, width: int, height: int) -> Iterator[_Stated]:
    """Yield the statements in a TIFF's tags: first those of microscopes, then those of other programs."""
    makers = (_fei, lambda tiff: _zeiss(tiff, width, height), _olympus, _gatan, _phenom)
    yield from filter(None, (attempted(maker, tiff) for maker in makers))
    yield from _of_texts(attempted(texts_of_tags, tiff) or [])
    yield from filter(None, (attempted(program, tiff) for program in (_ome, _imagej)))


def attempted(reader: Callable[[_T], _R], source: _T) -> _R | None:
    """Return the result of a reader, or None if the tags that it reads are damaged or have unexpected values."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader(source)
    except _DAMAGED:
        return None


def _fei(tiff: TiffFile) -> _Stated | None:
    sections = tiff.fei_metadata or {}
    for name in ("Scan", "EScan", "IScan"):
        metres = sections.get(name, {}).get("PixelWidth")
        if isinstance(metres, float):
            bar = sections.get("PrivateFei", {}).get("DatabarHeight")
            width = sections.get("Image", {}).get("ResolutionX")
            return _Stated(metres * NM["m"], "FEI", width, bar if isinstance(bar, int) else None)
    return None


def _zeiss(tiff: TiffFile, width: int, height: int) -> _Stated | None:
    """Return the size of a pixel (nanometres): the width of the field of view divided by the image's width in pixels.

    The metadata also state the size of a pixel as scanned, but an image may be stored at half that resolution. So the
    stated size is used only if the field of view is not stated, or has another aspect ratio than the image. If the
    image was stored at its full width and the two sizes contradict each other, the size is 0. Returns None if neither
    is stated.
    """
    entries = tiff.sem_metadata or {}
    size = _zeiss_length(entries, "ap_image_pixel_size") or _zeiss_length(entries, "ap_pixel_size")
    across, down = _zeiss_length(entries, "ap_width"), _zeiss_length(entries, "ap_height")
    store = re.match(r"\d+", str(entries.get("dp_image_store", ("", ""))[1]))
    stored = int(store[0]) if store else None
    if across and down and abs(across / down / (width / height) - 1) <= ASPECT_TOLERANCE:
        field = across / width
        if "ap_image_pixel_size" in entries and stored == width and size and abs(size / field - 1) > FIELD_TOLERANCE:
            return _Stated(0, "Zeiss")  # 0, because the two sizes contradict each other
        return _Stated(field, "Zeiss")
    return _Stated(size, "Zeiss", stored) if size else None


def _zeiss_length(entries: dict[str, Any], name: str) -> float | None:
    match entries.get(name):
        case (_, (int() | float()) as size, str() as unit) if unit in NM:
            return size * NM[unit]
    return None


def _olympus(tiff: TiffFile) -> _Stated | None:
    metres = (tiff.sis_metadata or {}).get("pixelsizex")
    return _Stated(float(metres) * NM["m"], "Olympus") if metres else None


def _gatan(tiff: TiffFile) -> _Stated | None:
    """Return the scale in a TIFF exported by Digital Micrograph; units such as 1/nm raise `KeyError`."""
    tags = tiff.pages.first.tags
    unit, scale = tags.valueof(_DM_UNIT), tags.valueof(_DM_SCALE)
    return _Stated(float(scale) * NM[str(unit).strip("\0 ")], "Gatan") if unit and scale else None


def _phenom(tiff: TiffFile) -> _Stated | None:
    text = tiff.pages.first.tags.valueof(_PHENOM)
    match = re.search(r'<pixelWidth unit="([^"]+)">([\d.eE+-]+)<', text if isinstance(text, str) else "")
    return _Stated(float(match[2]) * NM[match[1]], "Phenom") if match else None


def _imagej(tiff: TiffFile) -> _Stated | None:
    """Return the scale that ImageJ wrote; None if its unit is one that microscopes do not use, such as inches."""
    settings = tiff.imagej_metadata or {}
    unit = str(settings.get("unit", "")).replace("\\u00B5", "µ")
    count, per = tiff.pages.first.tags.valueof("XResolution", (0, 1))
    return _Stated(NM[unit] * per / count, "ImageJ") if unit in NM and unit != "m" and count else None


def _ome(tiff: TiffFile) -> _Stated | None:
    if not tiff.is_ome:
        return None
    for pixels in ElementTree.fromstring(tiff.ome_metadata or "<OME/>").iter():
        if pixels.tag.endswith("}Pixels") and "PhysicalSizeX" in pixels.attrib:
            unit = NM[pixels.attrib.get("PhysicalSizeXUnit", "µm")]
            return _Stated(float(pixels.attrib["PhysicalSizeX"]) * unit, "OME", int(pixels.attrib["SizeX"]))
    return None


# ----------------------------------------------------------------------------------------------------------- texts


def texts_outside_tags(path: Path) -> list[str]:
    """Return the texts that may describe an image: those in a JPEG or PNG (`_texts_of_exif`) and the files beside
    it."""
    return [*_texts_of_exif(path), *(_decoded(file.read_bytes()) for file in texts_beside(path))]


def texts_of_tags(tiff: TiffFile) -> list[str]:
    """Return the texts of more than 20 characters in a TIFF's tags and its Exif entries."""
    tags = {tag.code: tag.value for tag in tiff.pages.first.tags.values()}
    exif = tags.get(_EXIF)
    return _long_texts([*tags.values(), *(exif.values() if isinstance(exif, dict) else ())])


def _texts_of_exif(path: Path) -> list[str]:
    """Return the texts of more than 20 characters in the Exif entries and comments of a JPEG or PNG."""
    with readable(Image.open, path) as image:
        return [] if image is None or image.format == "TIFF" else attempted(_texts_of_image, image) or []


def _texts_of_image(image: Image.Image) -> list[str]:
    exif = image.getexif()
    return _long_texts([*exif.values(), *exif.get_ifd(ExifTags.IFD.Exif).values(), *image.info.values()])


def _long_texts(values: list[Any]) -> list[str]:
    return [_decoded(value) for value in values if isinstance(value, bytes | str) and len(value) > 20]


def _decoded(content: bytes | str) -> str:
    if isinstance(content, str):
        return content
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    is_wide = content[1:200:2].count(0) > 0.8 * len(content[1:200:2])
    return content.decode("utf-16-le" if is_wide else "latin-1", errors="replace")


def _of_texts(texts: list[str]) -> Iterator[_Stated]:
    for text in texts:
        yield from filter(None, (attempted(maker, text) for maker in (_tescan, _hitachi, _jeol)))


def _tescan(text: str) -> _Stated | None:
    size, strip = re.search(r"\bPixelSizeX=([\d.eE+-]+)", text), re.search(r"\bImageStripSize=(\d+)", text)
    return _Stated(float(size[1]) * NM["m"], "Tescan", None, int(strip[1]) if strip else None) if size else None


def _hitachi(text: str) -> _Stated | None:
    size, width = re.search(r"^PixelSize=([\d.]+)", text, re.M), re.search(r"^DataSize=(\d+)x", text, re.M)
    return _Stated(float(size[1]), "Hitachi", int(width[1]) if width else None) if size else None


def _jeol(text: str) -> _Stated | None:
    pixels = re.search(r"\$SM_MICRON_BAR[\s=]+(\d+)", text)
    marker = re.search(r"\$SM_MICRON_MARKER[\s=]+" + LENGTH.pattern, text)
    width = re.search(r"\$CM_FULL_SIZE[\s=]+(\d+)", text)
    if not pixels or not marker or pixels[1] == "0":
        return None
    nm = float(marker[1]) * NM[marker[2]] / int(pixels[1])
    return _Stated(nm, "JEOL", int(width[1]) if width else None)


# ---------------------------------------------------------------------------------------------- Digital Micrograph


def _digital_micrograph(path: Path) -> Iterator[_Stated]:
    """Yield the size of a pixel in a DM3 or DM4 file, if its unit is a length (that of diffraction patterns is 1/nm).

    Yields nothing for other files, or if the package `nionswift-io` is not installed.
    """
    if path.suffix.lower() not in (".dm3", ".dm4") or find_spec("nionswift_plugin") is None:
        return
    from nionswift_plugin.DM_IO.dm3_image_utils import load_image

    with open(path, "rb") as stream, redirect_stdout(None):
        across = load_image(stream).dimensional_calibrations[-1]
    if across.units in NM:
        yield _Stated(abs(across.scale) * NM[across.units], "Gatan")
