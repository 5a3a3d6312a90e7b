"""How large the explorer's page is, how long it takes to open, and how fast its map moves; prints a Markdown table.

Pages of 2000, 20 000 and 200 000 images: crops of the embedded photographs at random places, three clusterings, two
maps. Each is opened three times in headless Chromium without a graphics card, 1400 by 900 pixels: the median of the
seconds until it can be used, then of the frames a second while the map moves for three seconds by its keys, whole and
ten times nearer. Run: python -m tests.benchmarks.bench_explorer [SIZE ...]
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from selenium import webdriver
from skimage import data

from tests.conftest import BROWSER_FLAGS
from workflow_scripts.pages.explorer.columns import clustering, levels, numbers
from workflow_scripts.pages.explorer.page import write_explorer
from workflow_scripts.pages.explorer.places import map_of, points_of
from workflow_scripts.pages.parts.thumbnails import Thumbnails

SIZES, TIMES, SIDE, GROUPS = (2000, 20_000, 200_000), 3, 224, 12
FRAMES = """
const done = arguments[0], start = performance.now();
let frames = 0;
const press = key => document.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true }));
const step = now => {
  if (now - start > 3000) return done(1000 * frames / (now - start));
  press(frames++ % 40 < 20 ? "ArrowLeft" : "ArrowRight");
  requestAnimationFrame(step);
};
requestAnimationFrame(step);
"""


class Crops:
    """A stack of crops that are made when they are read, (N, SIDE, SIDE) uint8."""

    def __init__(self, n: int) -> None:
        self.shape = (n, SIDE, SIDE)
        self.ndim = 3
        self._photographs = [data.brick(), data.grass(), data.gravel()]

    def __getitem__(self, row: int) -> np.ndarray:
        """Return one crop."""
        rng = np.random.default_rng(row)
        y, x = rng.integers(0, 512 - SIDE, 2)
        return self._photographs[row % 3][y : y + SIDE, x : x + SIDE]


def write(path: Path, n: int) -> None:
    """Write the page of n images."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, GROUPS, n)
    points = rng.normal(size=(GROUPS, 50))[group] * 4 + rng.normal(size=(n, 50))
    ids = [f"{row:064x}" for row in range(n)]
    label = pd.Series(group).map("class {}".format)
    images = pd.DataFrame(
        {"image_id": ids, "path": [f"folder/image_{row:06d}.png" for row in range(n)], "label": label}
    )
    every = np.arange(n)
    partitions = [np.where(rng.random(n) < share, rng.integers(0, GROUPS, n), group) for share in (0.01, 0.1, 0.3)]
    columns = [clustering(cell, GROUPS, labels, label, every, n) for cell, labels in enumerate(partitions)]
    columns += [levels("label", label), numbers("brightness", points[:, 0])]
    maps = [map_of(name, points[:, :d], every, n) for name, d in (("flat", 2), ("of three dimensions", 3))]
    pictures = Thumbnails(Crops(n), {image: row for row, image in enumerate(ids)})
    opening = {"cell": 0, "k": GROUPS, "reason": "baseline"}
    facts = {"dataset": "crops", "study": str(n), "cells": ["first", "second", "third"], "opening": opening}
    facts |= {"settings": {}, "labels_before": [], "set_aside_before": []}
    write_explorer(str(path), images, columns, maps, [points_of("points", points, every, n)], pictures, facts)


def measure(browser: webdriver.Chrome, path: Path) -> tuple[float, float, float]:
    """Return the seconds until the page can be used, and the frames a second of the whole map and of a part."""
    start = time.perf_counter()
    browser.get(path.as_uri())
    while not browser.execute_script("return document.body.dataset.ready"):
        time.sleep(0.02)
    opened = time.perf_counter() - start
    time.sleep(1)
    whole = browser.execute_async_script(FRAMES)
    browser.execute_script(
        "for (let i = 0; i < 9; i++) document.dispatchEvent(new KeyboardEvent('keydown', { key: '+' }))"
    )
    time.sleep(2)
    return opened, whole, browser.execute_async_script(FRAMES)


def main() -> None:
    """Print the table."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in BROWSER_FLAGS:
        options.add_argument(flag)
    print("| images | page, MB | beside it, MB | opens in, s | frames a second, whole map | nearer |")
    print("|---|---|---|---|---|---|")
    for n in map(int, sys.argv[1:] or SIZES):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "page.html")
            write(path, n)
            browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
            browser.set_script_timeout(60)
            opened, whole, near = map(median, zip(*(measure(browser, path) for _ in range(TIMES)), strict=True))
            browser.quit()
            inside = path.stat().st_size / 1e6
            beside = sum(sheet.stat().st_size for sheet in path.with_suffix(".thumbnails").glob("*")) / 1e6
            print(f"| {n} | {inside:.1f} | {beside:.0f} | {opened:.1f} | {whole:.0f} | {near:.0f} |", flush=True)


if __name__ == "__main__":
    main()
