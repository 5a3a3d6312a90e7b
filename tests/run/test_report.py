"""The report in a real browser: it opens offline, and every figure, page and table of the studies is in it."""

from contextlib import suppress

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


def test_every_figure_is_in_the_report_and_loads(finished, browser):
    root = finished.folder / "results" / "small"
    figures = sorted((root / "figures").rglob("*.svg"))
    # A study's figures stand under the study's name, those of the whole run under their own.
    categories = {path.parent.name if path.parent != root / "figures" else path.stem for path in figures}
    loaded = []
    for category in sorted(categories):
        eyes = _open(browser, finished, category, "Figures")
        for number in range(len(eyes)):
            browser.find_elements(By.XPATH, EYE)[number].click()
            loaded.append(
                WebDriverWait(browser, 120).until(lambda page, before=tuple(loaded[-1:]): _shown(page, before))
            )
    assert sorted(name for name, _ in loaded) == sorted(path.name for path in figures)
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_verdict_and_the_tables_are_in_the_report(finished, browser):
    root = finished.folder / "results" / "small"
    (study,) = (path.stem for path in (root / "verdict").glob("*.html"))
    _open(browser, finished, "Verdict")
    browser.switch_to.frame(WebDriverWait(browser, 120).until(_page_shown))
    assert study in WebDriverWait(browser, 120).until(lambda page: page.find_element(By.TAG_NAME, "h1").text)
    browser.switch_to.default_content()
    links = _open(browser, finished, study, "Tables")
    tables = {f"{study}.csv", f"{study}.classes.csv"}
    assert {link.get_attribute("download") for link in links} == tables  # of these, that of the consensus too
    assert all(link.get_attribute("href").startswith("data:text/csv") for link in links)


EYE = "//a[@iconname='eye']"


def _open(browser: webdriver.Chrome, finished, *names: str):
    """Open the report at a category and a part of it, and return the buttons that show what there is."""
    wait = WebDriverWait(browser, 120)
    browser.get((finished.folder / "results" / "small" / "report.html").as_uri())
    for name in names:
        item = f"//li[normalize-space()='{name}']//a"
        wait.until(lambda page, item=item: page.find_elements(By.XPATH, item))[-1].click()
    return wait.until(lambda page: page.find_elements(By.XPATH, EYE))


def _page_shown(page: webdriver.Chrome):
    """Return the frame of the page that is shown; click its button until there is one: a late list may replace it."""
    with suppress(StaleElementReferenceException):
        if frames := page.find_elements(By.TAG_NAME, "iframe"):
            return frames[0]
        page.find_element(By.XPATH, EYE).click()
    return None


def _shown(page: webdriver.Chrome, before: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    """Name and content of the figure that is shown, once it has loaded and is another than `before`."""
    for image in page.find_elements(By.XPATH, "//img[contains(@src, 'filename=') and not(contains(@src, 'logo'))]"):
        source = image.get_property("src")
        figure = source.split("filename=")[1].split(";")[0], source
        if figure not in before and int(image.get_property("naturalWidth")) > 100:
            return figure
    return None
