"""Micrographs drawn over photographs, with data bars in the styles of several makers, and their true scales.

The styles imitate the data bars of the makers' programs, not their exact pixels. Each image depends only on its number
and the seed.

python -m tests.micrographs FOLDER
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

PHOTOGRAPHS = (
    *("astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png", "coins.png", "grass.png"),
    *("gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "page.png", "retina.jpg", "rocket.jpg", "text.png"),
)
"""Images in scikit-image's wheel; two of them contain text."""
LIBERATION = Path("/usr/share/fonts/truetype/liberation")
"""Fonts with the metrics of those in the makers' programs (Arial, Courier New), under the SIL Open Font License."""
SIZES = ((640, 480), (800, 600), (1024, 768), (1280, 960))
FORMATS = ("png", "tif", "bmp", "jpg", "jpg")
ROUND = (1, 2, 5, 10, 20, 50, 100, 200, 500)
UNITS_NM = {"nm": 1.0, "um": 1e3, "mm": 1e6}


@dataclass(frozen=True)
class Truth:
    """The truth about a micrograph: its scale and bar, or the `reason` why there is none, and the rows `top` to
    `bottom` of the image without its stripe."""

    file: str
    look: str
    reason: str
    scale_um: float
    bar_px: float
    top: int
    bottom: int


@dataclass
class _Panel:
    """A stripe that is being drawn: its image, colours and font, and the bar drawn into it."""

    image: Image.Image
    draw: ImageDraw.ImageDraw
    ink: int
    font: ImageFont.FreeTypeFont
    rng: np.random.Generator
    bar_px: float = float("nan")

    def text(self, x: float, y: float, text: str, anchor: str = "lt") -> None:
        self.draw.text((round(x), round(y)), text, fill=self.ink, font=self.font, anchor=anchor)

    def width(self, text: str) -> int:
        return round(self.font.getlength(text))

    def line(self, *corners: float, thickness: int) -> None:
        """Draw a filled rectangle from x0, y0 to x1, y1 (included), or a line of `thickness` if they are in a line."""
        x0, y0, x1, y1 = (round(corner) for corner in corners)
        x1, y1 = max(x1, x0 + thickness - 1) if x1 == x0 else x1, max(y1, y0 + thickness - 1) if y1 == y0 else y1
        self.draw.rectangle((x0, y0, x1, y1), fill=self.ink)


def write_micrographs(folder: Path, count: int, *, photographs: Sequence[Path] = (), seed: int = 0) -> pd.DataFrame:
    """Write `count` micrographs into `folder` and return a table with the fields of `Truth` for each.

    `photographs` are taken besides scikit-image's. The looks follow one another, so that each has its share.
    """
    folder.mkdir(parents=True, exist_ok=True)
    truths = []
    for number in range(count):
        pixels, truth = draw_micrograph(number, photographs=photographs, seed=seed)
        quality = int(np.random.default_rng((seed, number, 1)).integers(60, 96))
        Image.fromarray(pixels).save(folder / truth.file, **({"quality": quality} if truth.file[-3:] == "jpg" else {}))
        truths.append(asdict(truth))
    return pd.DataFrame(truths)


def judged(readings: pd.DataFrame, truths: pd.DataFrame) -> np.ndarray:
    """Return `right`, `missed` or `wrong` for each reading, in the order of the truths.

    A reading is right if it has the true scale and a bar within two pixels or two per cent; for an image without a
    scale it must have none, and the true reason. Any other reading with a scale is wrong; one without a scale was
    missed.
    """
    scale, length = readings["scale_um"].to_numpy(), readings["bar_px"].to_numpy()
    is_close = np.abs(length - truths["bar_px"]) <= np.maximum(2, 0.02 * truths["bar_px"])
    is_read = np.isclose(scale, truths["scale_um"], rtol=1e-9) & is_close
    is_refused = np.isnan(scale) & (readings["reason"].to_numpy() == truths["reason"])
    right = np.where(truths["reason"] == "", is_read, is_refused)
    return np.select([right, ~np.isnan(scale)], ["right", "wrong"], "missed")


def judged_real(readings: pd.DataFrame, truths: pd.DataFrame, factor: float = 1) -> np.ndarray:
    """Return `right`, `missed` or `wrong` for each reading of a real micrograph, in the order of `truth.csv`.

    A reading is right if it has the true scale, and the size of a pixel within 1 % or within one pixel of the bar's
    length; for a bar in 1/nm it must have no scale. `factor` is the factor by which the image was resized.
    """
    unit = truths["unit"].map({"nm": 1e-3, "µm": 1.0, "mm": 1e3})
    scale, size = readings["scale_um"].to_numpy(), readings["nm_per_pixel"].to_numpy()
    within = np.maximum(0.01, 1 / (truths["bar_px"] * factor))
    is_read = np.isclose(scale, truths["bar_value"] * unit) & (np.abs(size / truths["nm_per_pixel"] - 1) <= within)
    right = np.where(unit.isna(), np.isnan(size), is_read)
    return np.select(
        [right, ~np.isnan(size) & ~(np.isnan(scale) & is_near(size, truths))], ["right", "wrong"], "missed"
    )


def is_near(size: np.ndarray, truths: pd.DataFrame) -> np.ndarray:
    """Return whether the size of a pixel is right within 1 %, for an image whose bar was not read."""
    return np.abs(size / truths["nm_per_pixel"].to_numpy() - 1) <= 0.01


def draw_micrograph(number: int, *, photographs: Sequence[Path] = (), seed: int = 0) -> tuple[np.ndarray, Truth]:
    """Return the micrograph `number`, (H, W) uint8, and its truth."""
    rng = np.random.default_rng((seed, number))
    look = list(LOOKS)[number % len(LOOKS)]
    width, height = SIZES[rng.integers(len(SIZES))]
    photograph = _photograph(rng, width, height, photographs)
    name = f"{look.replace(' ', '_')}_{number:04d}.{FORMATS[rng.integers(len(FORMATS))]}"
    if look == "no stripe":
        pixels, truth = photograph, Truth(name, look, "no stripe", np.nan, np.nan, 0, height)
    elif look == "over the image":
        pixels, bar_px = _over(photograph, rng)
        truth = Truth(name, look, "", 1, bar_px, 0, height)
    else:
        pixels, truth = _striped(photograph, rng, look, name)
    noise = rng.choice((0, 0, 1.5, 4))
    return np.clip(pixels + noise * rng.standard_normal(pixels.shape), 0, 255).round().astype(np.uint8), truth


def _striped(photograph: np.ndarray, rng: np.random.Generator, look: str, name: str) -> tuple[np.ndarray, Truth]:
    """Return a photograph with a stripe below or (one in eight) above it, or with both for the look `two stripes`."""
    height, width = photograph.shape
    drawn = "zeiss" if look in ("two stripes", "no bar") else look
    fresh = rng.integers(2**32)
    stripe, bar_px, scale_um = _stripe(np.random.default_rng(fresh), drawn, width, bar=look != "no bar")
    if look == "two stripes":
        pixels = np.vstack([stripe, photograph, stripe])
        return pixels, Truth(name, look, "", scale_um, bar_px, len(stripe), len(stripe) + height)
    above = rng.random() < 1 / 8
    pixels = np.vstack([stripe, photograph] if above else [photograph, stripe])
    top = len(stripe) if above else 0
    if look in ("no bar", "no text"):
        return pixels, Truth(name, look, look, np.nan, np.nan, top, top + height)
    return pixels, Truth(name, look, "", scale_um, bar_px, top, top + height)


def _stripe(rng: np.random.Generator, look: str, width: int, bar: bool) -> tuple[np.ndarray, float, float]:
    """Return a stripe (h, width) uint8, the length of its bar in pixels, and that in micrometres."""
    paint, fonts, dark_share, rows = LOOKS[look]
    size = max(11, round(width * rng.uniform(0.014, 0.021)))
    dark = rng.random() < dark_share
    paper = int(rng.choice((0, 0, 0, 12, 40)) if dark else rng.choice((255, 255, 235, 200)))
    font = ImageFont.truetype(str(rng.choice(_fonts(fonts))), size)
    image = Image.new("L", (width, round(size * rows * rng.uniform(1, 1.15))), paper)
    ink = int(rng.choice((255, 255, 230)) if dark else rng.choice((0, 0, 30)))
    panel = _Panel(image, ImageDraw.Draw(image), ink, font, rng)
    panel.draw.fontmode = "1" if rng.random() < 0.2 and size >= 14 else "L"
    value, unit = (
        float(rng.choice(ROUND)),
        str(rng.choice(("nm", "um", "um", "um", "mm"), p=(0.3, 0.22, 0.22, 0.22, 0.04))),
    )
    if unit == "nm" and value < 10:
        value *= 10
    if unit == "mm":
        value = min(value, 2)
    paint(panel, value, unit, bar)
    return np.asarray(image), panel.bar_px, value * UNITS_NM[unit] / 1e3


# ------------------------------------------------------------------------------------------------------- the looks


def _label(panel: _Panel, value: float, unit: str, *, space: bool, micro: str = "", decimals: int = 0) -> str:
    """Return a label such as `1 µm`, `500nm` or `1.00um`; the micro sign is U+00B5, the Greek letter or a u."""
    if unit == "um":
        unit = (micro or str(panel.rng.choice(("µ", "μ")))) + "m"
    number = f"{value:.{decimals}f}"
    return f"{number}{' ' if space else ''}{unit}"


def _fields(panel: _Panel) -> list[str]:
    """Return the other texts of a stripe, some of which look like a scale."""
    rng = panel.rng
    kv, wd, mag = rng.choice((1, 2, 5, 10, 15, 20)), rng.uniform(2, 12), rng.choice((500, 1000, 5000, 20000, 50000))
    fields = [
        f"EHT = {kv:.2f} kV",
        f"WD = {wd:.1f} mm",
        f"Mag = {mag / 1000:.2f} K X",
        str(rng.choice(("Signal A = InLens", "Signal A = SE2", "Det: SE", "BSE"))),
        f"{rng.integers(1, 29)} Nov {rng.integers(2004, 2019)}",
        f"HFW {rng.uniform(1, 90):.1f} µm",
        str(rng.choice(("Sample 12", "CNR-IOM", "Si_wafer_03", "NFFA"))),
    ]
    rng.shuffle(fields)
    return fields


def _bar_length(panel: _Panel) -> int:
    return round(panel.image.width * panel.rng.uniform(0.08, 0.22))


def _capped_bar(panel: _Panel, x: float, y: float, length: int, thickness: int, cap: int) -> None:
    """Draw a line of `length` pixels from `x` with vertical ends; `y` is its upper edge.

    Makers count from the middle of one cap to that of the other.
    """
    panel.line(x, y, x + length - 1, y + thickness - 1, thickness=thickness)
    for end in (x, x + length - thickness):
        panel.line(end, y - cap, end + thickness - 1, y + thickness - 1 + cap, thickness=thickness)


def _zeiss(panel: _Panel, value: float, unit: str, bar: bool) -> None:
    """Draw a text above a bar with end caps at the left, then fields in two rows."""
    size, height = panel.font.size, panel.image.height
    x, length, thickness = size, _bar_length(panel), int(panel.rng.integers(2, 5))
    label = _label(panel, value, unit, space=True)
    if bar:
        length = max(length, panel.width(label))
        _capped_bar(panel, x, height - 0.9 * size, length, thickness, round(0.3 * size))
        panel.text(x + (length - panel.width(label)) / 2, 0.25 * height - size / 4, label)
        panel.bar_px = length - thickness
    fields = _fields(panel)
    column = x + length + 2 * size
    for first, second in zip(fields[::2], fields[1::2], strict=False):
        panel.text(column, 0.2 * height, first)
        panel.text(column, 0.6 * height, second)
        column += max(panel.width(first), panel.width(second)) + 2 * size


def _fei(panel: _Panel, value: float, unit: str, bar: bool) -> None:
    """Draw a table with lines, names above values, and a last cell with a bar that is broken by its text."""
    size, (width, height) = panel.font.size, panel.image.size
    length = round(max(_bar_length(panel), 6 * size + 0.1 * width))
    label = _label(panel, value, unit, space=True)
    panel.draw.rectangle((0, 0, width - 1, height - 1), outline=panel.ink)
    cell = width - length - 3 * size
    panel.line(cell, 0, cell, height - 1, thickness=1)
    x0, middle = cell + 1.5 * size, 0.35 * height
    gap = panel.width(label) / 2 + 0.4 * size
    centre = x0 + length / 2
    thickness = int(panel.rng.integers(1, 3))
    panel.line(x0, middle, centre - gap, middle + thickness - 1, thickness=thickness)
    panel.line(centre + gap, middle, x0 + length - 1, middle + thickness - 1, thickness=thickness)
    for end in (x0, x0 + length - thickness):
        panel.line(end, middle - 0.35 * size, end + thickness - 1, middle + 0.35 * size, thickness=thickness)
    panel.text(centre, middle, label, anchor="mm")
    panel.text(centre, 0.78 * height, str(panel.rng.choice(("Helios", "Quanta FEG", "TASC Lab"))), anchor="mm")
    panel.bar_px = length - thickness
    x = 0.6 * size
    for field in _fields(panel):
        name, _, content = field.replace("=", "").replace(":", "").partition(" ")
        cell_width = max(panel.width(name), panel.width(content)) + 1.2 * size
        if x + cell_width > cell:
            break
        panel.text(x, 0.12 * height, name)
        panel.text(x, 0.6 * height, content)
        x += cell_width
        panel.line(x - 0.6 * size, 0, x - 0.6 * size, height - 1, thickness=1)


def _hitachi(panel: _Panel, value: float, unit: str, bar: bool) -> None:
    """Draw a row of fields, and at the right eleven ticks with the value under or over their right end."""
    size, (width, height) = panel.font.size, panel.image.size
    rng = panel.rng
    if unit == "um" and rng.random() < 0.5:
        label = _label(panel, value, unit, space=False, micro="u", decimals=max(0, 2 - len(f"{value:.0f}") + 1))
    else:
        label = _label(panel, value, unit, space=False, micro="u")
    length, thickness = _bar_length(panel), int(rng.integers(2, 4))
    x0 = width - size - length
    tick = max(4, round(0.4 * size))
    above = rng.random() < 0.3
    y = 0.7 * height if above else 0.15 * height
    for place in range(11):
        x = x0 + round(place * (length - thickness) / 10)
        panel.line(x, y, x + thickness - 1, y + tick, thickness=thickness)
    panel.bar_px = length - thickness  # from tick to tick
    panel.text(x0 + length, 0.1 * height if above else 0.52 * height, label, anchor="rt")
    fields = (
        f"SU8000 {rng.choice((1, 3, 5, 15)):.1f}kV {rng.uniform(2, 12):.1f}mm x{rng.choice((1, 5, 20, 50))}.0k SE(UL)"
    )
    while panel.width(fields) > x0 - 2 * size:
        fields = fields.rpartition(" ")[0]
    panel.text(size, 0.35 * height, fields)


def _jeol(panel: _Panel, value: float, unit: str, bar: bool) -> None:
    """Draw a row with fields, the value, and a solid bar beside or under it."""
    size, height = panel.font.size, panel.image.height
    rng = panel.rng
    label = _label(panel, value, unit, space=bool(rng.random() < 0.5))
    length, thickness = _bar_length(panel), int(rng.integers(2, 7))
    x = float(size)
    for field in (
        str(rng.choice(("SEI", "LEI", "COMPO"))),
        f"{rng.choice((5, 10, 15))}.0kV",
        f"X{rng.choice((1, 5, 30))},000",
    ):
        panel.text(x, 0.3 * height, field)
        x += panel.width(field) + 1.5 * size
    wide = panel.image.width - x
    if rng.random() < 0.5 and wide > length + panel.width(label) + 12 * size:  # beside
        panel.text(x + size, 0.3 * height, label)
        x += panel.width(label) + 1.8 * size
        panel.line(
            x, 0.3 * height + 0.4 * size, x + length - 1, 0.3 * height + 0.4 * size + thickness - 1, thickness=thickness
        )
    else:
        panel.text(x + size + length / 2, 0.12 * height, label, anchor="mt")
        x += size
        panel.line(x, 0.72 * height, x + length - 1, 0.72 * height + thickness - 1, thickness=thickness)
    panel.bar_px = length
    field = f"WD {rng.uniform(4, 15):.1f}mm"
    if x + length + 2 * size + panel.width(field) < panel.image.width:
        panel.text(x + length + 2 * size, 0.3 * height, field)


def _tescan(panel: _Panel, value: float, unit: str, bar: bool) -> None:
    """Draw cells in rows, a ruler with ticks and its value below, and the maker's name in a block at the right."""
    size, (width, height) = panel.font.size, panel.image.size
    rng = panel.rng
    fields = _fields(panel)
    label = _label(panel, value, unit, space=True)
    length, thickness = max(_bar_length(panel), 5 * size), int(rng.integers(1, 3))
    x = 0.6 * size
    for first, second in zip(fields[:4:2], fields[1:4:2], strict=True):
        column = max(panel.width(first), panel.width(second)) + 1.2 * size
        if x + column + length + 6 * size > width:
            break
        panel.text(x, 0.12 * height, first)
        panel.text(x, 0.56 * height, second)
        x += column
        panel.line(x - 0.6 * size, 0, x - 0.6 * size, height - 1, thickness=1)
    x0, y = x + size, 0.38 * height
    panel.line(x0, y, x0 + length - 1, y + thickness - 1, thickness=thickness)
    for place in range(6):
        tick = x0 + round(place * (length - thickness) / 5)
        panel.line(tick, y - (0.35 if place in (0, 5) else 0.2) * size, tick + thickness - 1, y, thickness=thickness)
    panel.text(x0 + length / 2, 0.56 * height, label, anchor="mt")
    panel.bar_px = length - thickness
    right = x0 + length + size
    panel.line(right, 0, right, height - 1, thickness=1)
    if right + panel.width("MIRA3 TESCAN") + size < width:
        panel.text(right + size / 2, 0.3 * height, "MIRA3 TESCAN")
    panel.line(0, 0, width - 1, 0, thickness=1)


def _desktop(panel: _Panel, value: float, unit: str, bar: bool) -> None:
    """Draw the stripe of a desktop instrument: fields at the left, and a thick bar with its value at the right."""
    size, (width, height) = panel.font.size, panel.image.size
    rng = panel.rng
    label = _label(panel, value, unit, space=True)
    length = max(_bar_length(panel), panel.width(label))
    thickness = max(3, round(size * rng.uniform(0.25, 0.5)))
    x0 = width - length - 1.5 * size
    text_above = rng.random() < 0.5
    y = 0.68 * height if text_above else 0.14 * height
    panel.line(x0, y, x0 + length - 1, y + thickness - 1, thickness=thickness)
    panel.text(x0 + length / 2, 0.12 * height if text_above else 0.5 * height, label, anchor="mt")
    panel.bar_px = length
    x = float(size)
    for field in _fields(panel):
        if x + panel.width(field) + 2 * size > x0:
            break
        panel.text(x, 0.32 * height, field)
        x += panel.width(field) + 1.5 * size


def _unlabelled(panel: _Panel, value: float, unit: str, bar: bool) -> None:
    """Draw a bar without its value, and a working distance farther away."""
    size, height = panel.font.size, panel.image.height
    length = _bar_length(panel)
    panel.line(size, 0.5 * height, size + length - 1, 0.5 * height + 3, thickness=4)
    panel.text(3 * size + length, 0.3 * height, f"{panel.rng.integers(4, 9)}mm")
    panel.text(7 * size + length, 0.3 * height, "15.0kV")


def _over(photograph: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Draw a scale of 1 µm over the image itself, without a stripe, and return the length of its bar."""
    height, width = photograph.shape
    image = Image.fromarray(photograph.astype(np.uint8))
    panel = _Panel(image, ImageDraw.Draw(image), 255, ImageFont.truetype(_fonts("sans")[0], width // 50), rng)
    panel.line(0.05 * width, 0.95 * height, 0.2 * width, 0.95 * height + 4, thickness=4)
    panel.text(0.08 * width, 0.9 * height, "1 µm")
    return np.asarray(image, dtype=float), round(0.2 * width) - round(0.05 * width) + 1


_Look = tuple[Callable[[_Panel, float, str, bool], None], str, float, float]
LOOKS: dict[str, _Look | None] = {
    # painter, fonts, share of dark stripes, height in lines of text
    "zeiss": (_zeiss, "sans", 0.6, 3.2),
    "fei": (_fei, "sans", 0.95, 3.2),
    "hitachi": (_hitachi, "mono", 0.95, 2.6),
    "jeol": (_jeol, "all", 0.9, 2.6),
    "tescan": (_tescan, "sans", 0.5, 3.2),
    "desktop": (_desktop, "all", 0.4, 2.8),
    "zeiss light": (_zeiss, "all", 0.0, 3.2),
    "hitachi light": (_hitachi, "sans", 0.0, 2.6),
    "no stripe": None,
    "over the image": None,
    "two stripes": None,
    "no bar": None,
    "no text": (_unlabelled, "sans", 0.5, 2.8),
}


# ------------------------------------------------------------------------------------------- photographs and fonts


def _photograph(rng: np.random.Generator, width: int, height: int, photographs: Sequence[Path]) -> np.ndarray:
    """Return a crop of a photograph with the contrast of a micrograph, partly saturated, (height, width) 0..255."""
    sources: list[Path | str] = [*PHOTOGRAPHS, *rng.permutation(np.array(photographs, dtype=object))[:16]]
    whole = _grey(str(sources[rng.integers(len(sources))]))
    share = rng.uniform(0.5, 1)
    crop_width = int(share * min(whole.width, whole.height * width / height))
    crop_height = int(crop_width * height / width)
    left, top = rng.integers(whole.width - crop_width + 1), rng.integers(whole.height - crop_height + 1)
    crop = whole.crop((left, top, left + crop_width, top + crop_height)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    pixels = np.asarray(crop, dtype=float)
    pixels = (pixels - pixels.mean()) * rng.uniform(0.6, 1.6) + rng.uniform(50, 190)
    return np.clip(pixels + rng.uniform(1, 12) * rng.standard_normal(pixels.shape), 0, 255)


@cache
def _grey(source: str) -> Image.Image:
    path = Path(source)
    with (path if path.is_absolute() else files("skimage.data").joinpath(source)).open("rb") as stream:
        return Image.open(stream).convert("L")


@cache
def _fonts(kind: str) -> list[str]:
    """Return the available fonts of a kind: DejaVu and STIX of matplotlib, and Liberation if it is installed."""
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    sans = [own / "DejaVuSans.ttf", own / "DejaVuSans-Bold.ttf", LIBERATION / "LiberationSans-Regular.ttf"]
    sans += [LIBERATION / "LiberationSans-Bold.ttf", LIBERATION / "LiberationSansNarrow-Regular.ttf"]
    mono = [
        own / "DejaVuSansMono.ttf",
        LIBERATION / "LiberationMono-Regular.ttf",
        LIBERATION / "LiberationMono-Bold.ttf",
    ]
    serif = [own / "DejaVuSerif.ttf", own / "STIXGeneral.ttf"]
    named = {"sans": sans, "mono": mono, "all": [*sans, *mono, *serif]}[kind]
    return [str(font) for font in named if font.exists()]


if __name__ == "__main__":
    write_micrographs(Path(sys.argv[1]), 90)
