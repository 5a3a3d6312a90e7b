"""Parts of TIFF pages, band by band: the same pixels as from the whole page, and little memory."""

from contextlib import contextmanager
from io import BytesIO
from itertools import product

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.peak_memory import peaks
from tests.unit.intake.files import through_csv
from workflow_scripts.errors import UserError
from workflow_scripts.intake.inspection import inspect
from workflow_scripts.intake.listing import scan
from workflow_scripts.intake.regions import Tiling, cut_tiles
from workflow_scripts.io import tiff_rows
from workflow_scripts.io.images import decode, open_file, read_image
from workflow_scripts.io.pixels import Part
from workflow_scripts.io.rejections import ImageRejected, Reason
from workflow_scripts.io.tiff_rows import PageRows, open_image, open_rows
from workflow_scripts.preprocess.pipeline import files_and_pixels

SIZE, STEP = 60, 45
WAYS = {
    "strips": {"rowsperstrip": 16},
    "one strip": {"rowsperstrip": 10**6},
    "tiles": {"tile": (32, 48)},
    "deflate": {"compression": "zlib", "rowsperstrip": 20},
    "big-endian": {"rowsperstrip": 16, "byteorder": ">"},
}


def noise(shape, dtype):
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


def parts_of(path, height, width, size=SIZE, step=STEP):
    return [
        Part(path, 1, x, y, size, size) for y, x in product(range(0, height - size, step), range(0, width - size, step))
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("shape", "dtype"), [((203, 301), "uint8"), ((203, 301), "uint16"), ((203, 301, 3), "uint8")])
def test_parts_are_those_of_the_whole_page(tmp_path, way, shape, dtype):
    path, pixels = tmp_path / "a.tif", noise(shape, dtype)
    tifffile.imwrite(path, pixels, photometric="rgb" if len(shape) == 3 else "minisblack", **WAYS[way])
    np.testing.assert_array_equal(read_image(path), pixels)
    parts = parts_of(path, *shape[:2])
    with open_rows(path, 0) as rows:
        for part in [*parts, parts[-1], parts[0]]:  # also backwards
            np.testing.assert_array_equal(rows.part(part), part.of(pixels))


def tiff_by_pillow(pixels, compression, rows, **more):
    """A TIFF in strips of so many rows, by libtiff."""
    stream = BytesIO()
    tags = {278: rows, **({317: 2} if more.get("predictor") else {})}
    Image.fromarray(pixels).convert(more.get("mode")).save(stream, "TIFF", compression=compression, tiffinfo=tags)
    return stream.getvalue()


def tiles_by_pillow(path, pixels, compression, code):
    """A TIFF in tiles, which Pillow cannot write: each tile is the only strip of a file of its own."""
    height, width = 32, 48
    below, beside = -len(pixels) % height, -pixels.shape[1] % width
    padded = np.pad(pixels, ((0, below), (0, beside), (0, 0))[: pixels.ndim])
    contents, tables = [], None
    for y, x in product(range(0, len(padded), height), range(0, padded.shape[1], width)):
        stream = BytesIO(tiff_by_pillow(padded[y : y + height, x : x + width], compression, height))
        with tifffile.TiffFile(stream) as tiff:
            page = tiff.pages[0]
            tables = page.tags.valueof("JPEGTables")
            stream.seek(page.dataoffsets[0])
            contents.append(stream.read(page.databytecounts[0]))
    tifffile.imwrite(
        *(path, iter(contents)),
        **{"shape": pixels.shape, "dtype": pixels.dtype, "tile": (height, width), "compression": "zlib"},
        photometric="rgb" if pixels.ndim == 3 else "minisblack",
        extratags=[(347, 7, len(tables), tables, True)] if tables else [],
    )
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["Compression"].overwrite(code)


GREY, DEEP, COLOUR = ((203, 301), "uint8"), ((203, 301), "uint16"), ((203, 301, 3), "uint8")


@pytest.mark.parametrize(
    ("pixels", "way"),
    [
        *((kind, {"compression": "tiff_lzw"}) for kind in (GREY, DEEP, COLOUR)),
        *((kind, {"compression": "tiff_lzw", "predictor": True}) for kind in (DEEP, COLOUR)),
        (COLOUR, {"compression": "tiff_adobe_deflate", "predictor": True}),
        (COLOUR, {"compression": "packbits"}),
        (COLOUR, {"compression": "jpeg"}),
        (COLOUR, {"compression": "jpeg", "mode": "YCbCr"}),
        *((kind, {"compression": "tiff_lzw", "tile": 5}) for kind in (GREY, DEEP, COLOUR)),
        *((kind, {"compression": "jpeg", "tile": 7}) for kind in (GREY, COLOUR)),
    ],
)
def test_compressed_strips_and_tiles_are_those_of_the_whole_page(tmp_path, pixels, way):
    path, pixels = tmp_path / "a.tif", noise(*pixels)
    if "tile" in way:
        tiles_by_pillow(path, pixels, way["compression"], way["tile"])
    else:
        path.write_bytes(tiff_by_pillow(pixels, rows=16, **way))
    with Image.open(path) as image:  # libtiff decodes the whole page
        whole = np.asarray(image.convert("RGB") if way.get("mode") else image)
    if way["compression"] != "jpeg":
        np.testing.assert_array_equal(whole, pixels)
    with open_rows(path, 0) as rows:
        for part in parts_of(path, 203, 301):
            np.testing.assert_array_equal(rows.part(part), part.of(whole))


@pytest.mark.parametrize(
    "way",
    [
        {"photometric": "miniswhite"},
        {"planarconfig": "separate", "photometric": "rgb"},
        {"extratags": [(274, 3, 1, 3)]},
    ],
)
def test_pages_whose_numbers_are_not_the_pixels_are_read_as_a_whole(tmp_path, way):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, noise((3, 90, 120) if "planarconfig" in way else (90, 120), "uint8"), **{"metadata": None, **way}
    )
    with open_rows(path, 0) as rows:
        assert rows is None
    whole = read_image(path)
    for part, (_, pixels) in zip(parts_of(path, 90, 120), files_and_pixels(parts_of(path, 90, 120), None), strict=True):
        np.testing.assert_array_equal(pixels, part.of(whole))


def test_a_page_that_lacks_tiles_is_read_as_a_whole(tmp_path):
    path, tile = tmp_path / "a.tif", noise((64, 64), "uint16")
    tifffile.imwrite(path, iter([tile, None]), shape=(64, 128), dtype="uint16", tile=(64, 64), photometric="minisblack")
    (_, pixels), (_, missing) = files_and_pixels([Part(path, 1, x, 0, 64, 64) for x in (0, 64)], None)
    np.testing.assert_array_equal(pixels, tile)
    assert not missing.any()


def test_a_page_of_one_large_compressed_strip_is_read_once_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((200, 300), "uint8"), compression="zlib", rowsperstrip=200)
    with open_rows(path, 0) as rows:
        assert rows is not None
    monkeypatch.setattr(tiff_rows, "LARGEST_BAND", 200 * 300 - 1)
    with open_rows(path, 0) as rows:
        assert rows is None


def test_a_page_that_was_damaged_after_intake_is_one_line(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((200, 200), "uint8"), compression="zlib", rowsperstrip=20)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages[0].dataoffsets[5]
    content[start : start + 8] = b"\0" * 8
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a.tif: unreadable: TIFF.*run intake again"):
        list(files_and_pixels(parts_of(path, 200, 200), None))


def test_a_page_that_was_cut_short_after_intake_is_one_line(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((200, 200), "uint8"), rowsperstrip=20)
    path.write_bytes(path.read_bytes()[: -100 * 200])
    with pytest.raises(UserError, match=r"a.tif: truncated: TIFF: .*run intake again"):
        list(files_and_pixels(parts_of(path, 200, 200), None))


def damaged(content):
    """A file cut in its header, and with other bytes in its header and tags."""
    yield from (content[:end] for end in range(2, 40))
    yield from (content[:at] + bytes([byte]) + content[at + 1 :] for at in range(4, 260, 3) for byte in (1, 255))


@contextmanager
def read_whole(path):
    with open_file(path) as stream:
        yield decode(stream, 10**6)


def outcome(reading):
    """The pixels, or the rejection, of reading."""
    try:
        with reading as image:
            return image.pixels[:].tobytes()
    except ImageRejected as rejection:
        return rejection.format, rejection.reason, rejection.detail


@pytest.mark.parametrize("way", [{}, {"bigtiff": True}, {"compression": "zlib", "rowsperstrip": 5}])
def test_files_with_damaged_headers_are_rejected_as_by_whole_reading(tmp_path, monkeypatch, way):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((40, 30), "uint8"), photometric="minisblack", **way)
    for number, content in enumerate(damaged(path.read_bytes())):
        path.write_bytes(content)
        found, expected = outcome(open_image(path, 10**6)), outcome(read_whole(path))
        assert found == expected
        assert number >= 38 or found[0] == "TIFF"
        monkeypatch.setattr(tiff_rows, "LARGE_PAGE", 0)
        in_bands = outcome(open_image(path, 10**6))
        assert isinstance(in_bands, bytes) or in_bands[0] == "TIFF"
        monkeypatch.undo()


def test_a_large_page_that_pillow_cannot_open_is_rejected_as_by_whole_reading(tmp_path, monkeypatch):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((40, 30), "uint8"), bigtiff=True, byteorder=">")
    expected = "TIFF", Reason.UNREADABLE, "TIFF: its header makes no sense"
    assert outcome(open_image(path)) == expected
    monkeypatch.setattr(tiff_rows, "LARGE_PAGE", 0)
    assert outcome(open_image(path)) == expected


def consume(path, side):
    parts = parts_of(path, side, side, 500, 500) if side else []
    assert sum(len(pixels) for _, pixels in files_and_pixels(parts, None)) == 500 * len(parts)


@pytest.mark.parametrize("rows", [64, 8000])
def test_a_large_page_is_never_held(tmp_path, rows):
    path, side = tmp_path / "a.tif", 8000
    tifffile.imwrite(path, shape=(side, side), dtype="uint8", rowsperstrip=rows)
    calls = [("tests.unit.io.test_tiff_rows:consume", {"path": str(path), "side": number}) for number in (0, side)]
    none, all_parts = peaks(["tests.unit.io.test_tiff_rows"], calls)
    assert all_parts - none < 0.4 * side**2 / 1e6


def repeated(shape, dtype):
    """Grey values in three equal channels."""
    return np.repeat(noise(shape, dtype)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("pixels", "way"),
    [
        (noise((900, 1300), "uint8"), {"rowsperstrip": 100}),
        (noise((900, 700), "uint16") // 3, {"compression": "zlib", "tile": (64, 128)}),
        (noise((600, 700, 3), "uint8"), {"compression": "zlib", "rowsperstrip": 7}),
        (repeated((600, 700), "uint8"), {"rowsperstrip": 600}),
    ],
)
def test_a_large_page_has_the_same_facts_and_tiles_as_if_it_were_decoded_whole(tmp_path, monkeypatch, pixels, way):
    pixels[-90:] = 0
    pixels[-60:-30, 40:240].reshape(30, 10, 20, -1)[:, :, 5:15] = np.iinfo(pixels.dtype).max  # ten letters of a stripe
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack", **way)
    found = []
    for large in (tiff_rows.LARGE_PAGE, 0):
        monkeypatch.setattr(tiff_rows, "LARGE_PAGE", large)
        with open_image(tmp_path / "a.tif") as image:
            assert isinstance(image.pixels, PageRows if large == 0 else np.ndarray)
        inspection = inspect(tmp_path, scan(tmp_path))
        regions = cut_tiles(through_csv(inspection.images), tmp_path, tiling=Tiling(200, 150))
        found.append([inspection.images.to_dict(), inspection.quality.to_dict(), regions.table.to_dict()])
        assert (regions.table["y"] + 200).max() == len(pixels) - 90
    assert found[0] == found[1]


def take_in(folder, name):
    tiff_rows.LARGE_PAGE = 0
    inspection = inspect(folder, scan(folder, include=[name]))
    assert len(cut_tiles(through_csv(inspection.images), folder, tiling=Tiling(1000, None)).table) >= 1


def test_intake_of_a_large_page_takes_little_memory(tmp_path):
    for name, side in (("large", 4000), ("small", 1100)):
        tifffile.imwrite(tmp_path / f"{name}.tif", noise((side, side), "uint8"), rowsperstrip=64)
    modules = ["tests.unit.io.test_tiff_rows"]
    calls = [(f"{modules[0]}:take_in", {"folder": str(tmp_path), "name": f"{name}.tif"}) for name in ("small", "large")]
    small, large = peaks(modules, calls)
    assert large - small < 2 * 4000**2 / 1e6  # decoded whole, it takes 8 times as much as the file
