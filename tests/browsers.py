"""Pages in a browser: opened again with what it stores."""

from collections.abc import Callable

from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait


def refresh_until(browser: Chrome, shows: Callable[[], bool]) -> None:
    """Open the page again until it shows what the browser stores now.

    A page that is opened just after a change of `localStorage` may read the store of before: rarely, and only if the
    machine is busy (once in 61 times at a load of 12).
    """

    def again(_: Chrome) -> bool:
        browser.refresh()
        return shows()

    WebDriverWait(browser, 120).until(again)
