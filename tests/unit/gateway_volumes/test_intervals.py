import math

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.grid import Grid
from gateway.midline import Midline
from gateway.reporting.measure_volume import measure_volume
from gateway.reporting.volume_summary import summarize_volume
from service_kit.contracts.segmentation import BoundaryBand
from tests.unit.gateway_volumes.phantoms import ball
from tests.unit.gateway_volumes.places import affine_of

Spacing = tuple[float, float, float]
NAMES = {1: "necrotic_core", 2: "edema", 3: "enhancing_tumor"}
BAND = BoundaryBand(volume_mm=1.5, diameter_mm=4.0, coverage=0.9, fitted_on="phantoms")
RADIUS_MM = 22.0


def labelled(
    radius_mm: float, spacing_mm: Spacing = (1, 1, 1), degrees: Spacing = (0, 0, 0)
) -> tuple[NDArray[np.uint8], Grid]:
    """A ball of edema, off the middle of its grid by a part of a voxel."""
    i, j, k = (2 * math.ceil((1.7 * RADIUS_MM + 8) / step) for step in spacing_mm)
    affine = affine_of(spacing_mm, degrees)
    affine[:3, 3] = -affine[:3, :3] @ (np.array([i, j, k]) / 2.0)
    grid = Grid((i, j, k), affine)
    mask = ball(grid, np.array([0.2, -0.3, 0.1]), (radius_mm,) * 3)
    return 2 * mask.astype(np.uint8), grid


@pytest.mark.parametrize("spacing_mm", [(1, 1, 1), (0.9, 0.9, 4), (3, 0.7, 0.7)])
@pytest.mark.parametrize("degrees", [(0, 0, 0), (12, -9, 25)])
@pytest.mark.parametrize("shift_mm", [-1.4, 0.0, 1.4])
def test_a_border_off_by_less_than_the_band_leaves_the_truth_inside(
    spacing_mm: Spacing, degrees: Spacing, shift_mm: float
) -> None:
    found = summarize_volume(*labelled(RADIUS_MM + shift_mm, spacing_mm, degrees), NAMES, None, BAND)
    true_ml = 4 / 3 * math.pi * RADIUS_MM**3 / 1000
    assert found.volume_ml_interval is not None
    assert found.volume_ml_interval.low < true_ml < found.volume_ml_interval.high
    assert found.longest_diameter_mm_interval is not None
    assert found.longest_diameter_mm_interval.low < 2 * RADIUS_MM < found.longest_diameter_mm_interval.high


def test_a_border_off_by_more_than_the_band_leaves_the_truth_outside() -> None:
    found = summarize_volume(*labelled(RADIUS_MM - 5), NAMES, None, BAND)
    assert found.volume_ml_interval is not None
    assert found.volume_ml_interval.high < 4 / 3 * math.pi * RADIUS_MM**3 / 1000


def test_the_interval_is_the_band_times_the_surface() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[5:15, 6:14, 4:10] = 1
    found = summarize_volume(labels, Grid(labels.shape, np.diag([2.0, 1.0, 1.5, 1.0])), NAMES, None, BAND)
    surface_mm2 = 2 * (20 * 8 + 20 * 9 + 8 * 9)
    interval = found.volume_ml_interval
    assert interval is not None
    assert found.volume_ml == pytest.approx(20 * 8 * 9 / 1000)
    assert interval.high - found.volume_ml == pytest.approx(1.5 * surface_mm2 / 1000)
    assert found.volume_ml - interval.low == pytest.approx(1.5 * surface_mm2 / 1000)
    assert interval.coverage == 0.9
    across = found.perpendicular_diameter_mm_interval
    assert across is not None
    assert across.high - across.low == pytest.approx(8.0)


def test_no_interval_goes_below_zero() -> None:
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[4, 4, 4] = 3
    found = summarize_volume(labels, Grid(labels.shape, np.eye(4)), NAMES, None, BAND)
    for interval in (found.volume_ml_interval, found.longest_diameter_mm_interval):
        assert interval is not None
        assert interval.low == 0 < interval.high


def test_nothing_is_known_without_a_band_nor_of_an_empty_outline() -> None:
    labels, grid = labelled(RADIUS_MM)
    for found in (summarize_volume(labels, grid, NAMES), summarize_volume(0 * labels, grid, NAMES, None, BAND)):
        assert found.volume_ml_interval is None
        assert found.longest_diameter_mm_interval is None
        assert found.perpendicular_diameter_mm_interval is None


def test_the_summary_says_what_was_measured() -> None:
    labels, grid = labelled(RADIUS_MM, (0.9, 0.9, 4))
    labels[labels.shape[0] // 2 :][labels[labels.shape[0] // 2 :] > 0] = 3
    middle = Midline(0.0)
    measured, found = measure_volume(labels, grid, NAMES, middle), summarize_volume(labels, grid, NAMES, middle, BAND)
    assert found.volume_ml == measured.volume_ml
    assert {name: label.voxels for name, label in found.labels.items()} == {
        "necrotic_core": 0, "edema": np.count_nonzero(labels == 2), "enhancing_tumor": np.count_nonzero(labels == 3)
    }  # fmt: skip
    assert found.side == measured.side == "midline"
    assert found.sum_of_products_mm2 == measured.sum_of_products_mm2
    lesion = measured.largest
    assert lesion is not None
    assert found.lesions[0].product_mm2 == lesion.product_mm2
    assert found.lesions[0].measurable
    assert found.lesions[0].longest_axis_mm == lesion.longest_axis_mm
    # What callers get is JSON: nothing of numpy may be left in it.
    assert type(found).model_validate_json(found.model_dump_json()) == found


def test_labels_must_have_names() -> None:
    labels, grid = labelled(RADIUS_MM)
    with pytest.raises(ValueError, match="without a name"):
        summarize_volume(labels, grid, {1: "tumor"}, None, BAND)
