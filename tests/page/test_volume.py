"""Volumes: four NIfTI sequences, a zip of DICOM files; three planes, sliders, labels, 3D; cancel while one runs."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.integration.made_heads import Heads
from tests.page.conftest import KEPT
from tests.page.exams import Exams
from tests.page.looking import gray_of
from tests.page.reader import Reader
from tests.page.stack import Stack
from tests.page.uploads import dicom_series, head

PLANES = ("axial", "coronal", "sagittal")


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads()


def test_four_sequences_are_one_study_with_progress_by_stage(reader: Reader, stack: Stack, heads: Heads) -> None:
    reader.open("/")
    reader.get("file-input").set_input_files(head(heads))
    reader.get("analyze-start").click()
    shown = reader.id_of_analysis()
    expect(reader.get("progress").first).to_have_attribute("data-stage", re.compile(r"\w"))
    expect(reader.get("verdict").first).to_be_visible(timeout=60_000)
    analysis = stack.http.get(f"/v1/analyses/{shown}").json()
    assert analysis["input"]["sequences"] == ["t1", "t1ce", "t2", "flair"]
    expect(reader.get("viewer")).to_have_attribute("data-kind", "volume")


def test_a_zip_of_dicom_files_is_a_series(reader: Reader, stack: Stack) -> None:
    reader.open("/")
    reader.get("file-input").set_input_files([dicom_series()])
    reader.get("analyze-start").click()
    shown = reader.id_of_analysis()
    expect(reader.get("verdict").first).to_be_visible(timeout=60_000)
    analysis = stack.http.get(f"/v1/analyses/{shown}").json()
    assert analysis["input"]["kind"] == "series"
    assert analysis["input"]["slices"] == 78
    expect(reader.get("viewer-canvas").first).to_be_visible()


def test_a_running_volume_is_canceled(reader: Reader, stack: Stack, heads: Heads) -> None:
    reader.open("/")
    reader.get("file-input").set_input_files(head(heads, large=True))
    reader.get("analyze-start").click()
    shown = reader.id_of_analysis()
    reader.get("progress").first.wait_for(timeout=60_000)
    reader.get("cancel").first.click()
    expect(reader.get("progress")).to_have_count(0)
    assert stack.http.get(f"/v1/analyses/{shown}").json()["state"] == "canceled"


def test_three_planes_scroll_by_their_sliders(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.volume['id']}")
    canvas = reader.get("viewer-canvas").first
    canvas.wait_for()
    expect(reader.get("lesion-strip").first).to_be_visible()
    for plane in PLANES:
        slider = reader.get(f"slice-slider-{plane}")
        before = slider.input_value()
        slider.focus()
        reader.page.keyboard.press("ArrowRight")
        expect(slider).not_to_have_value(before)
    pictured = gray_of(canvas.screenshot())
    assert pictured.max() > 100
    reader.get("slice-slider-axial").focus()
    reader.page.keyboard.press("Home")
    expect(reader.get("slice-slider-axial")).to_have_value(re.compile(r"^[01]$"))


def test_a_label_is_turned_off(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.volume['id']}")
    reader.get("viewer-canvas").first.wait_for()
    reader.page.wait_for_load_state("networkidle")
    labels = reader.all("label-")
    expect(labels).to_have_count(len(exams.volume["segmentation"]["labels"]))
    expect(labels.first).to_be_checked()
    labels.first.uncheck()
    expect(labels.first).not_to_be_checked()


def test_each_layout_shows_the_head(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.volume['id']}")
    canvas = reader.get("viewer-canvas").first
    canvas.wait_for()
    reader.page.wait_for_load_state("networkidle")
    for layout in ("axial", "render", "planes"):
        chosen = reader.get(f"layout-{layout}")
        chosen.click()
        expect(chosen).to_have_attribute("aria-pressed", "true")
        assert gray_of(canvas.screenshot()).max() > 60, layout


def test_a_volume_of_155_slices_is_scrolled_through_and_its_rate_noted(
    reader: Reader, stack: Stack, heads: Heads
) -> None:
    parts = [(name, (filename, content)) for name, (filename, content, _) in heads.large]
    analysis = stack.sent(parts, options={"segment": "never"})
    reader.open(f"/analyses/{analysis['id']}?frames")
    reader.get("viewer-canvas").first.wait_for()
    slider = reader.get("slice-slider-axial")
    slider.focus()
    reader.page.keyboard.press("Home")
    first = slider.input_value()
    for _ in range(154):
        reader.page.keyboard.press("ArrowRight")
    assert abs(int(slider.input_value()) - int(first)) == 154
    rate = reader.get("frame-rate").inner_text()
    assert re.search(r"\d", rate)
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / "frame-rate.json").write_text(json.dumps({"slices": 155, "told": rate}))
