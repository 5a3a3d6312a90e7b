"""Decode image files to arrays; for a file that cannot be read, raise `ImageRejected` with the reason."""

import logging
import os
import re
import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tifffile import PHOTOMETRIC, FileHandle, TiffFile, TiffPage

from workflow_scripts.io.pixels import Rows, bands
from workflow_scripts.io.rejections import ImageRejected, Reason
from workflow_scripts.io.tiff_pages import check_length, tiff_mode, tiff_pixels

Pixels = TypeVar("Pixels", bound=Rows, covariant=True)


@dataclass(frozen=True)
class DecodedImage(Generic[Pixels]):
    """A decoded page or frame of an image file.

    Attributes
    ----------
    pixels : (H, W) or (H, W, 3), uint8, uint16 or float32.
    format : one of `FORMATS`, `DM3` or `DM4`, recognised by the first bytes of the file.
    mode : Pillow's name of the pixel format in the file, or a name such as `RGB;uint16` if Pillow has none.
    pages : number of pages or frames of the file.
    """

    pixels: Pixels
    format: str
    mode: str
    pages: int


# The first bytes of a file decide its format, not its name. RIFF files may also hold sound: see `format_of`.
_SIGNATURES = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "BMP": (b"BM",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "WEBP": (b"RIFF",),
    "PPM": (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"),
    "JPEG2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
}
FORMATS = tuple(_SIGNATURES)
# Formats that are not read, with patterns of their first bytes. DM3 and DM4 are read if the extra `dm` is installed.
_NOT_READ = {
    Reason.PDF: ("PDF", rb"%PDF"),
    Reason.DJVU: ("DJVU", rb"AT&TFORM"),
    Reason.HEIC: ("HEIC", rb"(?s)....ftyp(hei|hev|mif1)"),
    Reason.AVIF: ("AVIF", rb"(?s)....ftypavi"),
    Reason.CZI: ("CZI", rb"ZISRAWFILE"),
    Reason.FITS: ("FITS", rb"SIMPLE  ="),
    Reason.PSD: ("PSD", rb"8BPS"),
    Reason.DM3: ("DM3", rb"\x00{3}\x03"),
    Reason.DM4: ("DM4", rb"\x00{3}\x04"),
}
_DIGITAL_MICROGRAPH = ("DM3", "DM4")
_ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9", "GIF": b";", "JPEG2000": b"\xff\xd9"}

_CheckSize = Callable[[int, int], None]


def read_image(path: str | Path, max_pixels: int | None = None, page: int = 0) -> np.ndarray:
    """Return the pixels of page `page` (from 0) of an image file, (H, W) or (H, W, 3), uint8, uint16 or float32.

    `decode` says how they are converted, and when `ImageRejected` is raised.
    """
    with open_file(path) as stream:
        return decode(stream, max_pixels, page=page).pixels


@contextmanager
def open_file(path: str | Path) -> Iterator[BufferedReader]:
    """Open a file for reading; raises `ImageRejected` if it cannot be opened."""
    try:
        stream = open(path, "rb")  # noqa: SIM115 - only the opening may fail here, not what the caller does
    except OSError as error:
        raise ImageRejected(Reason.UNREADABLE, error.strerror or str(error)) from None
    with stream:
        yield stream


def decode(
    stream: BinaryIO, max_pixels: int | None = None, min_size: int = 1, page: int = 0
) -> DecodedImage[np.ndarray]:
    """Decode one page or frame of a PNG, JPEG, BMP, TIFF, GIF, WebP, PBM/PGM/PPM or JPEG 2000 file.

    `page` is its number, from 0. Grey images stay grey: 8 bits or fewer become uint8, 16 bits uint16, and other numbers
    float32 with the same values. Colour images become RGB: palettes are expanded, CMYK and YCbCr are converted without
    a colour profile. 16 bits per channel are kept for TIFF; Pillow reduces them to 8 for PNG and for LZW-compressed
    TIFF. Transparent images are put on white. The EXIF orientation is applied. Files of Digital Micrograph (DM3, DM4)
    are read too if the extra `dm` is installed.

    Raises `ImageRejected` if the header gives more than `max_pixels` pixels or a side below `min_size` (nothing is
    decoded then), if the decoder fails, or if pixels are NaN or infinite.
    """
    kind = format_of(stream)
    with rejecting(stream, kind), quiet_decoders():
        decoded = _decode_as(kind, stream, partial(check_size, max_pixels=max_pixels, min_size=min_size), page)
        if not all(np.isfinite(band).all() for band in bands(decoded.pixels)):
            raise ImageRejected(Reason.NOT_FINITE, f"{decoded.mode}: NaN or infinite values")
        return decoded


@contextmanager
def rejecting(stream: BinaryIO | FileHandle, kind: str) -> Iterator[None]:
    """Turn an exception of a decoder into `ImageRejected`, as a context manager.

    Decoders raise many kinds of exceptions for a broken file. `stream` is the open file, and `kind` is its format.
    """
    try:
        yield
    except ImageRejected as rejection:
        rejection.format = kind
        raise
    except Exception as error:
        reason = Reason.TRUNCATED if _is_cut(stream, kind, error) else Reason.UNREADABLE
        raise ImageRejected(reason, f"{kind}: {_explain(error)}", kind) from None


def check_size(width: int, height: int, max_pixels: int | None, min_size: int) -> None:
    """Raise `ImageRejected` if an image has a side below `min_size` pixels, or more than `max_pixels` pixels."""
    if min(width, height) < min_size:
        raise ImageRejected(Reason.TOO_SMALL, f"{width} x {height} pixels, allowed: {min_size} on each side")
    if max_pixels is not None and width * height > max_pixels:
        allowed = f"{max_pixels} in all (intake.max_pixels); cut larger images into intake.tiles"
        raise ImageRejected(Reason.TOO_LARGE, f"{width} x {height} pixels, allowed: {allowed}")


def format_of(stream: BinaryIO) -> str:
    """Return the format of an image file, such as `PNG`, recognised by its first bytes.

    Raises `ImageRejected` if the file is empty, is no image, or has a format that is not read.
    """
    head = stream.read(16)
    stream.seek(0)
    if not head:
        raise ImageRejected(Reason.TRUNCATED, "the file is empty")
    for name, signatures in _SIGNATURES.items():
        if head.startswith(signatures) and (name != "WEBP" or head[8:12] in (b"WEBP", b"")):
            return name
        if any(signature.startswith(head) for signature in signatures):
            raise ImageRejected(Reason.TRUNCATED, f"{name}: only {len(head)} bytes", name)
    for reason, (name, pattern) in _NOT_READ.items():
        if re.match(pattern, head):
            if name not in _DIGITAL_MICROGRAPH:
                raise ImageRejected(reason, f"allowed: {', '.join(FORMATS)}", name)
            if find_spec("nionswift_plugin") is None:
                raise ImageRejected(reason, "to read it, install the extra dm: pip install nionswift-io", name)
            return name
    raise ImageRejected(Reason.NOT_AN_IMAGE, f"begins like none of {', '.join(FORMATS)}")


def _explain(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):  # Pillow's text holds the address of an object
        return "its header makes no sense"
    return str(error) or type(error).__name__


def _is_cut(stream: BinaryIO | FileHandle, kind: str, error: Exception) -> bool:
    """Return whether the file that `stream` reads ends too early; `error` is the exception of its decoder."""
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return True
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(16)
    if kind == "WEBP":
        return size < 12 or int.from_bytes(head[4:8], "little") + 8 > size
    if kind in _DIGITAL_MICROGRAPH:  # the header has the length of the rest
        rest, header = (head[4:8], 16) if kind == "DM3" else (head[4:12], 24)
        return int.from_bytes(rest, "big") + header > size
    if kind == "TIFF":
        place = head[8:16] if b"+" in head[2:4] else head[4:8]  # where the first page is
        return int.from_bytes(place, "little" if head.startswith(b"II") else "big") + 2 > size
    if kind in _ENDS:
        stream.seek(max(0, size - 64))
        return _ENDS[kind] not in stream.read()
    return False


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Silence the warnings of decoders, and lift Pillow's limit of pixels, because `check_size` checks the size."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    log = logging.getLogger("tifffile")
    was_disabled, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
        log.disabled = was_disabled


def _decode_as(kind: str, stream: BinaryIO, check_size: _CheckSize, page: int) -> DecodedImage[np.ndarray]:
    if kind == "TIFF":
        return _decode_tiff(stream, check_size, page)
    if kind in _DIGITAL_MICROGRAPH:
        return _decode_digital_micrograph(stream, kind, check_size, page)
    return _decode_pillow(stream, kind, check_size, page)


# ---------------------------------------------------------------------------------------------------------- Pillow


def _decode_pillow(stream: BinaryIO, kind: str, check_size: _CheckSize, number: int) -> DecodedImage[np.ndarray]:
    with Image.open(stream, formats=[kind]) as image:
        pixels, mode = _page(image, kind, check_size, number)
        return DecodedImage(pixels, kind, mode, getattr(image, "n_frames", 1))


def _page(image: Image.Image, kind: str, check_size: _CheckSize, number: int) -> tuple[np.ndarray, str]:
    """Return the pixels of page `number` (from 0) of an open image, and the mode of this page."""
    image.seek(number)
    mode = image.mode
    check_size(*image.size)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return _to_array(image, kind), mode


def _to_array(image: Image.Image, kind: str) -> np.ndarray:
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode == "I":  # 32 bits in Pillow: a PGM of up to 16 bits, scaled to 65535, or a TIFF of more than 16
        return np.asarray(image).astype(np.uint16 if kind == "PPM" else np.float32)
    if image.mode == "F":
        return np.array(image)
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    mode = "L" if grey else "RGB"
    return np.asarray(image if image.mode == mode else image.convert(mode))


# ------------------------------------------------------------------------------------------------------------ TIFF


def _decode_tiff(stream: BinaryIO, check_size: _CheckSize, number: int) -> DecodedImage[np.ndarray]:
    """Decode page `number` (from 0) of a TIFF file.

    Pages of more than 8 bits per sample are decoded by tifffile if it can decompress them, all other pages by Pillow.
    """
    with TiffFile(stream) as tiff:
        page = tiff.pages[number]
        if not isinstance(page, TiffPage):
            raise ValueError("no page")
        check_size(page.imagewidth, page.imagelength)
        check_length(page)
        pages = len(tiff.pages)
        if page.bitspersample > 8:
            try:
                return DecodedImage(tiff_pixels(page), "TIFF", tiff_mode(page), pages)
            except (NotImplementedError, ValueError) as error:
                if "imagecodecs" not in str(error):
                    raise
    with _no_stderr(), pillow_at(stream, page, number) as image:
        pixels, mode = _page(image, "TIFF", check_size, image.tell())  # counting its pages fails at a page of doubles
    if pixels.dtype == np.uint16 and page.photometric == PHOTOMETRIC.MINISWHITE:
        pixels = 65535 - pixels  # Pillow does not invert these
    return DecodedImage(pixels, "TIFF", mode, pages)


@contextmanager
def pillow_at(stream: BinaryIO, page: TiffPage, number: int) -> Iterator[Image.Image]:
    """Open a TIFF file with Pillow at `page`, which has the number `number` (from 0), as a context manager.

    Pillow opens no file whose first page is of a kind that it does not know, such as colours of 64 bits. Then it gets a
    copy in memory that begins with `page`.
    """
    stream.seek(0)
    try:
        image = Image.open(stream, formats=["TIFF"])
    except UnidentifiedImageError:
        if number == 0:
            raise
        image, number = Image.open(_beginning_with(page, stream), formats=["TIFF"]), 0
    with image:
        image.seek(number)
        yield image


def _beginning_with(page: TiffPage, stream: BinaryIO) -> BinaryIO:
    """Return a copy of a TIFF file whose header names `page` as the first one."""
    stream.seek(0)
    copy, header = BytesIO(stream.read()), page.parent.tiff
    copy.seek(header.offsetsize)  # 4 or, in a BigTIFF, 8 bytes of the header are before the place of the first page
    copy.write(struct.pack(header.offsetformat, page.offset))
    return copy


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2 (stderr): libtiff inside Pillow writes its warnings there."""
    sys.stderr.flush()
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


# ------------------------------------------------------------------------------------------------ Digital Micrograph


def _decode_digital_micrograph(
    stream: BinaryIO, kind: str, check_size: _CheckSize, number: int
) -> DecodedImage[np.ndarray]:
    """Decode image `number` (from 0) of a DM3 or DM4 file of Gatan, by the library nionswift-io.

    The values are those in the file, as uint8, uint16 or float32. Raises `ValueError` if the image is not grey.
    """
    from nionswift_plugin.DM_IO.dm3_image_utils import load_image

    with redirect_stdout(None):  # the parser prints its warnings
        image = load_image(stream)
    samples = np.asarray(image.data)
    if image.datum_dimension_count != 2 or image.is_data_rgb_type or np.iscomplexobj(samples):
        raise ValueError(f"{samples.dtype} of shape {samples.shape} is not a grey image")
    pages = samples.reshape(-1, *samples.shape[-2:])
    check_size(*pages.shape[:0:-1])
    whole = samples.dtype in (np.uint8, np.uint16)
    return DecodedImage(
        pages[number].astype(samples.dtype if whole else np.float32), kind, f"L;{samples.dtype}", len(pages)
    )
