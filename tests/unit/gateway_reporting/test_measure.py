import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.reporting.measure import Axis, measure
from tests.unit.gateway_reporting.scenes import ellipse

DEGREES = (0, 17, 30, 45, 77, 90, 120, 163)


def along_mm(axis: Axis | None, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> NDArray[np.float64]:
    assert axis is not None
    (r0, c0), (r1, c1) = axis
    return np.array([(r1 - r0) * spacing_mm[0], (c1 - c0) * spacing_mm[1]])


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("half_axes", [(40.0, 20.0), (60.0, 15.0), (25.0, 21.0), (9.0, 5.0)])
def test_ellipse_in_pixels(half_axes: tuple[float, float], degrees: float) -> None:
    found = measure(ellipse(half_axes_mm=half_axes, degrees=degrees), None)
    assert found.longest_diameter_px == pytest.approx(2 * half_axes[0], abs=1.1)
    assert found.perpendicular_diameter_px == pytest.approx(2 * half_axes[1], abs=1.3)
    assert found.area_px == pytest.approx(math.pi * half_axes[0] * half_axes[1], rel=0.02, abs=6)
    assert (found.area_mm2, found.longest_diameter_mm, found.perpendicular_diameter_mm) == (None, None, None)
    assert found.volume_ml is None


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("spacing_mm", [(0.5, 0.5), (1.0, 0.5), (0.4, 1.2)])
def test_ellipse_in_millimeters_on_uneven_grids(spacing_mm: tuple[float, float], degrees: float) -> None:
    mask = ellipse((260, 320), half_axes_mm=(30.0, 14.0), degrees=degrees, spacing_mm=spacing_mm)
    found = measure(mask, spacing_mm)
    pixel = max(spacing_mm)
    assert found.longest_diameter_mm == pytest.approx(60, abs=1.1 * pixel)
    assert found.perpendicular_diameter_mm == pytest.approx(28, abs=1.3 * pixel)
    assert found.area_mm2 == pytest.approx(math.pi * 30 * 14, rel=0.01)
    assert found.area_mm2 == pytest.approx(found.area_px * spacing_mm[0] * spacing_mm[1])
    longest, across = along_mm(found.longest_axis, spacing_mm), along_mm(found.perpendicular_axis, spacing_mm)
    assert float(np.hypot(*longest)) == pytest.approx(found.longest_diameter_mm)
    assert float(np.hypot(*across)) == pytest.approx(found.perpendicular_diameter_mm)
    assert abs(longest @ across) < 1e-6 * float(np.hypot(*longest) * np.hypot(*across))


def test_rectangle() -> None:
    mask = np.zeros((60, 90), np.bool_)
    mask[10:22, 30:70] = True
    found = measure(mask, None)
    assert found.bounding_box == (10, 30, 22, 70)
    assert found.area_px == 12 * 40
    assert found.longest_diameter_px == pytest.approx(math.hypot(12, 40), abs=1)
    # At right angles to the diagonal, the longest chord runs from one long side to the other.
    diagonal = math.atan2(11, 40)
    assert found.perpendicular_diameter_px == pytest.approx(12 / math.cos(diagonal), abs=0.7)


def test_diameters_are_of_the_largest_part_area_and_box_of_all() -> None:
    large = ellipse(half_axes_mm=(30, 12), center_px=(100, 120))
    mask = large | ellipse(half_axes_mm=(6, 6), center_px=(20, 20))
    found, alone = measure(mask, (1.0, 1.0)), measure(large, (1.0, 1.0))
    assert found.components == 2
    assert found.area_px == int(mask.sum()) > alone.area_px
    assert found.bounding_box[:2] == (14, 14)
    assert found.longest_diameter_mm == alone.longest_diameter_mm
    assert found.longest_axis == alone.longest_axis
    assert found.perpendicular_axis == alone.perpendicular_axis


def test_the_diameter_goes_around_a_hole_and_across_a_bay() -> None:
    ring = ellipse(half_axes_mm=(30, 30)) & ~ellipse(half_axes_mm=(20, 20))
    found = measure(ring, None)
    assert found.longest_diameter_px == pytest.approx(60, abs=1.2)
    assert found.perpendicular_diameter_px == pytest.approx(60, abs=1.3)


def test_empty_mask() -> None:
    found = measure(np.zeros((50, 50), np.bool_), None)
    assert (found.area_px, found.components, found.bounding_box) == (0, 0, (0, 0, 0, 0))
    assert (found.longest_diameter_px, found.longest_diameter_mm, found.longest_axis) == (0.0, None, None)
    known = measure(np.zeros((50, 50), np.uint8), (1.0, 1.0))
    assert (known.area_mm2, known.longest_diameter_mm, known.perpendicular_diameter_mm) == (0.0, 0.0, 0.0)


def test_single_pixel_and_single_line() -> None:
    mask = np.zeros((20, 20), np.bool_)
    mask[5, 5] = True
    assert measure(mask, None).longest_diameter_px == pytest.approx(1)
    mask[5, 5:9] = True
    found = measure(mask, (2.0, 0.5))
    assert found.longest_diameter_mm == pytest.approx(4 * 0.5, abs=0.6)
    assert found.bounding_box == (5, 5, 6, 9)


def test_mask_that_fills_the_picture() -> None:
    found = measure(np.ones((512, 512), np.bool_), None)
    assert found.bounding_box == (0, 0, 512, 512)
    assert found.longest_diameter_px == pytest.approx(math.hypot(512, 512), abs=1.5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(16, 40), st.integers(16, 40), st.floats(0.02, 0.9))
def test_any_mask_is_measured_within_its_box(seed: int, rows: int, columns: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((rows, columns)) < share
    mask[rows // 2, columns // 2] = True
    found = measure(mask, (0.7, 1.1))
    top, left, bottom, right = found.bounding_box
    assert mask[top:bottom, left:right].sum() == found.area_px
    assert found.longest_diameter_mm is not None
    assert found.perpendicular_diameter_mm is not None
    assert 0 < found.longest_diameter_mm <= math.hypot((bottom - top) * 0.7, (right - left) * 1.1) + 1e-9
    assert 0 < found.perpendicular_diameter_mm <= found.longest_diameter_mm + 1.4
