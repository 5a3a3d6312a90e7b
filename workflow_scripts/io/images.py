"""Decoding of image files to arrays; a file that cannot be read is rejected with a reason."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tifffile import PHOTOMETRIC, FileHandle, TiffFile, TiffPage


class Reason(StrEnum):
    """The reasons why a file is not taken into the data set."""

    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    NOT_AN_IMAGE = "not an image"
    PDF = "format PDF is not read"
    DJVU = "format DJVU is not read"
    DM3 = "format DM3 is not read"
    DM4 = "format DM4 is not read"
    TOO_SMALL = "too small"
    NO_SCALE = "no scale"
    NO_BOX = "no box"
    BOX = "box that does not fit"
    TOO_LARGE = "too large"
    NOT_FINITE = "not finite"
    UNIFORM = "uniform"
    PICKED = "set aside by hand"
    MASK = "mask"
    DUPLICATE = "duplicate content"
    SAME_PIXELS = "duplicate pixels"
    NEAR = "near-duplicate"
    CONFLICT = "duplicate with another label"


class ImageRejected(Exception):  # noqa: N818 - an outcome, not a failure
    """Raised for a file that is not taken into the data set, with the reason, details, and the format if known."""

    def __init__(self, reason: Reason, detail: str, format: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = " ".join(detail.split())
        self.format = format

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


FILE_BITS = 16
"""Bits of the values of a file of whole numbers that has more than 8."""
BAND = 256
"""The number of rows that are converted at once, so that a large image is held in one type only."""


class Rows(Protocol):
    """The rows of an image (H, W) or (H, W, 3): an array, or `tiff_rows.PageRows`, which are read when they are
    needed."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


def bands(image: Rows) -> Iterator[np.ndarray]:
    """Yield the rows of an image in arrays of `BAND` rows, from top to bottom."""
    return (image[top : top + BAND] for top in range(0, len(image), BAND))


def joined(parts: Iterable[np.ndarray], height: int) -> np.ndarray:
    """Return the array (height, ...) uint8 of parts that follow each other from top to bottom."""
    made, end = np.empty(0, np.uint8), 0
    for part in parts:
        if not end:
            made = np.empty((height, *part.shape[1:]), np.uint8)
        made[end : end + len(part)] = part
        end += len(part)
    return made


def limits(parts: Iterable[np.ndarray]) -> tuple[float, float]:
    """Return the lowest and the highest value of arrays."""
    found = [(float(part.min()), float(part.max())) for part in parts]
    return min(low for low, _ in found), max(high for _, high in found)


def eight_bit_bands(image: Rows) -> Iterator[np.ndarray]:
    """Yield the `bands` of an image as uint8; those of more bits are stretched from the lowest to the highest value of
    the image."""
    if image.dtype == np.uint8:
        yield from bands(image)
        return
    low, high = limits(bands(image))
    scale = 255 / (high - low) if high > low else 0.0
    yield from (np.rint((band - low) * scale).astype(np.uint8) for band in bands(image))


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (H, W) or (H, W, 3) as uint8, joined from `eight_bit_bands`."""
    return pixels if pixels.dtype == np.uint8 else joined(eight_bit_bands(pixels), len(pixels))


def is_uniform(image: Rows) -> bool:
    """Return whether all pixels of an image (H, W) or (H, W, 3) are the same."""
    first = image[:1][0, 0]
    return all((band == first).all() for band in bands(image))


Pixels = TypeVar("Pixels", bound=Rows, covariant=True)


@dataclass(frozen=True)
class DecodedImage(Generic[Pixels]):
    """A decoded image file.

    Attributes
    ----------
    pixels : (H, W) or (H, W, 3), uint8, uint16 or float32; of one page or frame.
    format : one of `FORMATS`, `DM3` or `DM4`, by the first bytes of the file.
    mode : Pillow's name of the pixel format in the file, or a name such as `RGB;uint16` if Pillow has none.
    pages : number of pages or frames.
    """

    pixels: Pixels
    format: str
    mode: str
    pages: int


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a page (from 1) of a file, in pixels after the EXIF rotation."""

    path: Path
    page: int
    x: int
    y: int
    width: int
    height: int

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """Return a copy of this rectangle of `pixels` (H, W) or (H, W, 3), those of the whole page."""
        return pixels[self.y : self.y + self.height, self.x : self.x + self.width].copy()


# The first bytes of a file decide its format, not its name. RIFF may also be sound: see `_format`.
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
# Formats of micrographs and scans that are not read; DM3 and DM4 are read if the extra `dm` is installed.
_NOT_READ = {
    Reason.PDF: ("PDF", b"%PDF"),
    Reason.DJVU: ("DJVU", b"AT&TFORM"),
    Reason.DM3: ("DM3", b"\0\0\0\3"),
    Reason.DM4: ("DM4", b"\0\0\0\4"),
}
_DIGITAL_MICROGRAPH = ("DM3", "DM4")
_ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9", "GIF": b";", "JPEG2000": b"\xff\xd9"}
_TIFF_COLOURS: dict[int, int] = {PHOTOMETRIC.MINISWHITE: 1, PHOTOMETRIC.MINISBLACK: 1, PHOTOMETRIC.RGB: 3}
_ALPHA = {1: "associated", 2: "unassociated"}

_CheckSize = Callable[[int, int], None]


def read_image(path: str | Path, max_pixels: int | None = None, page: int = 0) -> np.ndarray:
    """Return the pixels of an image file, (H, W) or (H, W, 3), uint8, uint16 or float32. See `decode`."""
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
    """Decode a page or frame, 0 is the first, of a PNG, JPEG, BMP, TIFF, GIF, WebP, PBM/PGM/PPM or JPEG 2000 file.

    Grey images stay grey: 8 bits or fewer become uint8, 16 bits uint16, and other numbers float32 with the same values.
    Colour images become RGB: palettes are expanded, CMYK and YCbCr are converted without a colour profile. 16 bits per
    channel are kept for TIFF; Pillow reduces them to 8 for PNG and for LZW-compressed TIFF. Transparent images are put
    on white. The EXIF orientation is applied.

    Raises `ImageRejected` if the header gives more than `max_pixels` pixels or a side below `min_size` (nothing is
    decoded then), if the decoder fails, or if pixels are NaN or infinite.
    """
    kind = format_of(stream)
    with rejecting(stream, kind), quiet_decoders():
        decoded = _decode_as(kind, stream, partial(check_size, max_pixels=max_pixels, min_size=min_size), page)
        if not np.isfinite(decoded.pixels).all():
            raise ImageRejected(Reason.NOT_FINITE, f"{decoded.mode}: NaN or infinite values")
        return decoded


@contextmanager
def rejecting(stream: BinaryIO | FileHandle, kind: str) -> Iterator[None]:
    """Raise `ImageRejected` with the format `kind` in place of the many kinds of exceptions that decoders raise on a
    broken file, which is open as `stream`."""
    try:
        yield
    except ImageRejected as rejection:
        rejection.format = kind
        raise
    except Exception as error:
        reason = Reason.TRUNCATED if _is_cut(stream, kind, error) else Reason.UNREADABLE
        raise ImageRejected(reason, f"{kind}: {_explain(error)}", kind) from None


def check_size(width: int, height: int, max_pixels: int | None, min_size: int) -> None:
    """Raise `ImageRejected` if an image has a side below `min_size` or more than `max_pixels` pixels."""
    if min(width, height) < min_size:
        raise ImageRejected(Reason.TOO_SMALL, f"{width} x {height} pixels, allowed: {min_size} on each side")
    if max_pixels is not None and width * height > max_pixels:
        allowed = f"{max_pixels} in all (intake.max_pixels); cut larger images into intake.tiles"
        raise ImageRejected(Reason.TOO_LARGE, f"{width} x {height} pixels, allowed: {allowed}")


def format_of(stream: BinaryIO) -> str:
    """Return the format of an image file by its first bytes; raises `ImageRejected` if it cannot be read."""
    head = stream.read(16)
    stream.seek(0)
    if not head:
        raise ImageRejected(Reason.TRUNCATED, "the file is empty")
    for name, signatures in _SIGNATURES.items():
        if head.startswith(signatures) and (name != "WEBP" or head[8:12] in (b"WEBP", b"")):
            return name
        if any(signature.startswith(head) for signature in signatures):
            raise ImageRejected(Reason.TRUNCATED, f"{name}: only {len(head)} bytes", name)
    for reason, (name, signature) in _NOT_READ.items():
        if head.startswith(signature):
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
    """Return whether a file that could not be decoded ends too early."""
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return True
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(16)
    if kind == "WEBP":
        return size < 12 or int.from_bytes(head[4:8], "little") + 8 > size
    if kind in _DIGITAL_MICROGRAPH:  # the length of what follows the header
        rest, header = (head[4:8], 16) if kind == "DM3" else (head[4:12], 24)
        return int.from_bytes(rest, "big") + header > size
    if kind == "TIFF":
        place = head[8:16] if b"+" in head[2:4] else head[4:8]  # of the first page, in a BigTIFF and in others
        return int.from_bytes(place, "little" if head.startswith(b"II") else "big") + 2 > size
    if kind in _ENDS:
        stream.seek(max(0, size - 64))
        return _ENDS[kind] not in stream.read()
    return False


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Silence the warnings of decoders, and lift Pillow's limit of pixels, because `check_size` has its own."""
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
        image.seek(number)
        mode = image.mode
        check_size(*image.size)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        pixels = _to_array(image, kind)
        return DecodedImage(pixels, kind, mode, getattr(image, "n_frames", 1))


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
    """Decode more than 8 bits per sample by tifffile; 8 bits, and codecs that tifffile does not have, by Pillow."""
    with TiffFile(stream) as tiff:
        page = tiff.pages[number]
        if not isinstance(page, TiffPage):
            raise ValueError("no page")
        check_size(page.imagewidth, page.imagelength)
        check_length(page)
        pages = len(tiff.pages)
        if page.bitspersample > 8:
            try:
                return DecodedImage(_oriented(_samples(page), page), "TIFF", tiff_mode(page), pages)
            except (NotImplementedError, ValueError) as error:
                if "imagecodecs" not in str(error):
                    raise
    stream.seek(0)
    with _no_stderr():
        decoded = _decode_pillow(stream, "TIFF", check_size, number)
    if decoded.pixels.dtype == np.uint16 and page.photometric == PHOTOMETRIC.MINISWHITE:
        return replace(decoded, pixels=65535 - decoded.pixels, pages=pages)  # Pillow does not invert these
    return replace(decoded, pages=pages)


def check_length(page: TiffPage) -> None:
    """Raise `ImageRejected` if the file ends before the pixels of a page."""
    size = page.parent.filehandle.size
    if any(start + count > size for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)):
        raise ImageRejected(Reason.TRUNCATED, f"TIFF: pixels beyond the end of the file, {size} bytes")


def _samples(page: TiffPage) -> np.ndarray:
    """Return (H, W) or (H, W, 3) uint16 or float32 pixels of a page with more than 8 bits per sample."""
    samples = page.asarray()
    if page.axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    colours = _TIFF_COLOURS.get(page.photometric, 0)
    if np.iscomplexobj(samples) or samples.ndim not in (2, 3) or not colours:
        raise ValueError(f"{page.dtype} with axes {page.axes} and colours {page.photometric!r} are not supported")
    white = np.iinfo(samples.dtype).max if samples.dtype.kind in "iu" else 1.0
    samples = samples.reshape(*samples.shape[:2], -1)
    alpha = [_ALPHA.get(int(kind), "") for kind in page.extrasamples]
    if samples.shape[2] > colours and not any(alpha):
        raise ValueError(f"{samples.shape[2]} channels, allowed: {colours}")
    pixels = samples[..., :colours]
    if page.photometric == PHOTOMETRIC.MINISWHITE and samples.dtype.kind == "u":
        pixels = white - pixels
    if any(alpha):
        opacity = samples[..., colours, None] / white
        covered = pixels if alpha[0] == "associated" else pixels * opacity
        pixels = np.rint(covered + white * (1 - opacity)) if samples.dtype.kind in "iu" else covered + (1 - opacity)
    pixels = pixels.astype(np.uint16 if samples.dtype == np.uint16 else np.float32)
    return pixels if colours == 3 else pixels[..., 0]


def tiff_mode(page: TiffPage) -> str:
    """Return Pillow's name of the pixel format of a page with more than 8 bits per sample, or one like it."""
    colours = "RGB" if page.photometric == PHOTOMETRIC.RGB else "L"
    names = {("L", "uint16"): "I;16", ("L", "float32"): "F"}
    return names.get((colours, str(page.dtype)), f"{colours};{page.dtype}") + ("A" if page.extrasamples else "")


def _oriented(pixels: np.ndarray, page: TiffPage) -> np.ndarray:
    """Return the pixels with rows from the top and columns from the left (TIFF 6.0, tag Orientation)."""
    code = int(page.tags.valueof("Orientation", 1))
    if code >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    if code in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if code in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


@contextmanager
def _no_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2, where libtiff inside Pillow writes its warnings."""
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
    """Decode Gatan's DM3 and DM4 by nionswift-io: the values as stored, the first image of a stack."""
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
