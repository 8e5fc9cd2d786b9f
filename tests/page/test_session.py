"""A gateway with keys: the page asks for one, keeps none that a script could read, and works as without."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.page.reader import Reader, opened_reader
from tests.page.stack import Stack, running_stack

KEY = "a-key-of-the-page-tests"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("guarded"), NEUROGATE_API_KEYS=KEY) as stack:
        yield stack


@pytest.fixture
def stranger(browser: Browser, guarded: Stack) -> Iterator[Reader]:
    with opened_reader(browser, guarded.url) as reader:
        reader.watch.expect("401")
        yield reader
        assert reader.watch.unexpected() == []


def test_a_wrong_key_is_said_and_the_right_one_opens_everything(stranger: Reader) -> None:
    stranger.open("/worklist")
    stranger.get("sign-in").wait_for()
    stranger.get("api-key").fill("a-wrong-key-of-16-letters")
    stranger.page.keyboard.press("Enter")
    expect(stranger.get("problem")).to_be_visible()
    stranger.get("api-key").fill(KEY)
    stranger.page.keyboard.press("Enter")
    expect(stranger.get("sign-in")).to_have_count(0)
    stranger.open("/")
    stranger.get("sample-axial-glioma").first.click()
    stranger.get("verdict").first.wait_for()
    stranger.get("viewer-canvas").first.wait_for()
    kept = stranger.page.evaluate("() => JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
    assert KEY not in kept
    (cookie,) = stranger.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert KEY not in cookie["value"]
