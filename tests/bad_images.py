"""Good and bad image files, each with the result that is expected from a reader.

The expected pixels are those of the array that a file was written from, never those of a decoder. PNGs that Pillow
cannot write, or that it would read by the code that wrote them, are written here from the specification.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

HEIGHT, WIDTH = 48, 64
MAX_PIXELS = 10_000_000
MIN_SIZE = 8


@dataclass(frozen=True)
class Expected:
    """The expected pixels and their tolerance, or the expected reason of the rejection."""

    pixels: np.ndarray | None = None
    reason: str = ""
    tolerance: float = 0
    pages: int = 1


def _noise(channels: int = 3, seed: int = 0, bits: int = 8) -> np.ndarray:
    """Return random pixels, which compress badly, so that a file cut short lacks pixels, and show every rotation."""
    shape = (HEIGHT, WIDTH, channels) if channels > 1 else (HEIGHT, WIDTH)
    return np.random.default_rng(seed).integers(0, 2**bits, shape).astype(np.uint8 if bits <= 8 else np.uint16)


def _smooth() -> np.ndarray:
    """Return a ramp with four different corners, which JPEG changes by a few grey levels only."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([2 * rows + 60, 3 * columns + 20, rows + columns + 40], axis=-1).astype(np.uint8)


COLOUR, GREY, SMOOTH = _noise(), _noise(1), _smooth()
BITS = GREY > 127
ALPHA = _noise(1, seed=1)
DEEP, DEEP_COLOUR = _noise(1, bits=16), _noise(bits=16)
FLOAT = np.random.default_rng(2).normal(size=(HEIGHT, WIDTH)).astype(np.float32)
PALETTE = _noise(1, bits=4)
PALETTE_COLOURS = np.random.default_rng(3).integers(0, 256, (16, 3)).astype(np.uint8)


def on_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return pixels with transparency on a white background (Porter-Duff `over`), in 0..255."""
    opacity = alpha.astype(float) / 255
    opacity = opacity[..., None] if pixels.ndim == 3 else opacity
    return pixels * opacity + 255 * (1 - opacity)


def without_inks(inks: np.ndarray) -> np.ndarray:
    """Return red, green and blue of four ideal inks, (255 - ink)(255 - black) / 255."""
    return (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255


# --------------------------------------------------------------------------------------------------------- writers


def encoded(pixels: np.ndarray, kind: str, mode: str | None = None, **options: object) -> bytes:
    """Return a file written by Pillow."""
    stream = io.BytesIO()
    Image.fromarray(pixels, mode).save(stream, kind, **options)
    return stream.getvalue()


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    """Return a file written by tifffile."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def png(width: int, height: int, depth: int, colour: int, data: bytes, interlace: int = 0, *extra: bytes) -> bytes:
    """Return a PNG with the given filtered scan lines (PNG specification, sections 5 and 11)."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    chunks = [_chunk(b"IHDR", header), *extra, _chunk(b"IDAT", data), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _lines(rows: np.ndarray) -> bytes:
    """Return scan lines without filter, with samples in network byte order."""
    rows = rows.astype(">u2") if rows.dtype == np.uint16 else rows
    return b"".join(b"\0" + row.tobytes() for row in rows)


def simple_png(pixels: np.ndarray, depth: int, colour: int, *extra: bytes) -> bytes:
    """Return a PNG with one or two bytes per sample."""
    return png(pixels.shape[1], pixels.shape[0], depth, colour, zlib.compress(_lines(pixels)), 0, *extra)


def interlaced_png(pixels: np.ndarray) -> bytes:
    """Return a PNG interlaced by Adam7."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    data = b"".join(_lines(pixels[top::down, left::right]) for top, left, down, right in passes)
    return png(pixels.shape[1], pixels.shape[0], 8, 2, zlib.compress(data), 1)


def bomb_png(side: int = 30_000) -> bytes:
    """Return a valid image of one bit per pixel, whose hundred kilobytes decode to nearly a gigabyte."""
    squeeze = zlib.compressobj(1)
    line = b"\0" * (1 + (side + 7) // 8)
    data = b"".join([*(squeeze.compress(line * 100) for _ in range(side // 100)), squeeze.flush()])
    return png(side, side, 1, 0, data)


def top_down_bmp(pixels: np.ndarray) -> bytes:
    """Return a BMP with a negative height, in which the first row comes first."""
    height, width = pixels.shape[:2]
    data = pixels[..., ::-1].tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, width, -height, 1, 24, 0, len(data), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + header + data


def turned_jpeg(orientation: int) -> bytes:
    """Return a JPEG of `SMOOTH` with an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(SMOOTH, "JPEG", quality=95, exif=exif.tobytes())


def _animated(kind: str, **options: object) -> bytes:
    frames = [Image.fromarray(frame) for frame in (GREY, GREY[::-1], GREY[:, ::-1])]
    stream = io.BytesIO()
    frames[0].save(stream, kind, save_all=True, append_images=frames[1:], **options)
    return stream.getvalue()


def _damaged(data: bytes) -> bytes:
    """Return the file with its middle overwritten."""
    middle = len(data) // 2
    return data[:middle] + bytes(64) + data[middle + 64 :]


def cut(data: bytes, tenths: int) -> bytes:
    """Return the first tenths of a file."""
    return data[: len(data) * tenths // 10]


# ----------------------------------------------------------------------------------------------------------- cases


def _cut_files() -> dict[str, tuple[bytes, Expected]]:
    files = {"png": encoded(COLOUR, "PNG"), "jpg": encoded(COLOUR, "JPEG")}
    return {
        f"cut_{tenths}.{suffix}": (cut(data, tenths), Expected(reason="truncated"))
        for suffix, data in files.items()
        for tenths in range(1, 10)
    }


def _odd_files() -> dict[str, tuple[bytes, Expected]]:
    with_alpha = np.dstack([COLOUR, ALPHA])
    grey_alpha = np.dstack([GREY, ALPHA])
    transparent = bytes([0, 128, *[255] * 14])
    shown = on_white(PALETTE_COLOURS[PALETTE], np.frombuffer(transparent, np.uint8)[PALETTE])
    palette = _chunk(b"PLTE", PALETTE_COLOURS.tobytes())
    wide = np.tile(COLOUR[:20, :60], (1, 500, 1))
    inks = np.dstack([SMOOTH, SMOOTH[::-1, :, 0]])
    noisy_inks = _noise(4, seed=4)
    pages = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]])
    return {
        # files that are not images, or useless images
        "text.png": (b"This is not an image.\n" * 20, Expected(reason="not an image")),
        "error_page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", Expected(reason="not an image")),
        "notes.txt": (b"Taken on Tuesday.\n", Expected(reason="not an image")),
        "no_suffix": (bytes(range(256)), Expected(reason="not an image")),
        "empty.png": (b"", Expected(reason="truncated")),
        "five_bytes.png": (b"\x89PNG\r", Expected(reason="truncated")),
        "damaged.png": (_damaged(encoded(COLOUR, "PNG")), Expected(reason="unreadable")),
        "only_signature.bmp": (
            b"BM" + struct.pack("<IHHII", 200, 0, 0, 54, 20) + bytes(200),
            Expected(reason="unreadable"),
        ),
        "five_channels.tif": (
            tiff(np.dstack([DEEP_COLOUR, DEEP, DEEP]), photometric="minisblack", planarconfig="contig"),
            Expected(reason="unreadable"),
        ),
        "one_pixel.png": (encoded(COLOUR[:1, :1], "PNG"), Expected(reason="too small")),
        "one_row.tif": (tiff(DEEP[:1]), Expected(reason="too small")),
        "bomb.png": (bomb_png(), Expected(reason="too large")),
        "nan.tif": (tiff(np.where(BITS, np.nan, FLOAT).astype(np.float32)), Expected(reason="not finite")),
        "infinite.tif": (tiff(np.where(BITS, np.inf, FLOAT)), Expected(reason="not finite")),
        # other modes of PNG
        "really_png.jpg": (encoded(COLOUR, "PNG"), Expected(COLOUR)),
        "wide.png": (encoded(wide, "PNG"), Expected(wide)),
        "one_bit.png": (
            png(WIDTH, HEIGHT, 1, 0, zlib.compress(_lines(np.packbits(BITS, axis=1)))),
            Expected(BITS.astype(np.uint8) * 255),
        ),
        "alpha.png": (simple_png(with_alpha, 8, 6), Expected(on_white(COLOUR, ALPHA), tolerance=1)),
        "grey_alpha.png": (simple_png(grey_alpha, 8, 4), Expected(on_white(GREY, ALPHA), tolerance=1)),
        "palette.png": (simple_png(PALETTE, 8, 3, palette), Expected(PALETTE_COLOURS[PALETTE])),
        "palette_alpha.png": (
            simple_png(PALETTE, 8, 3, palette, _chunk(b"tRNS", transparent)),
            Expected(shown, tolerance=1),
        ),
        "interlaced.png": (interlaced_png(COLOUR), Expected(COLOUR)),
        "grey_16.png": (simple_png(DEEP, 16, 0), Expected(DEEP)),
        "colour_16.png": (simple_png(DEEP_COLOUR, 16, 2), Expected(DEEP_COLOUR / 257, tolerance=1)),
        # other formats
        "progressive.jpg": (encoded(SMOOTH, "JPEG", quality=95, progressive=True), Expected(SMOOTH, tolerance=6)),
        "turned_3.jpg": (turned_jpeg(3), Expected(SMOOTH[::-1, ::-1], tolerance=6)),
        "turned_6.jpg": (turned_jpeg(6), Expected(np.rot90(SMOOTH, -1), tolerance=6)),
        "cmyk.jpg": (
            encoded(inks, "JPEG", mode="CMYK", quality=95),
            Expected(without_inks(inks), tolerance=6),
        ),
        "top_down.bmp": (top_down_bmp(COLOUR), Expected(COLOUR)),
        "bottom_up.bmp": (encoded(COLOUR, "BMP"), Expected(COLOUR)),
        "grey.bmp": (encoded(GREY, "BMP"), Expected(GREY)),
        "animated.gif": (_animated("GIF"), Expected(GREY, pages=3)),
        "animated.webp": (_animated("WEBP", lossless=True), Expected(np.dstack([GREY] * 3), pages=3)),
        "lossless.webp": (encoded(COLOUR, "WEBP", lossless=True), Expected(COLOUR)),
        "colour.jp2": (encoded(COLOUR, "JPEG2000"), Expected(COLOUR)),
        "grey_16.jp2": (encoded(DEEP, "JPEG2000"), Expected(DEEP)),
        "paper.pdf": (b"%PDF-1.7\n%\xe2\xe3", Expected(reason="format PDF is not read")),
        "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Expected(reason="format HEIC is not read")),
        "phone.avif": (b"\0\0\0\x1cftypavif\0\0\0\0avif", Expected(reason="format AVIF is not read")),
        "stack.czi": (b"ZISRAWFILE" + bytes(64), Expected(reason="format CZI is not read")),
        "sky.fits": (b"SIMPLE  =                    T", Expected(reason="format FITS is not read")),
        "layers.psd": (b"8BPS\0\1" + bytes(64), Expected(reason="format PSD is not read")),
        "scan.djvu": (b"AT&TFORM\0\0\1\0DJVU", Expected(reason="format DJVU is not read")),
        "grey_16.pgm": (b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) + DEEP.astype(">u2").tobytes(), Expected(DEEP)),
        # TIFF
        "grey_8.tif": (tiff(GREY), Expected(GREY)),
        "one_bit.tif": (tiff(BITS, photometric="minisblack"), Expected(BITS.astype(np.uint8) * 255)),
        "cmyk.tif": (tiff(noisy_inks, photometric="separated"), Expected(without_inks(noisy_inks), tolerance=1)),
        "grey_16.tif": (tiff(DEEP), Expected(DEEP)),
        "grey_16_lzw.tif": (encoded(DEEP, "TIFF", compression="tiff_lzw"), Expected(DEEP)),
        "grey_16_big_endian.tif": (tiff(DEEP, byteorder=">", compression="zlib"), Expected(DEEP)),
        "white_is_zero.tif": (tiff(65535 - DEEP, photometric="miniswhite"), Expected(DEEP)),
        "colour_16.tif": (tiff(DEEP_COLOUR, photometric="rgb"), Expected(DEEP_COLOUR)),
        "colour_16_planes.tif": (
            tiff(np.moveaxis(DEEP_COLOUR, -1, 0), photometric="rgb", planarconfig="separate"),
            Expected(DEEP_COLOUR),
        ),
        "alpha_16.tif": (
            tiff(np.dstack([DEEP_COLOUR, ALPHA * np.uint16(257)]), photometric="rgb", extrasamples=["unassalpha"]),
            Expected(on_white(DEEP_COLOUR / 257, ALPHA) * 257, tolerance=1),
        ),
        "float.tif": (tiff(FLOAT), Expected(FLOAT)),
        "float_lzw.tif": (encoded(FLOAT, "TIFF", compression="tiff_lzw"), Expected(FLOAT)),
        "float_64.tif": (tiff(FLOAT.astype(np.float64), compression="zlib"), Expected(FLOAT)),
        "signed.tif": (tiff(DEEP.astype(np.int16)), Expected(DEEP.astype(np.int16).astype(np.float32))),
        "pages.tif": (tiff(pages, photometric="minisblack"), Expected(DEEP, pages=3)),
        # names
        "sub folder/späce näme.png": (encoded(COLOUR[::-1], "PNG"), Expected(COLOUR[::-1])),
        "sub folder/new\nline.png": (encoded(COLOUR[:, ::-1], "PNG"), Expected(COLOUR[:, ::-1])),
        "SHOUTED.PNG": (encoded(COLOUR[:, :32], "PNG"), Expected(COLOUR[:, :32])),
    }


def write_bad_images(folder: str | Path) -> dict[str, Expected]:
    """Write all files and three links, and return the expected results by relative path."""
    files = {**_cut_files(), **_odd_files()}
    for name, (data, _) in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    Path(folder, "dead_link.png").symlink_to("nowhere.png")
    Path(folder, "circle.png").symlink_to("circle.png")
    Path(folder, "link.png").symlink_to(Path(folder, "interlaced.png").resolve())
    expected = {name: expectation for name, (_, expectation) in files.items()}
    return {
        **expected,
        "dead_link.png": Expected(reason="unreadable"),
        "circle.png": Expected(reason="unreadable"),
        "link.png": Expected(reason="duplicate content"),
    }


WRITERS_OF_EVERY_FORMAT: dict[str, Callable[[], bytes]] = {
    "png": lambda: encoded(COLOUR, "PNG"),
    "interlaced png": lambda: interlaced_png(COLOUR),
    "jpeg": lambda: encoded(COLOUR, "JPEG"),
    "progressive jpeg": lambda: encoded(COLOUR, "JPEG", progressive=True),
    "bmp": lambda: encoded(COLOUR, "BMP"),
    "gif": lambda: encoded(GREY, "GIF"),
    "webp": lambda: encoded(COLOUR, "WEBP"),
    "ppm": lambda: encoded(COLOUR, "PPM"),
    "jpeg 2000": lambda: encoded(COLOUR, "JPEG2000"),
    "tiff": lambda: encoded(COLOUR, "TIFF"),
    "tiff lzw": lambda: encoded(COLOUR, "TIFF", compression="tiff_lzw"),
    "tiff lzw 16 bit": lambda: encoded(DEEP, "TIFF", compression="tiff_lzw"),
    "tiff 16 bit": lambda: tiff(DEEP_COLOUR, photometric="rgb"),
    "tiff float deflate": lambda: tiff(FLOAT, compression="zlib"),
}
"""Functions that return a good file of each format."""
