"""Findings that contradict each other: each reason, and its absence on the other side of its limit."""

import json
from pathlib import Path

import numpy as np
import pytest

from gateway.judge.limits import JudgeLimits
from service_kit.inference.region import Region
from tests.unit.gateway.cases import HEAD_PX, LIMITS, first_px, heat, judged, only_reason, square
from tests.unit.gateway.fakes import tumor, view_answer

ROOT = Path(__file__).resolve().parents[3]
CLEAR = tumor("no_tumor", ("no_tumor",))
PITUITARY = tumor("pituitary", ("pituitary",))
SAGITTAL = view_answer("sagittal").view
STANDARD = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
FRONT_RIGHT = (0.0, -1.0, 0.0, 0.0, 0.0, -1.0)
UPSIDE_DOWN = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
QUARTER_TURN = (0.0, 0.0, -1.0, 0.0, 1.0, 0.0)


def test_a_tumor_with_an_outline_and_none_without_one_are_answers() -> None:
    assert judged(mask=square(0.5, 0.5)) == ("answer", [])
    assert judged(tumor=CLEAR, mask=first_px(0)) == ("answer", [])
    assert judged(tumor=CLEAR, mask=None) == ("answer", [])


def test_a_tumor_without_an_outline_wants_a_reader() -> None:
    assert judged(mask=first_px(0)) == ("review", ["tumor_without_mask"])
    assert judged(mask=first_px(1)) == ("answer", [])
    assert "classified as glioma, but nothing was outlined" in only_reason(mask=first_px(0)).detail


def test_an_outline_without_a_tumor_wants_a_reader_from_a_share_of_the_head() -> None:
    limit_px = HEAD_PX // 100
    assert judged(tumor=CLEAR, mask=first_px(limit_px)) == ("answer", [])
    assert judged(tumor=CLEAR, mask=first_px(limit_px + 1)) == ("review", ["mask_without_tumor"])
    reason = only_reason(tumor=CLEAR, mask=first_px(2 * limit_px))
    assert (reason.measured, reason.limit) == (0.02, 0.01)
    assert reason.detail == "No tumor was classified, but 2 % of the head was outlined, over the limit of 1 %."


def test_where_the_spacing_is_known_the_limit_is_in_square_millimeters() -> None:
    spacing_mm = (0.5, 2.0)
    assert judged(tumor=CLEAR, mask=first_px(100), spacing_mm=spacing_mm) == ("answer", [])
    assert judged(tumor=CLEAR, mask=first_px(101), spacing_mm=spacing_mm) == ("review", ["mask_without_tumor"])
    reason = only_reason(tumor=CLEAR, mask=first_px(150), spacing_mm=spacing_mm)
    assert (reason.measured, reason.limit) == (150, 100)
    assert "150 mm² were outlined, over the limit of 100 mm²" in reason.detail


def test_heat_off_the_outline_wants_a_reader() -> None:
    mask = square(0.5, 0.5)  # pixels 45 to 55: positions 4 and 5, with a rim 3 to 6
    on, off = [(3, 3), (6, 6)], [(0, 0), (0, 9), (9, 9)]
    assert judged(mask=mask, saliency=heat("glioma", *on, *off)) == ("answer", [])  # 2 of 5, the limit
    assert judged(mask=mask, saliency=heat("glioma", on[0], *off)) == ("review", ["heat_off_mask"])
    reason = only_reason(mask=mask, saliency=heat("glioma", on[0], *off))
    assert (reason.measured, reason.limit) == (0.25, 0.4)
    assert "25 % of its evidence for glioma lies on the outline or next to it, under the limit of 40 %" in reason.detail


def test_a_map_without_any_heat_is_off_the_outline() -> None:
    assert judged(mask=square(0.5, 0.5), saliency=heat("glioma")) == ("review", ["heat_off_mask"])


def test_heat_is_compared_with_the_outline_of_the_label_that_it_explains_alone() -> None:
    mask, off = square(0.5, 0.5), heat("glioma", (0, 0))
    assert judged(mask=mask, saliency=None) == ("answer", [])
    assert judged(mask=None, saliency=off) == ("answer", [])
    assert judged(mask=first_px(0), saliency=off) == ("review", ["tumor_without_mask"])
    assert judged(mask=mask, saliency=heat("meningioma", (0, 0))) == ("answer", [])
    assert judged(tumor=CLEAR, mask=first_px(3), saliency=heat("glioma", (9, 9))) == ("answer", [])


@pytest.mark.parametrize(
    ("row", "column", "inside"),
    [
        (0.55, 0.4, True),
        (0.5, 0.35, True),
        (0.55, 0.65, True),  # mirrored
        (0.4, 0.6, True),  # upside down as well
        (0.15, 0.5, False),
        (0.85, 0.4, False),
        (0.5, 0.85, False),
        (0.5, 0.1, False),
    ],
)
def test_a_pituitary_tumor_of_a_picture_lies_near_the_sella_however_it_is_mirrored(
    row: float, column: float, inside: bool
) -> None:
    expected = ("answer", []) if inside else ("review", ["pituitary_off_sella"])
    assert judged(tumor=PITUITARY, view=SAGITTAL, mask=square(row, column)) == expected


@pytest.mark.parametrize(
    ("orientation", "row", "column"),
    [
        (STANDARD, 0.55, 0.4),
        (FRONT_RIGHT, 0.55, 0.6),
        (UPSIDE_DOWN, 0.45, 0.4),
        (QUARTER_TURN, 0.4, 0.55),
    ],
)
def test_where_the_file_says_how_the_slice_lies_the_sella_is_on_one_side(
    orientation: tuple[float, ...], row: float, column: float
) -> None:
    fields = {"tumor": PITUITARY, "view": SAGITTAL, "dicom_view": "sagittal", "orientation": orientation}
    assert judged(mask=square(row, column), **fields) == ("answer", [])
    mirrored = ("review", ["pituitary_off_sella"])
    if orientation == QUARTER_TURN:
        assert judged(mask=square(0.65, column), **fields) == mirrored
    else:
        assert judged(mask=square(row, 1.05 - column if column < 0.5 else 0.35), **fields) == mirrored


def test_the_detail_says_where_it_lies_and_where_it_should() -> None:
    reason = only_reason(tumor=PITUITARY, view=SAGITTAL, mask=square(0.2, 0.5))
    assert "The outline's center lies 20 % down and 50 % across the head" in reason.detail
    assert "sagittal slices a pituitary tumor lies 30 % to 70 % down and 30 % to 70 % across" in reason.detail


def test_without_an_outline_the_heat_says_where_the_pituitary_tumor_lies() -> None:
    fields = {"tumor": PITUITARY, "view": SAGITTAL}
    assert judged(saliency=heat("pituitary", (5, 5)), **fields) == ("answer", [])
    assert judged(saliency=heat("pituitary", (1, 5)), **fields) == ("review", ["pituitary_off_sella"])
    assert judged(saliency=heat("pituitary"), **fields) == ("answer", [])
    assert judged(saliency=heat("glioma", (1, 5)), **fields) == ("answer", [])
    assert judged(**fields) == ("answer", [])


def test_other_tumors_and_planes_without_a_region_are_not_looked_for_at_the_sella() -> None:
    assert judged(view=SAGITTAL, mask=square(0.2, 0.2)) == ("answer", [])
    assert judged(tumor=PITUITARY, mask=square(0.2, 0.2)) == ("answer", [])
    assert "axial" not in LIMITS.sella


def test_the_shipped_limits_hold_a_sella_for_each_plane() -> None:
    limits = JudgeLimits()
    assert limits.sella.keys() == {"axial", "coronal", "sagittal"}
    assert 0 < limits.min_heat_share < 1
    assert 0 <= limits.max_share_without_tumor < 0.1
    for region in limits.sella.values():
        assert np.hypot(region.bottom - region.top, region.right - region.left) < 0.8


def test_the_shipped_limits_are_those_of_the_published_figures() -> None:
    published = json.loads((ROOT / "docs" / "evaluation" / "judge.json").read_bytes())
    shipped = json.loads((ROOT / "gateway" / "src" / "gateway" / "judge" / "fitted.json").read_bytes())
    assert shipped == published["limits"]


@pytest.mark.parametrize("wrong", [{"top": 0.7}, {"left": 0.5}, {"right": 1.5}])
def test_a_region_that_holds_nothing_is_no_limit(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"top must be|less than or equal"):
        Region.model_validate({"top": 0.4, "bottom": 0.7, "left": 0.3, "right": 0.5, **wrong})
