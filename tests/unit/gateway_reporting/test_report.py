import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from gateway.reporting.evidence import render_evidence
from gateway.reporting.html import render_html
from gateway.reporting.measure import measure
from gateway.reporting.pictures import render_input
from gateway.reporting.report import slice_report
from gateway.reporting.wording import headline
from gateway.schemas import Analysis
from tests.unit.gateway_reporting.scenes import ellipse, scan

PNG = render_input(scan())
EXAMPLE: dict[str, Any] = Analysis.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index, assignment]


def analysis(**changes: Any) -> Analysis:
    return Analysis.model_validate({**EXAMPLE, **changes})


def rendered(subject: Analysis, **parts: Any) -> str:
    return render_html(slice_report(subject, **{"input_png": PNG, **parts}))


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_style = tag == "style"
        self.addresses += [value or "" for name, value in attributes if name in {"src", "href", "action", "data"}]

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.text += data

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", self.text.replace("\u00a0", " "))


def page(subject: Analysis, **parts: Any) -> Page:
    return Page(rendered(subject, **parts))


def test_the_report_is_self_contained_and_without_scripts() -> None:
    html = rendered(analysis(), overlay_png=PNG, heatmap_png=PNG, heatmap_label="glioma")
    found = Page(html)
    assert len(found.addresses) == 2
    assert all(address.startswith("data:image/png;base64,") for address in found.addresses)
    assert not {"script", "link", "iframe", "object", "form"} & set(found.tags)
    assert "@import" not in html
    assert "url(" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert "default-src 'none'" in html


def test_the_verdict_comes_first_in_words_with_its_reasons() -> None:
    words = page(analysis()).words
    assert "Glioma is the likeliest finding" in words
    assert "98.0 %" in words
    assert EXAMPLE["reasons"][0]["detail"] in words
    assert words.index("For review") < words.index("Tumor type") < words.index("Input and models")


def test_tumor_view_models_timings_and_disclaimer_are_there() -> None:
    words = page(analysis(), heatmap_png=PNG, heatmap_label="glioma").words
    for expected in (
        "Glioma 90.0 %",
        "Prediction set (blue bars): glioma, meningioma. It holds the true label in 95 % of cases",
        "Axial 99.0 %",
        "Where the classifier saw evidence for glioma. Not an outline.",
        "60303ae22b99",
        "onnxruntime, CPUExecutionProvider",
        "in all 19.3 ms",
        "age 0.61, gender female",
        "Missing and filled in: race.",
        "Research use only. Not a medical device.",
    ):
        assert expected in words


@pytest.mark.parametrize("spacing_mm", [None, (0.5, 0.5)])
def test_measures_have_units_and_a_definition(spacing_mm: tuple[float, float] | None) -> None:
    mask = ellipse(half_axes_mm=(30, 15))
    found = measure(mask, spacing_mm)
    outline = {
        **EXAMPLE["segmentation"],
        "area_px": found.area_px,
        "area_mm2": found.area_mm2,
        "longest_diameter_mm": found.longest_diameter_mm,
        "perpendicular_diameter_mm": found.perpendicular_diameter_mm,
        "bounding_box": found.bounding_box,
    }
    subject = analysis(segmentation=outline, input={**EXAMPLE["input"], "spacing_mm": spacing_mm})
    words = page(subject, overlay_png=PNG, measurements=found).words
    unit, factor = ("px", 1.0) if spacing_mm is None else ("mm", 0.5)
    assert f"Longest diameter{61 * factor:.1f} {unit}" in words.replace("diameter ", "diameter")
    assert "the longest at right angles to it" in words
    assert ("The file gives no pixel spacing" in words) is (spacing_mm is None)


def test_no_tumor_without_outline() -> None:
    tumor = {
        "label": "no_tumor",
        "present_probability": 0.0004,
        "probabilities": {"glioma": 0.0003, "meningioma": 0.0001, "no_tumor": 0.9996, "pituitary": 0.0},
        "prediction_set": ["no_tumor"],
        "coverage": 0.95,
    }
    subject = analysis(verdict="answer", reasons=[], tumor=tumor, segmentation=None, clinical=None)
    words = page(subject).words
    assert "No tumor found" in words
    assert "over 99.9 %" in words
    assert "under 0.1 %" in words
    assert "The outline was not asked for, or is not available." in words
    assert "None was sent." in words
    assert headline(subject.model_copy(update={"verdict": "review"})) == "No tumor is the likeliest finding"


BINARY = {
    "label": "tumor",
    "present_probability": 0.97,
    "probabilities": {"no_tumor": 0.03, "tumor": 0.97},
    "prediction_set": ["tumor"],
    "coverage": 0.95,
    "warnings": ["There is no heat map: the model detector-cnn gives none."],
}


def test_a_binary_answer_names_no_type() -> None:
    subject = analysis(verdict="answer", reasons=[], tumor=BINARY, clinical=None)
    found = page(subject, heatmap_png=PNG, heatmap_label="tumor")
    assert "A tumor, of a type that the model does not name, is the likeliest finding" in found.words
    assert "Prediction set (blue bars): tumor." in found.words
    assert "detector-cnn gives none" in found.words
    assert "saw evidence for a tumor." in found.words
    assert not any(word in found.words.lower() for word in ("glioma", "meningioma", "pituitary"))


def test_an_answer_without_calibration_promises_no_coverage() -> None:
    raw = {**BINARY, "prediction_set": ["tumor", "no_tumor"], "coverage": 1.0, "warnings": ["not calibrated"]}
    words = page(analysis(tumor=raw)).words
    assert "The model promises no coverage. not calibrated" in words
    assert "100" not in words.split("promises no coverage")[0].rsplit("Tumor type", 1)[1]


def test_empty_prediction_set_and_empty_outline() -> None:
    tumor = {**EXAMPLE["tumor"], "prediction_set": []}
    outline = {**EXAMPLE["segmentation"], "area_px": 0, "bounding_box": (0, 0, 0, 0), "labels": {"tumor": 0}}
    words = page(analysis(tumor=tumor, segmentation=outline)).words
    assert "The prediction set at 95 % is empty" in words
    assert "Nothing was outlined." in words


def test_a_failed_analysis_still_makes_a_page() -> None:
    subject = analysis(verdict=None, tumor=None, view=None, segmentation=None, clinical=None, models=[], reasons=[])
    assert "No answer" in page(subject).words


def test_everything_is_escaped() -> None:
    reasons = [{"code": "stage_unavailable", "detail": "<script>alert(1)</script>"}]
    source = {**EXAMPLE["input"], "warnings": ["<img src=x onerror=alert(1)>"]}
    html = rendered(analysis(reasons=reasons, input=source))
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;" in html


def test_dicom_view_and_substitutions_are_told() -> None:
    outline = {**EXAMPLE["segmentation"], "substituted": {"t1ce": "t1"}, "clinical_used": True}
    view = {**EXAMPLE["view"], "source": "dicom", "label": "sagittal"}
    words = page(analysis(segmentation=outline, view=view)).words
    assert "Sagittal by the DICOM orientation" in words
    assert "T1 with contrast was not sent: T1 stood in for it" in words
    assert "Used for the outline." in words


def test_evidence_is_complete_json() -> None:
    found = measure(ellipse(half_axes_mm=(30, 15)), (0.5, 0.5))
    document = json.loads(render_evidence(analysis(), measurements=found, heatmap_label="glioma"))
    assert document["analysis"]["id"] == EXAMPLE["id"]
    assert document["measurements"]["area_px"] == found.area_px
    assert set(document["measurements"]["longest_axis"][0]) == {"row", "column"}
    assert document["heatmap"] == {"label": "glioma"}
    assert set(document["definitions"]) >= {"prediction_set", "longest_diameter", "perpendicular_diameter"}
    assert document["disclaimer"] == "Research use only. Not a medical device."
    bare = json.loads(render_evidence(analysis(), measurements=measure(np.zeros((9, 9), np.bool_), None)))
    assert bare["heatmap"] is None
    assert bare["measurements"]["longest_axis"] is None
