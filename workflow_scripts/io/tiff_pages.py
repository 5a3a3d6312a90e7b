"""Decode the pixels of a TIFF page with more than 8 bits per sample."""

import numpy as np
from tifffile import PHOTOMETRIC, TiffPage

from workflow_scripts.io.pixels import BAND
from workflow_scripts.io.rejections import ImageRejected, Reason

_TIFF_COLOURS: dict[int, int] = {PHOTOMETRIC.MINISWHITE: 1, PHOTOMETRIC.MINISBLACK: 1, PHOTOMETRIC.RGB: 3}
_ALPHA = {1: "associated", 2: "unassociated"}


def check_length(page: TiffPage) -> None:
    """Raise `ImageRejected` if the file ends before the last pixels of a page."""
    size = page.parent.filehandle.size
    if any(start + count > size for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)):
        raise ImageRejected(Reason.TRUNCATED, f"TIFF: pixels beyond the end of the file, {size} bytes")


def tiff_pixels(page: TiffPage) -> np.ndarray:
    """Return the pixels of a page, (H, W) or (H, W, 3), uint16 or float32, as `images.decode` describes them.

    Raises `ValueError` if the kind of page is not supported.
    """
    return _oriented(_samples(page), page)


def tiff_mode(page: TiffPage) -> str:
    """Return Pillow's name of the pixel format of a page, or a name such as `RGB;uint16` if Pillow has none."""
    colours = "RGB" if page.photometric == PHOTOMETRIC.RGB else "L"
    names = {("L", "uint16"): "I;16", ("L", "float32"): "F"}
    return names.get((colours, str(page.dtype)), f"{colours};{page.dtype}") + ("A" if page.extrasamples else "")


def _samples(page: TiffPage) -> np.ndarray:
    """Return the pixels of a page in the order in which they are stored, (H, W) or (H, W, 3), uint16 or float32.

    Transparent pixels are put on white, and values are inverted if 0 is white. Raises `ValueError` if the kind of page
    is not supported.
    """
    samples = page.asarray()
    if page.axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    colours = _TIFF_COLOURS.get(page.photometric, 0)
    if np.iscomplexobj(samples) or samples.ndim not in (2, 3) or not colours:
        raise ValueError(f"{page.dtype} with axes {page.axes} and colours {page.photometric!r} are not supported")
    samples = samples.reshape(*samples.shape[:2], -1)
    alpha = next((name for kind in page.extrasamples if (name := _ALPHA.get(int(kind), ""))), "")
    if samples.shape[2] > colours and not alpha:
        raise ValueError(f"{samples.shape[2]} channels, allowed: {colours}")
    inverted = page.photometric == PHOTOMETRIC.MINISWHITE and samples.dtype.kind == "u"
    dtype = np.uint16 if samples.dtype == np.uint16 else np.float32
    if samples.dtype == dtype and not alpha and not inverted:
        pixels = samples
    else:
        pixels = np.empty((*samples.shape[:2], colours), dtype)
        for top in range(0, len(samples), BAND):
            pixels[top : top + BAND] = _on_white(samples[top : top + BAND], colours, alpha, inverted)
    return pixels if colours == 3 else pixels[..., 0]


def _on_white(samples: np.ndarray, colours: int, alpha: str, inverted: bool) -> np.ndarray:
    """Return the colours (h, w, colours) of samples (h, w, n), with transparent pixels put on white.

    `alpha` says whether the colours were multiplied by the opacity (`associated`) or not, and is "" without
    transparency. `inverted` says that 0 is white.
    """
    white = np.iinfo(samples.dtype).max if samples.dtype.kind in "iu" else 1.0
    pixels = white - samples[..., :colours] if inverted else samples[..., :colours]
    if not alpha:
        return pixels
    opacity = samples[..., colours, None] / white
    covered = pixels if alpha == "associated" else pixels * opacity
    on_white = covered + white * (1 - opacity)
    return np.rint(on_white) if samples.dtype.kind in "iu" else on_white


def _oriented(pixels: np.ndarray, page: TiffPage) -> np.ndarray:
    """Return the pixels with the first row at the top and the first column on the left (TIFF 6.0, tag Orientation)."""
    code = int(page.tags.valueof("Orientation", 1))
    if code >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    if code in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if code in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
