"""What is kept: every file, a permanent link, the reader's own review."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.page.exams import Exams
from tests.page.reader import Reader
from tests.page.stack import Stack


@pytest.mark.parametrize("name", ["glioma", "volume"])
def test_every_file_can_be_downloaded(reader: Reader, exams: Exams, stack: Stack, name: str) -> None:
    analysis = getattr(exams, name)
    reader.open(f"/analyses/{analysis['id']}")
    menu = reader.get("downloads").first
    menu.wait_for()
    if not reader.all("download-").first.is_visible():
        menu.click() if menu.evaluate("(element) => element.tagName") == "BUTTON" else menu.locator(
            "summary, button"
        ).first.click()
    links = reader.all("download-")
    links.first.wait_for()
    offered = {str(link.get_attribute("href")) for link in links.all()}
    assert {analysis["links"][kind] for kind in ("input", "overlay", "mask", "report_pdf", "evidence")} <= offered
    for address in offered:
        assert stack.http.get(urlsplit(address).path).is_success, address


def test_the_report_is_one_click_away(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.glioma['id']}")
    with reader.context.expect_page() as opened:
        reader.get("print").first.click()
    report = opened.value
    report.wait_for_load_state()
    assert urlsplit(report.url).path == exams.glioma["links"]["report"]
    assert "Research use only" in report.inner_text("body")


def test_the_permanent_link_is_copied(reader: Reader, exams: Exams, stack: Stack) -> None:
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.open(f"/analyses/{exams.glioma['id']}?lang=en")
    reader.get("permalink").first.click()
    copied = reader.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{stack.url}/analyses/{exams.glioma['id']}"


def test_agreement_with_a_comment_is_kept_with_the_analysis(reader: Reader, stack: Stack) -> None:
    analysis = stack.analyzed("axial-no_tumor.png")
    reader.open(f"/analyses/{analysis['id']}")
    reader.get("review-agree").check()
    reader.get("review-comment").fill("Nothing to add. <b>Good</b>")
    reader.get("review-name").fill("Dr. Sample")
    reader.get("review-save").click()
    expect(reader.get("review-entry")).to_have_count(1)
    reader.page.reload()
    expect(reader.get("review-entry")).to_contain_text("Nothing to add. <b>Good</b>")
    expect(reader.get("review-entry")).to_contain_text("Dr. Sample")
    (kept,) = stack.http.get(f"/v1/analyses/{analysis['id']}").json()["reviews"]
    assert (kept["decision"], kept["label"], kept["reviewer"]) == ("agree", None, "Dr. Sample")
    assert "Nothing to add." in stack.http.get(analysis["links"]["report"]).text


def test_a_correction_needs_the_right_class(reader: Reader, stack: Stack) -> None:
    analysis = stack.analyzed("coronal-meningioma.png")
    reader.open(f"/analyses/{analysis['id']}")
    expect(reader.get("review-label")).to_be_hidden()
    reader.get("review-corrected").check()
    expect(reader.get("review-label")).to_be_visible()
    reader.get("review-label").select_option("glioma")
    reader.get("review-save").click()
    expect(reader.get("review-entry")).to_contain_text("Glioma")
    (kept,) = stack.http.get(f"/v1/analyses/{analysis['id']}").json()["reviews"]
    assert (kept["decision"], kept["label"]) == ("corrected", "glioma")
    reader.open(f"/worklist?q={analysis['id']}&label=glioma")
    listed = reader.page.locator(f'[data-testid="worklist-row"][data-id="{analysis["id"]}"]')
    expect(listed).to_contain_text("Meningioma")
    expect(listed).to_contain_text("Glioma")
