"""A reader at the page: a browser context of its own, and the page's elements by their `data-testid`."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.page.watch import Watch

DESKTOP, PHONE = (1440, 900), (390, 844)
ROUTES = ("/", "/worklist", "/models")
"""The page's routes that need no analysis."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One page in one context, watched."""

    page: Page
    context: BrowserContext
    watch: Watch

    def open(self, path: str = "/") -> None:
        """Go there, and wait until the page is drawn."""
        self.page.goto(path)
        self.page.locator("main").wait_for()

    def get(self, name: str) -> Locator:
        """The element with that `data-testid`."""
        return self.page.get_by_test_id(name)

    def all(self, prefix: str) -> Locator:
        """The elements whose `data-testid` begins so."""
        return self.page.locator(f'[data-testid^="{prefix}"]')

    def id_of_analysis(self) -> str:
        """The id in the address of the reading page, waited for."""
        self.page.wait_for_url("**/analyses/*")
        return self.page.url.partition("?")[0].rsplit("/", 1)[1]


@contextlib.contextmanager
def opened_reader(
    browser: Browser, url: str, *, size: tuple[int, int] = DESKTOP, locale: str = "en-US", bypass_csp: bool = False
) -> Iterator[Reader]:
    """A fresh profile in `locale`, `size` in pixels, without animations; what it did wrong is in its `watch`."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": size[0], "height": size[1]},
        locale=locale,
        timezone_id="UTC",
        reduced_motion="reduce",
        bypass_csp=bypass_csp,
        accept_downloads=True,
    )
    watch = Watch(context, url)
    context.set_default_timeout(20_000)
    try:
        yield Reader(context.new_page(), context, watch)
    finally:
        context.close()
