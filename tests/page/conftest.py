"""One stack and one browser for all tests of the page; a reader for each."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.page.chromium import MISSING, installed, launch
from tests.page.exams import Exams
from tests.page.reader import Reader, opened_reader
from tests.page.stack import ROOT, Stack, running_stack

KEPT = ROOT / ".cache" / "page"
"""Where pictures of failures lie after a run."""
_WITHIN_MS = 20_000
_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


# Of the package, not of the session: Playwright's loop runs as long as it lives, and other tests have loops too.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_WITHIN_MS)
    with sync_playwright() as playwright:
        executable = installed(playwright)
        if executable is None:
            if os.environ.get("CI") == "true":
                pytest.fail(MISSING)
            pytest.skip(MISSING)
        opened = launch(playwright, executable)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="package")
def exams(stack: Stack) -> Exams:
    """Finished analyses to read, each made when it is first asked for."""
    return Exams(stack)


OpenReader = Callable[..., Reader]


@pytest.fixture
def open_reader(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[OpenReader]:
    """Opens readers, with the keywords of `opened_reader`. At the end none of them may have seen a fault."""
    with ExitStack() as opened:
        readers: list[Reader] = []

        def open_one(**wishes: object) -> Reader:
            readers.append(opened.enter_context(opened_reader(browser, stack.url, **wishes)))  # type: ignore[arg-type]
            return readers[-1]

        yield open_one
        if request.node.stash.get(_failed, False):
            _keep(readers, request.node.name)
        faults = [fault for reader in readers for fault in reader.watch.unexpected()]
    if faults:
        pytest.fail("the page did what it must not do:\n" + "\n".join(faults), pytrace=False)


@pytest.fixture
def reader(open_reader: OpenReader) -> Reader:
    """A reader at a desk, in English."""
    return open_reader()


def _keep(readers: list[Reader], test: str) -> None:
    folder = KEPT / "failures"
    folder.mkdir(parents=True, exist_ok=True)
    for number, reader in enumerate(readers, start=1):
        name = "".join(letter if letter.isalnum() else "-" for letter in test)
        reader.page.screenshot(path=folder / f"{name}-{number}.png")
        Path(folder / f"{name}-{number}.txt").write_text("\n".join([reader.page.url, *reader.watch.faults]))
