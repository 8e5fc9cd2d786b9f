"""On paper: the report made for print, and the page itself printed without its tools."""

import pypdfium2
from playwright.sync_api import expect

from tests.page.exams import Exams
from tests.page.reader import Reader


def printed(reader: Reader) -> str:
    """The text of what the printer would get."""
    document = pypdfium2.PdfDocument(reader.page.pdf(format="A4"))
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def test_the_report_prints_with_its_verdict_and_its_warning(reader: Reader, exams: Exams) -> None:
    reader.page.goto(exams.glioma["links"]["report"])
    text = printed(reader)
    assert "Research use only" in text
    assert "glioma" in text.lower()


def test_the_page_prints_its_findings_without_the_bar(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.glioma['id']}")
    reader.get("verdict").first.wait_for()
    reader.page.wait_for_load_state("networkidle")
    reader.page.emulate_media(media="print")
    expect(reader.get("nav-worklist")).to_be_hidden()
    expect(reader.get("verdict").first).to_be_visible()
    expect(reader.get("disclaimer").first).to_be_visible()
    expect(reader.get("tool-window")).to_be_hidden()
    assert "Research use only" in printed(reader)


def test_the_report_fits_a_phone(reader: Reader, exams: Exams) -> None:
    reader.page.set_viewport_size({"width": 390, "height": 844})
    reader.page.goto(exams.glioma["links"]["report"])
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390
