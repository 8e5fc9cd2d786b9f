"""The watch itself: what it is there for does not pass unseen."""

from collections.abc import Callable

from playwright.sync_api import Browser, Route

from tests.page.reader import opened_reader
from tests.page.stack import Stack

STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; img-src * data:"


def seen(browser: Browser, stack: Stack, body: str, act: Callable[[str], str] = str) -> list[str]:
    """The faults of a page with that body under a strict policy; nothing leaves the machine."""

    def answer(route: Route) -> None:
        page = route.request.url.startswith(stack.url)
        if page and route.request.resource_type == "document":
            headers = {"Content-Security-Policy": STRICT, "Content-Type": "text/html"}
            route.fulfill(body=f"<!doctype html><link rel=icon href='data:,'>{body}", headers=headers)
        else:
            route.fulfill(body=act(route.request.url), content_type="text/javascript")

    with opened_reader(browser, stack.url) as reader:
        reader.context.route("**/*", answer)
        reader.page.goto("/")
        reader.page.wait_for_load_state("networkidle")
        return reader.watch.unexpected()


def test_a_quiet_page_has_no_fault(browser: Browser, stack: Stack) -> None:
    assert seen(browser, stack, "<p>Nothing.</p>") == []


def test_a_request_to_elsewhere_is_a_fault(browser: Browser, stack: Stack) -> None:
    faults = seen(browser, stack, "<img alt='' src='http://elsewhere.invalid/a.png'>")
    assert any(fault.startswith("outside request: http://elsewhere.invalid/") for fault in faults)


def test_an_inline_script_is_a_fault(browser: Browser, stack: Stack) -> None:
    faults = seen(browser, stack, "<script>document.title = 'run'</script>")
    assert any("policy: script-src-elem refused inline" in fault for fault in faults)


def test_an_error_of_a_script_is_a_fault(browser: Browser, stack: Stack) -> None:
    faults = seen(browser, stack, "<script src='/broken.js'></script>", lambda _: "throw new Error('broken')")
    assert any(fault.startswith("uncaught: Error: broken") or "broken" in fault for fault in faults)


def test_what_a_test_expects_is_no_fault(browser: Browser, stack: Stack) -> None:
    with opened_reader(browser, stack.url) as reader:
        reader.watch.faults.append("console: Failed to load resource: 422 (http://x/)")
        assert reader.watch.unexpected()
        reader.watch.expect("422")
        assert reader.watch.unexpected() == []
