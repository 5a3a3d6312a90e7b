"""The report in a real browser: it opens offline, and every figure of the study is in it."""

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


def test_every_figure_is_in_the_report_and_loads(finished, browser):
    root = finished.folder / "results" / "small"
    figures = sorted((root / "figures").rglob("*.svg"))
    # A study's figures stand under the study's name, those of the whole run under their own.
    categories = {path.parent.name if path.parent != root / "figures" else path.stem for path in figures}
    wait = WebDriverWait(browser, 120)
    loaded = []
    for category in sorted(categories):
        browser.get((root / "report.html").as_uri())
        wait.until(lambda page, text=category: page.find_elements(By.XPATH, f"//li[normalize-space()='{text}']"))
        browser.find_elements(By.XPATH, f"//li[normalize-space()='{category}']//a")[-1].click()
        eyes = wait.until(lambda page: page.find_elements(By.XPATH, "//a[@iconname='eye']"))
        for number in range(len(eyes)):
            browser.find_elements(By.XPATH, "//a[@iconname='eye']")[number].click()
            loaded.append(wait.until(lambda page, before=tuple(loaded[-1:]): _shown(page, before)))
    assert sorted(name for name, _ in loaded) == sorted(path.name for path in figures)
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def _shown(page: webdriver.Chrome, before: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    """Name and content of the figure that is shown, once it has loaded and is another than `before`."""
    for image in page.find_elements(By.XPATH, "//img[contains(@src, 'filename=') and not(contains(@src, 'logo'))]"):
        source = image.get_property("src")
        figure = source.split("filename=")[1].split(";")[0], source
        if figure not in before and int(image.get_property("naturalWidth")) > 100:
            return figure
    return None
