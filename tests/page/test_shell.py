"""The page's frame: every route loads, by the strict policy alone, from this server alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.page.exams import Exams
from tests.page.reader import Reader
from tests.page.stack import Stack

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "img-src": "'self' blob: data:",
    "connect-src": "'self' blob: data:",
    "worker-src": "'self' blob:",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
WASM = " 'wasm-unsafe-eval'"


def policy(header: str) -> dict[str, str]:
    return dict(rule.strip().split(" ", 1) for rule in header.split(";"))


@pytest.mark.parametrize("route", ["/", "/worklist", "/models", "/models/view", "/analyses/none", "/compare/a/b"])
def test_a_route_is_the_page_under_a_strict_policy(stack: Stack, route: str) -> None:
    answer = stack.http.get(route)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    rules = policy(answer.headers["content-security-policy"])
    assert rules | {"script-src": rules["script-src"].replace(WASM, "")} == POLICY
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text)


@pytest.mark.parametrize("route", ["/", "/worklist", "/models", "/models/view"])
def test_a_route_loads_without_a_fault(reader: Reader, route: str) -> None:
    reader.open(route)
    reader.page.wait_for_load_state("networkidle")
    assert "Research use only" in reader.get("disclaimer").first.inner_text()
    assert len(reader.watch.requests) > 1


def test_an_exam_and_a_comparison_load_without_a_fault(reader: Reader, exams: Exams) -> None:
    for route in (
        f"/analyses/{exams.glioma['id']}",
        f"/compare/{exams.glioma_dicom['id']}/{exams.followup_dicom['id']}",
    ):
        reader.open(route)
        reader.page.wait_for_load_state("networkidle")
        assert reader.page.locator("main").inner_text().strip()


def test_the_bar_leads_to_every_page_and_back(reader: Reader) -> None:
    reader.open("/")
    for name, path in (("worklist", "/worklist"), ("models", "/models"), ("analyze", "/")):
        reader.get(f"nav-{name}").click()
        reader.page.wait_for_url(f"**{path}")
        assert reader.get(f"nav-{name}").get_attribute("aria-current") == "page"
    reader.page.go_back()
    reader.page.wait_for_url("**/models")
    reader.get("model-row").first.wait_for()


def test_an_analysis_that_is_not_there_is_said_with_what_to_do(reader: Reader) -> None:
    reader.watch.expect("404")
    reader.open("/analyses/01234567-89ab-7def-8123-456789abcdef")
    reader.get("problem").first.wait_for()
    assert reader.get("problem").first.get_attribute("role") == "alert"
    assert reader.get("problem").first.inner_text().strip()


def test_the_licenses_of_what_the_page_holds_come_with_it(stack: Stack) -> None:
    answer = stack.http.get("/licenses.txt")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    for name in ("@fontsource-variable/inter", "@fontsource-variable/vazirmatn", "@niivue/niivue", "\npreact "):
        assert name in answer.text
    for words in ("SIL OPEN FONT LICENSE", "Redistributions in binary form", "Permission is hereby granted"):
        assert words in answer.text


@pytest.mark.parametrize(("route", "words"), [("/", "Analyze"), ("/worklist", "Work list"), ("/models/view", "view")])
def test_the_tab_is_named_after_what_is_shown(reader: Reader, route: str, words: str) -> None:
    reader.open(route)
    expect(reader.page).to_have_title(re.compile(f"^{words}.* · NeuroGate$"))
