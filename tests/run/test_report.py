"""The report in a real browser: it opens offline, and every figure of the study is in it."""

import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing outside: the report is one file
    "--window-size=1400,1000",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if not driver or not chromium:
        pytest.skip("no chromium with chromedriver; Debian's packages are chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


def test_every_figure_is_in_the_report_and_loads(finished, browser):
    root = finished.folder / "results" / "small"
    wait = WebDriverWait(browser, 20)
    for figures in sorted((root / "figures").iterdir()):
        browser.get((root / "report.html").as_uri())
        wait.until(lambda page, study=figures.name: _named(page, study))[-1].click()
        for path in sorted(figures.glob("*.svg")):
            row = wait.until(lambda page, name=path.stem: page.find_elements(By.XPATH, f"//tr[td[.='{name}']]"))[-1]
            row.find_element(By.XPATH, ".//a[@iconname='eye']").click()
            shown = wait.until(
                lambda page, name=path.name: page.find_elements(By.XPATH, f"//img[contains(@src, '={name};')]")
            )
            assert wait.until(lambda page, image=shown[0]: int(image.get_property("naturalWidth"))) > 100
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def _named(page: webdriver.Chrome, text: str) -> list[WebElement]:
    return page.find_elements(By.XPATH, f"//*[normalize-space()='{text}']")
