"""Micrographs through intake: scales in the manifest, a subset by scale, the stripe cropped off, and the table."""

import csv
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
from micrographs import write_micrographs
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browsers import refresh_until
from tests.workflow import Project

CONFIG = """
data: pictures
name: micrographs
n_clusters: 2
intake: {scale_bars: true, labels: prefix}
preprocess:
  whole: [grey, resize: {size: [64, 64]}]
  cropped: [crop_data_bar, grey, resize: {size: [64, 64]}]
backbones: {squeezenet: {model: squeezenet1_1, weights: random, layers: [[fire9_avg]]}}
subsets: {fine: {scale_um: [0.01, 1]}}
clusterers: {kmeans: {method: kmeans, n_init: 2, repeats: 1}}
baseline:
  {preprocess: cropped, backbone: squeezenet, layer: fire9_avg, n_components: 2, whiten: false, clusterer: kmeans}
studies:
  scales:
    vary: {subset: [all, fine], preprocess: [whole, cropped]}
    figures: {table: {kind: scale_table}}
"""
RESULTS = "results/micrographs"
MADE = (
    "scale_bars.csv",
    "scales/scales.html",
    "subsets/fine.csv",
    "preprocess/whole.h5",
    "preprocess/cropped.h5",
    "figures/scales/table.png",
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    if shutil.which("tesseract") is None:
        pytest.skip("the program tesseract is not there (Debian: tesseract-ocr)")
    project = Project.new(tmp_path_factory.mktemp("micrographs") / "project")
    truths = write_micrographs(project.folder / "pictures", 26, seed=3)
    (project.folder / "config" / "config.yaml").write_text(CONFIG)
    project.run(*(f"{RESULTS}/{path}" for path in MADE))
    return project, truths.set_index("file")


def read(project, name):
    return pd.read_csv(project.folder / RESULTS / name, index_col="path")


def test_the_manifest_has_the_scales(study):
    project, truths = study
    manifest, scales = read(project, "manifest.csv"), read(project, "scale_bars.csv")
    assert list(manifest.index) == list(scales.index)
    pd.testing.assert_series_equal(manifest["scale_um"], scales["scale_um"])
    read_ones = manifest["scale_um"].dropna()
    assert len(read_ones) >= 0.9 * (truths["reason"] == "").sum()
    np.testing.assert_allclose(read_ones, truths.loc[read_ones.index, "scale_um"])


def test_a_subset_by_scale_has_the_images_between(study):
    project, _ = study
    manifest, subset = read(project, "manifest.csv"), read(project, "subsets/fine.csv")
    expected = manifest[manifest["scale_um"].between(0.01, 1)]
    assert 0 < len(expected) < manifest["scale_um"].notna().sum()
    assert list(subset.index) == list(expected.index)


def test_the_stripe_is_cropped_off_before_anything_else(study):
    project, truths = study
    paths = list(read(project, "manifest.csv").index)
    stacks = []
    for name in ("whole", "cropped"):
        with h5py.File(project.folder / RESULTS / "preprocess" / f"{name}.h5") as file:
            stacks.append(file["images"][:])
    is_same = (stacks[0] == stacks[1]).all(axis=(1, 2))
    assert list(is_same) == [truths.loc[path, "look"] in ("no stripe", "over the image") for path in paths]


def test_the_table_counts_every_image(study):
    project, truths = study
    table = pd.read_parquet(project.folder / RESULTS / "tables" / "scales" / "table.parquet")
    assert table["count"].sum() == len(truths)
    scales = read(project, "manifest.csv")["scale_um"]
    of_scales = table.groupby("scale_um")["count"].sum()
    pd.testing.assert_series_equal(of_scales, scales.value_counts().sort_index(), check_names=False)


def test_scales_that_are_not_read_end_the_run_in_one_line(study, tmp_path):
    project, _ = study
    other = project.copy(tmp_path / "project")
    other.edit("config/config.yaml", "scale_bars: true, ", "")
    done = other.snakemake("-n")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "config: subsets.fine: found intake without scale_bars, allowed: intake: {scale_bars: true}" in said
    assert "Traceback" not in said


def press(browser, *keys):
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def write(browser, name, text):
    field = browser.find_element(By.ID, name)
    field.clear()
    field.send_keys(text)


def test_scales_corrected_on_the_page_come_back_and_only_a_changed_file_is_read_again(
    study, browser, downloads, tmp_path
):
    project, _ = study
    scales = read(project, "scale_bars.csv")
    browser.get((project.folder / RESULTS / "scales/scales.html").as_uri())
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    paths = []
    for keys in ("k", "x"):
        paths.append(browser.find_element(By.ID, "path").text.partition(": ")[2])
        press(browser, keys)
    # Corrected by what the bar stands for and by a click on its end, which moves 10 per cent of the crop's width.
    paths.append(browser.find_element(By.ID, "path").text.partition(": ")[2])
    bar = browser.find_element(By.ID, "bar")
    left, width = bar.rect["x"], bar.rect["width"]
    end = browser.find_element(By.ID, "right").rect["x"] + 1
    shift = width // 10
    ActionChains(browser).move_to_element_with_offset(bar, end + shift - left - width // 2, 0).click().perform()
    pixels = float(browser.find_element(By.ID, "pixels").get_property("value"))
    crop = browser.execute_script("return deciding.item.crop.width")
    assert pixels == pytest.approx(scales.loc[paths[2], "bar_px"] + shift * crop / width, abs=crop / width + 0.5)
    press(browser, "c")
    write(browser, "length", "3 parsec\ue007")
    assert "with its unit" in browser.find_element(By.ID, "wrong").text
    write(browser, "length", "7 µm\ue007")
    assert "3 of 26 checked: 1 right, 1 corrected, 1 without a scale" in browser.find_element(By.ID, "counts").text
    paths.append(browser.find_element(By.ID, "path").text.partition(": ")[2])
    write(browser, "length", "")
    write(browser, "size", "12.5\ue007")
    refresh_until(browser, lambda: "4 of 26 checked" in browser.find_element(By.ID, "counts").text)
    press(browser, "e")
    exported = downloads / "micrographs_scales.csv"
    WebDriverWait(browser, 60).until(lambda _: exported.is_file() and not list(downloads.glob("*.crdownload")))
    with open(exported, newline="") as stream:
        assert [row["path"] for row in csv.DictReader(stream)] == paths

    other = project.copy(tmp_path / "project")
    (other.folder / "checked.csv").write_bytes(exported.read_bytes())
    other.edit("config/config.yaml", "scale_bars: true", "scale_bars: true, scales: checked.csv")
    (other.folder / "pictures" / (beside := "zeiss_0000.txt")).write_text("[SemImageFile]\nPixelSize=2.0\n")
    said = other.run(f"{RESULTS}/manifest.csv")
    assert "25 of 26 images are known" in (other.folder / RESULTS / "logs" / "scale_bars.log").read_text()
    assert "2 hand" in said
    found = read(other, "manifest.csv")
    nan = np.nan
    expected = [scales.loc[paths[0], "scale_um"], nan, 7, nan]
    np.testing.assert_allclose(found.loc[paths, "scale_um"], expected)
    sizes = [scales.loc[paths[0], "nm_per_pixel"], nan, 7e3 / pixels, 12.5]
    np.testing.assert_allclose(found.loc[paths, "nm_per_pixel"], sizes, rtol=1e-5)
    rest = [path for path in found.index if path not in paths and not path.startswith(beside[:-4])]
    pd.testing.assert_series_equal(found.loc[rest, "scale_um"], scales.loc[rest, "scale_um"])
