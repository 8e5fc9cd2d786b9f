import json
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray

from gateway.rendering import render
from gateway.reporting.pdf import render_pdf
from gateway.reporting.pictures import render_input
from gateway.reporting.report import slice_report
from gateway.schemas import Analysis, FinishedAnalysis, Reason
from gateway.volume_findings import VolumeFindings
from service_kit.contracts.classification import TumorClassification
from tests.unit.gateway_reporting.scenes import scan
from tests.unit.gateway_volumes.volume_cases import ANALYSIS_ID, volume_case

EXPECTED = (
    "analysis of one volume",
    "For review",
    "Glioma is the likeliest finding",
    "The probability that the key slice shows a tumor is 98.0 %",
    "The 95 % prediction set holds 2 labels: glioma, meningioma.",
    "fitted on single slices, not on whole volumes",
    "Necrotic core",
    "Edema",
    "Enhancing tumor",
    "Perpendicular diameter",
    "Product of diameters (RANO)",
    "right (98 % of it)",
    "kept back from training",
    "Measurable (RANO)",
    "NIfTI, 46 x 54 x 42 voxels of 4 x 4 x 4 mm, axes LPS",
    "T1 with contrast, FLAIR, of which T1 with contrast was classified",
    "Not sent, left empty for the outline: T1, T2",
    "flair came on another grid",
    "age 0.61, gender female",
    "60303ae22b99",
    "in all 22.3 s",
    "Where the classifier saw evidence for glioma. Not an outline.",
    "Research use only. Not a medical device.",
)


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.text = ""
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "link", "iframe"}
        self._in_style = tag == "style"
        self.sources += [value or "" for name, value in attributes if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += "" if self._in_style else f"{data} "


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


def html_words(case: VolumeFindings) -> str:
    return flat(Page(render("report.html", case).decode()).text)


def pdf_words(content: bytes) -> str:
    """All text of all pages as one line; a PDF breaks lines where it likes."""
    with pypdfium2.PdfDocument(content) as document:
        return flat(" ".join(page.get_textpage().get_text_bounded() for page in document))


def pages(content: bytes) -> list[NDArray[np.uint8]]:
    with pypdfium2.PdfDocument(content) as document:
        return [np.asarray(page.render(scale=0.5).to_numpy()) for page in document]


@pytest.fixture(scope="module")
def case() -> VolumeFindings:
    return volume_case((4, 4, 4))


@pytest.fixture(scope="module")
def pdf(case: VolumeFindings) -> bytes:
    return render("report.pdf", case)


def test_the_page_says_all_of_it_with_the_verdict_first(case: VolumeFindings) -> None:
    words = html_words(case)
    for expected in EXPECTED:
        assert expected in words
    assert words.index("For review") < words.index("Tumor type") < words.index("Input and models")
    sources = Page(render("report.html", case).decode()).sources
    assert len(sources) == 3
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_the_pdf_says_the_same_in_text_that_can_be_found(case: VolumeFindings, pdf: bytes) -> None:
    words = pdf_words(pdf)
    letters = words.replace(" ", "").casefold()
    for expected in EXPECTED:
        assert expected.replace(" ", "").casefold() in letters, expected


def test_the_pdf_is_two_pages_of_a4_with_a_title_and_its_fonts_inside(pdf: bytes) -> None:
    with pypdfium2.PdfDocument(pdf) as document:
        assert len(document) == 2
        assert document.get_page_size(0) == pytest.approx((595.3, 841.9), abs=0.5)
        about = document.get_metadata_dict()
    assert about["Title"] == f"NeuroGate report {ANALYSIS_ID}"
    assert about["CreationDate"] == "D:20261121120000+00'00'"
    assert b"/FontFile2" in pdf
    assert b"Helvetica" not in pdf
    for page in pages(pdf):
        assert 0.003 < np.mean(page < 128) < 0.7


def test_the_same_findings_give_the_same_bytes(case: VolumeFindings, pdf: bytes) -> None:
    assert render("report.pdf", case) == pdf
    assert render("report.html", case) == render("report.html", case)


def test_without_outline_heat_map_and_intervals() -> None:
    bare = volume_case((8, 8, 8), outline="none", mapped=False, clinical=None, reasons=(), verdict="answer")
    words = html_words(bare)
    assert "The outline was not asked for, or is not available." in words
    assert "No outline was drawn" in words
    assert "Measurable" not in words
    assert "saw evidence" not in words
    assert "None was sent." in words
    assert "Nothing speaks against the answer" in words
    assert "None was sent." in pdf_words(render("report.pdf", bare))


def test_without_orientation_no_side_and_no_place_is_named() -> None:
    words = html_words(volume_case((8, 8, 8), oriented=False))
    assert "the file does not say how its axes lie" in words
    assert "Side not known" in words
    assert "Center" not in words


def test_intervals_that_are_not_known_are_said_to_be_so(case: VolumeFindings) -> None:
    outline = case.analysis.segmentation
    assert outline is not None
    assert outline.volume is not None
    volume = outline.volume.model_copy(
        update={
            "volume_ml_interval": None,
            "longest_diameter_mm_interval": None,
            "perpendicular_diameter_mm_interval": None,
            "lesion_count": 9,
        }
    )
    segmentation = outline.model_copy(update={"volume": volume})
    words = html_words(volume_case((4, 4, 4), segmentation=segmentation))
    assert "was not fitted for this model" in words
    assert "kept back from training" not in words
    assert "7 smaller ones are not listed" in words


LONG = "A reason that goes on and on, <b>with marks</b> & signs, " * 12
FOREIGN = (
    "\u03b3\u03bb\u03b9\u03bf\u03af\u03c9\u03bc\u03b1 \u062a\u0648\u0645\u0648\u0631 \u8166\u816b\u760d \U0001f9e0 \x07"
)


def test_a_pdf_holds_text_of_any_length_and_script() -> None:
    reasons = tuple(Reason(code="stage_unavailable", detail=LONG) for _ in range(30))
    warnings = (FOREIGN, *[LONG] * 30)
    long_input = volume_case((12, 12, 12)).analysis.input.model_copy(update={"warnings": warnings})
    clinical = volume_case((12, 12, 12)).analysis.clinical
    assert clinical is not None
    told = clinical.model_copy(update={"warnings": tuple([LONG] * 40)})
    content = render("report.pdf", volume_case((12, 12, 12), reasons=reasons, input=long_input, clinical=told))
    words = pdf_words(content)
    assert len(pages(content)) > 2
    assert words.replace(" ", "").count("<b>withmarks</b>&signs") >= 12 * 100 * 0.95


def test_a_slices_pdf_fits_one_page() -> None:
    example = Analysis.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]
    analysis = FinishedAnalysis.model_validate(example)
    png = render_input(scan())
    report = slice_report(analysis, input_png=png, overlay_png=png, heatmap_png=png, heatmap_label="glioma")
    content = render_pdf(report)
    words = pdf_words(content)
    assert len(pages(content)) == 1
    for expected in (
        "analysis of one slice",
        "Glioma is the likeliest finding",
        "Axial",
        "60303ae22b99",
        "Not a medical",
    ):
        assert expected in words
    assert render_pdf(report) == content
    bare = analysis.model_copy(
        update={"tumor": None, "view": None, "segmentation": None, "verdict": None, "models": ()}
    )
    assert "No answer" in pdf_words(render_pdf(slice_report(bare, input_png=png)))


def test_evidence_has_the_volume_and_what_its_words_mean(case: VolumeFindings) -> None:
    document = json.loads(render("evidence.json", case))
    assert document["analysis"]["segmentation"]["volume"]["lesion_count"] == 2
    assert document["analysis"]["key_slice"]["plane"] == "axial"
    assert document["heatmap"] == {"label": "glioma"}
    assert {"volume", "lesion", "key_slice"} <= set(document["definitions"])


def test_an_unnamed_type_is_not_given_one() -> None:
    tumor = TumorClassification(
        label="tumor",
        present_probability=0.97,
        probabilities={"no_tumor": 0.03, "tumor": 0.97},
        prediction_set=("tumor",),
        coverage=0.95,
    )
    untyped = volume_case((12, 12, 12), mapped=False, tumor=tumor)
    for words in (html_words(untyped), pdf_words(render("report.pdf", untyped))):
        assert "A tumor, of a type that the model does not name" in words
        assert "glioma is" not in words.lower()


def test_reports_drawn_at_the_same_time_keep_their_own_words() -> None:
    example = Analysis.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]
    analysis = FinishedAnalysis.model_validate(example)
    png = render_input(scan(24, 24))
    reports = [
        slice_report(
            analysis.model_copy(update={"reasons": (Reason(code="unknown_view", detail=f"Word{number} " * 200),)}),
            input_png=png,
        )
        for number in range(6)
    ]
    alone = [render_pdf(report) for report in reports]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(render_pdf, reports)) == alone
