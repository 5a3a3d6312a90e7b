"""Real images and weights for the tests, and a finished run that many tests use."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from selenium import webdriver

from tests.workflow import ROOT, Project
from workflow_scripts.intake.embedded import write_embedded

SHARED = Path(os.environ.get("CLUSTERGRID_SHARED", ROOT.parent / "shared"))
CLASSES = ("brick", "galaxies", "grass", "gravel")
PER_CLASS = 15
BROWSER_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing outside: a page is one file
    "--window-size=1400,1000",
)
SAID = "said.txt"
"""What the one run said on the terminal, beside its results."""


def _shared(path: str, what: str) -> Path:
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"{what} not found; set CLUSTERGRID_SHARED to a folder that holds {path}")
    return found


@pytest.fixture(scope="session")
def neu_images() -> Path:
    """Return the folder of the 1800 NEU images of steel defects."""
    return _shared("data/neu", "the NEU steel-defect images are")


@pytest.fixture(scope="session")
def real_micrographs() -> Path:
    """Return the folder of 26 real micrographs from many makers of microscopes, with `truth.csv`."""
    return _shared("data/micrographs", "the real micrographs are")


@pytest.fixture(scope="session")
def vgg16_weights() -> Path:
    """Return VGG16's convolutions with Keras's ImageNet weights and torchvision's names."""
    return _shared("weights/vgg16_conv_keras_imagenet.safetensors", "VGG16's weights were")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 60 crops of photographs in four classes, each in a folder."""
    every = tmp_path_factory.mktemp("embedded")
    write_embedded(every)
    folder = tmp_path_factory.mktemp("small") / "pictures"
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for crop in sorted((every / name).iterdir())[:PER_CLASS]:
            shutil.copy2(crop, folder / name)
    return folder


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Project:
    """Return a copy of the project with the small study as its configuration, without results."""
    project = Project.new(tmp_path_factory.mktemp("fresh") / "project")
    shutil.copytree(pictures, project.folder / "pictures")
    shutil.copy2(ROOT / "tests" / "small.yaml", project.folder / "config" / "config.yaml")
    return project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, fresh: Project) -> Project:
    """The small study, run once on two cores for all of pytest's workers. Tests that change anything work on a copy."""
    every_worker = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        every_worker = every_worker.parent
    project = type(fresh)(every_worker / "finished")
    with FileLock(every_worker / "finished.lock"):
        if not (project.folder / SAID).exists():
            fresh.copy(project.folder)
            (project.folder / SAID).write_text(project.run())
    return project


@pytest.fixture
def project(tmp_path: Path, finished: Project) -> Project:
    """Return a copy of the finished study that the test may change."""
    return finished.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder into which the browser downloads files."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Iterator[webdriver.Chrome]:
    """Yield a Chromium without network access."""
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if not driver or not chromium:
        pytest.skip("no chromium with chromedriver; Debian's packages are chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    for flag in (*BROWSER_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()
