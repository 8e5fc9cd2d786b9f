"""The reading desk of a slice: window and level, zoom, invert, overlays, ruler, probe, letters; by mouse and by key."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.page.exams import Exams
from tests.page.looking import colored, differ, gray_of, share_like
from tests.page.reader import Reader

OUTLINE = (0, 209, 255)
SAME, OTHER = 0.5, 1.0
"""Mean difference in levels: at most of the same picture, at least of another."""


@pytest.fixture
def canvas(reader: Reader, exams: Exams) -> Locator:
    """The glioma's picture, drawn, and in the keyboard's reach."""
    reader.open(f"/analyses/{exams.glioma['id']}")
    drawn = reader.get("viewer-canvas").first
    drawn.wait_for()
    reader.page.wait_for_load_state("networkidle")
    drawn.click(position={"x": 5, "y": 5})
    settled(drawn)
    return drawn


def settled(drawn: Locator) -> bytes:
    """The picture once two in a row are the same."""
    before = drawn.screenshot()
    for _ in range(20):
        drawn.page.wait_for_timeout(80)
        after = drawn.screenshot()
        if after == before:
            return after
        before = after
    raise AssertionError("the picture does not come to rest")


def drag(drawn: Locator, by: tuple[int, int]) -> None:
    """From the middle of the picture."""
    box = drawn.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = drawn.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + by[0] / 2, y + by[1] / 2)
    mouse.move(x + by[0], y + by[1])
    mouse.up()


def test_the_scan_is_large_with_its_outline_in_the_house_color(reader: Reader, canvas: Locator) -> None:
    box = canvas.bounding_box()
    assert box is not None
    assert box["width"] * box["height"] > 0.3 * 1440 * 900
    picture = canvas.screenshot()
    assert gray_of(picture).std() > 15
    assert share_like(picture, OUTLINE) > 0
    reader.get("overlay-mask").uncheck()
    assert share_like(settled(canvas), OUTLINE, within=20) == 0
    reader.page.keyboard.press("m")
    expect(reader.get("overlay-mask")).to_be_checked()


def test_a_filled_mask_covers_more_than_an_outline(reader: Reader, canvas: Locator) -> None:
    outlined = canvas.screenshot()
    reader.get("overlay-fill").click()
    filled = settled(canvas)
    assert differ(outlined, filled) > 0.2
    reader.get("mask-opacity").fill("0")
    assert differ(settled(canvas), filled) > 0.2


def test_the_heat_map_is_laid_over_with_its_opacity(reader: Reader, canvas: Locator) -> None:
    plain = colored(canvas.screenshot())
    reader.get("overlay-heat").check()
    hot = colored(settled(canvas))
    assert hot > 1.5 * plain
    reader.get("heat-opacity").focus()
    reader.page.keyboard.press("Home")
    assert colored(settled(canvas)) < hot


def test_window_and_level_by_drag_and_back_by_reset(reader: Reader, canvas: Locator) -> None:
    first, told = canvas.screenshot(), reader.get("window-readout").inner_text()
    reader.get("tool-window").click()
    expect(reader.get("tool-window")).to_have_attribute("aria-pressed", "true")
    drag(canvas, (-150, 90))
    assert reader.get("window-readout").inner_text() != told
    assert differ(first, settled(canvas)) > OTHER
    reader.get("reset").click()
    assert reader.get("window-readout").inner_text() == told
    assert differ(first, settled(canvas)) < SAME


def test_zoom_and_pan(reader: Reader, canvas: Locator) -> None:
    first = canvas.screenshot()
    reader.page.keyboard.press("+")
    larger = settled(canvas)
    assert differ(first, larger) > OTHER
    reader.get("tool-pan").click()
    drag(canvas, (120, 60))
    assert differ(larger, settled(canvas)) > OTHER
    reader.page.keyboard.press("0")
    assert differ(first, settled(canvas)) < SAME


def test_invert_by_button_and_by_key(reader: Reader, canvas: Locator) -> None:
    first = gray_of(canvas.screenshot()).mean()
    reader.get("invert").click()
    expect(reader.get("invert")).to_have_attribute("aria-pressed", "true")
    settled(canvas)
    assert gray_of(canvas.screenshot()).mean() != pytest.approx(first, abs=5)
    reader.page.keyboard.press("i")
    expect(reader.get("invert")).to_have_attribute("aria-pressed", "false")
    settled(canvas)
    assert gray_of(canvas.screenshot()).mean() == pytest.approx(first, abs=1)


def test_the_probe_tells_value_and_place(reader: Reader, canvas: Locator) -> None:
    reader.get("tool-probe").click()
    told = []
    for place in (0.4, 0.6):
        box = canvas.bounding_box()
        assert box is not None
        reader.page.mouse.move(box["x"] + box["width"] * place, box["y"] + box["height"] * 0.5)
        expect(reader.get("probe-readout")).to_have_text(re.compile(r"\d+.*\d+.*\d+", re.S))
        told.append(reader.get("probe-readout").inner_text())
    assert told[0] != told[1]


def test_the_ruler_measures_in_mm_where_spacing_is_known(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.glioma_dicom['id']}")
    drawn = reader.get("viewer-canvas").first
    drawn.wait_for()
    reader.page.wait_for_load_state("networkidle")
    expect(reader.get("viewer")).not_to_contain_text(re.compile(r"\d\s*mm"))
    size = drawn.bounding_box()
    reader.get("tool-ruler").click()
    drag(drawn, (100, 0))
    assert drawn.bounding_box() == size, "the picture jumps under the ruler"
    expect(reader.get("viewer")).to_contain_text(re.compile(r"\d\s*mm"))


def test_the_letters_are_radiology_s_and_a_picture_warns_that_it_tells_no_side(
    reader: Reader, canvas: Locator, exams: Exams
) -> None:
    letters = {side: reader.get(f"orientation-{side}").inner_text() for side in ("left", "right", "top", "bottom")}
    assert letters == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    expect(reader.get("orientation-warning")).to_be_visible()
    reader.open(f"/analyses/{exams.glioma_dicom['id']}")
    expect(reader.get("orientation-left")).to_have_text("R")
    expect(reader.get("orientation-warning")).to_have_count(0)


def test_the_original_is_seen_beside_or_under_the_overlays(reader: Reader, canvas: Locator) -> None:
    before = reader.get("viewer").screenshot()
    chosen = reader.get("compare-original")
    if chosen.evaluate("(element) => element.tagName") == "SELECT":
        chosen.select_option(index=1)
    else:
        chosen.click()
    reader.page.wait_for_timeout(300)
    assert differ(before, reader.get("viewer").screenshot()) > 0.2


def test_the_list_of_shortcuts_opens_by_question_mark_and_closes_by_escape(reader: Reader, canvas: Locator) -> None:
    reader.page.keyboard.press("?")
    listed = reader.get("shortcuts")
    expect(listed).to_be_visible()
    for key in ("W", "Z", "I", "R"):
        expect(listed.locator("kbd", has_text=re.compile(f"^{key}$", re.I)).first).to_be_visible()
    reader.page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
