"""Reviews in the reports of slices and of volumes, on paper and on screen."""

from typing import Any

import pypdfium2
import pytest

from gateway.rendering import render
from gateway.reporting.html import render_html
from gateway.reporting.pdf import render_pdf
from gateway.reporting.pictures import render_input
from gateway.reporting.report import slice_report
from gateway.review_schemas import MAX_COMMENT_CHARACTERS, Review
from gateway.reviews import MAX_REVIEWS
from gateway.schemas import ANALYSIS_EXAMPLE, FinishedAnalysis
from tests.unit.gateway_reporting.scenes import scan
from tests.unit.gateway_volumes.volume_cases import volume_case

PNG = render_input(scan())
AT = "2026-11-21T14:05:09Z"


def review(**changes: Any) -> Review:
    plain = {"decision": "agree", "label": None, "comment": None, "reviewer": None, "created_at": AT}
    return Review.model_validate(plain | changes)


TOLD = (
    review(),
    review(decision="disagree", reviewer="Reader 1"),
    review(
        decision="corrected", label="pituitary", comment="In the sella.\n\n<b>Not</b> a glioma.", reviewer="Reader 2"
    ),
)


def reports(*reviews: Review) -> tuple[str, bytes]:
    analysis = FinishedAnalysis.model_validate(ANALYSIS_EXAMPLE).model_copy(update={"reviews": reviews})
    report = slice_report(analysis, input_png=PNG)
    return render_html(report), render_pdf(report)


def pdf_words(content: bytes) -> tuple[str, int]:
    with pypdfium2.PdfDocument(content) as document:
        texts = [page.get_textpage().get_text_bounded() for page in document]
    return " ".join(" ".join(texts).split()), len(texts)


def test_nothing_is_said_of_reviews_where_there_is_none() -> None:
    page, pdf = reports()
    assert "Reader's review" not in page
    assert "READER" not in pdf_words(pdf)[0]
    assert "without a reader" in page


def test_each_review_is_shown_in_order_with_its_time_name_and_comment() -> None:
    page, pdf = reports(*TOLD)
    words, pages = pdf_words(pdf)
    assert pages == 1
    for text, title in ((page.replace("&#39;", "'"), "Reader's review"), (words, "READER'S REVIEW")):
        places = [
            text.index(part)
            for part in (
                title,
                "2026-11-21 14:05 UTC",
                "Agrees with the answer.",
                "Disagrees with the answer.",
                "Reader 1",
                "Corrected: pituitary tumor.",
                "Reader 2",
                "In the sella.",
                "a glioma.",
            )
        ]
        assert places == sorted(places)
        assert "without a reader" not in text
    assert "&lt;b&gt;Not&lt;/b&gt; a glioma." in page
    assert "<b>Not</b> a glioma." in words


def test_other_scripts_are_read_on_screen_and_the_pdf_says_so() -> None:
    page, pdf = reports(review(comment="\u062a\u0648\u0645\u0648\u0631 \u062f\u0631 \u0632\u06cc\u0646", reviewer="R"))
    assert '<p class="small" dir="auto">\u062a\u0648\u0645\u0648\u0631' in page
    assert "report.html shows it" in pdf_words(pdf)[0]


@pytest.mark.parametrize(
    "comment", ["word " * (MAX_COMMENT_CHARACTERS // 5), "x" * MAX_COMMENT_CHARACTERS, "a\n" * 1000]
)
def test_as_many_and_as_long_as_may_be_are_printed(comment: str) -> None:
    _, pdf = reports(*[review(decision="corrected", label="glioma", comment=comment.strip())] * MAX_REVIEWS)
    words, pages = pdf_words(pdf)
    assert words.count("Corrected: glioma.") == MAX_REVIEWS
    assert pages > 5


def test_a_volumes_report_shows_them_too() -> None:
    case = volume_case((12, 12, 12), reviews=TOLD)
    assert "Corrected: pituitary tumor." in render("report.html", case).decode()
    words, _ = pdf_words(render("report.pdf", case))
    assert "Corrected: pituitary tumor." in words
