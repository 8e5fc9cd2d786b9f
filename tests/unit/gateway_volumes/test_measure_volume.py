import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.grid import Grid
from gateway.midline import Midline, find_midline
from gateway.reporting.measure_volume import VolumeMeasurements, measure_volume
from gateway.slices import SliceStack
from service_kit.inference.volume_components import find_volume_components
from tests.unit.gateway_volumes.phantoms import ball
from tests.unit.gateway_volumes.places import ORIENTATIONS, affine_of, grid_of, stored_as

Spacing = tuple[float, float, float]
ONE = {1: "tumor"}
MIDDLE = Midline(0.0)


def phantom(
    half_axes_mm: Spacing,
    spacing_mm: Spacing = (1, 1, 1),
    degrees: Spacing = (0, 0, 0),
    off: Spacing = (0.2, -0.3, 0.1),
) -> tuple[NDArray[np.bool_], Grid]:
    """An ellipsoid in the middle of a grid around the scanner's origin, off by a part of a voxel."""
    reach = 1.7 if any(degrees) else 1.0
    i, j, k = (2 * math.ceil((reach * half + 4) / step) for half, step in zip(half_axes_mm, spacing_mm, strict=True))
    affine = affine_of(spacing_mm, degrees)
    affine[:3, 3] = -affine[:3, :3] @ (np.array([i, j, k]) / 2.0)
    grid = Grid((i, j, k), affine)
    return ball(grid, np.array(off), half_axes_mm), grid


def measured(mask: NDArray[np.bool_], grid: Grid) -> VolumeMeasurements:
    return measure_volume(mask.astype(np.uint8), grid, ONE, MIDDLE)


def millimeters(axis: tuple[tuple[float, ...], tuple[float, ...]]) -> NDArray[np.float64]:
    return np.subtract(axis[1], axis[0])


@pytest.mark.parametrize("radius_mm", [20.0, 25.0, 31.0])
@pytest.mark.parametrize("degrees", [(0, 0, 0), (12, -9, 25)])
def test_a_ball_at_one_millimeter_within_one_percent(radius_mm: float, degrees: Spacing) -> None:
    found = measured(*phantom((radius_mm,) * 3, degrees=degrees))
    assert found.volume_ml == pytest.approx(4 / 3 * math.pi * radius_mm**3 / 1000, rel=0.01)
    assert found.largest is not None
    assert found.largest.longest_diameter_mm == pytest.approx(2 * radius_mm, rel=0.01)
    assert found.largest.perpendicular_diameter_mm == pytest.approx(2 * radius_mm, rel=0.01)
    assert found.largest.area_mm2 == pytest.approx(math.pi * radius_mm**2, rel=0.01)
    assert found.lesion_count == 1
    assert found.centroid_mm == pytest.approx((0.2, -0.3, 0.1), abs=0.1)


@pytest.mark.parametrize(
    ("half_axes_mm", "spacing_mm"),
    [
        ((30, 22, 15), (1, 1, 1)),
        ((22, 30, 26), (0.5, 0.5, 1)),
        ((33, 24, 20), (0.9, 0.9, 3)),
        ((33, 24, 30), (0.7, 0.7, 5)),
        ((24, 32, 28), (1, 1.3, 1)),
    ],
)
def test_ellipsoids_on_uneven_grids(half_axes_mm: Spacing, spacing_mm: Spacing) -> None:
    found = measured(*phantom(half_axes_mm, spacing_mm))
    long_mm, short_mm = sorted(half_axes_mm[:2], reverse=True)
    assert found.volume_ml == pytest.approx(4 / 3 * math.pi * math.prod(half_axes_mm) / 1000, rel=0.01)
    assert found.largest is not None
    assert found.largest.longest_diameter_mm == pytest.approx(2 * long_mm, rel=0.012)
    assert found.largest.perpendicular_diameter_mm == pytest.approx(2 * short_mm, rel=0.015)
    longest, across = (
        millimeters(axis) for axis in (found.largest.longest_axis_mm, found.largest.perpendicular_axis_mm)
    )
    assert float(np.linalg.norm(longest)) == pytest.approx(found.largest.longest_diameter_mm)
    assert abs(longest @ across) < 1e-4 * np.linalg.norm(longest) * np.linalg.norm(across)
    assert longest[2] == pytest.approx(0, abs=1e-6)
    assert found.largest.product_mm2 == pytest.approx(4 * long_mm * short_mm, rel=0.025)
    assert found.sum_of_products_mm2 == found.largest.product_mm2


def test_thick_slices_of_another_plane_are_measured_to_a_fraction_of_their_thickness() -> None:
    found = measured(*phantom((28, 20, 24), (5, 1, 1)))
    assert found.volume_ml == pytest.approx(4 / 3 * math.pi * 28 * 20 * 24 / 1000, rel=0.01)
    assert found.largest is not None
    assert found.largest.longest_diameter_mm == pytest.approx(56, abs=1.7)
    assert found.largest.perpendicular_diameter_mm == pytest.approx(40, abs=1.5)


@pytest.mark.parametrize("codes", ORIENTATIONS)
@pytest.mark.parametrize("degrees", [(0, 0, 0), (9, -12, 15)])
def test_a_box_is_the_same_however_it_is_stored(codes: str, degrees: Spacing) -> None:
    box = np.zeros((110, 90, 60), np.uint8)
    box[12:102, 15:75, 10:50] = 1
    stored, affine = stored_as(codes, box, affine_of((1, 1, 1), degrees, origin_mm=(0.0, 0.0, 0.0)))
    grid = grid_of(stored, affine)
    found = measure_volume(stored, grid, ONE, Midline(-500.0))
    assert found.volume_ml == pytest.approx(90 * 60 * 40 / 1000)
    low, high = found.bounding_box
    assert stored[tuple(slice(a, b) for a, b in zip(low, high, strict=True))].all()
    assert sorted(found.extent_mm) == pytest.approx([40, 60, 90])
    assert found.largest is not None
    assert found.largest.area_mm2 == pytest.approx(90 * 60)
    # A corner sharper than the voxels is rounded by less than one voxel at each end.
    assert found.largest.longest_diameter_mm == pytest.approx(math.hypot(90, 60), abs=1.5)
    assert found.centroid_mm == pytest.approx(affine_of((1, 1, 1), degrees, (0, 0, 0))[:3, :3] @ [56.5, 44.5, 29.5])
    assert found.centroid_vx == pytest.approx(grid.to_voxels(np.array(found.centroid_mm)))
    assert found.side == "right"
    slices = SliceStack(grid, "axial").take(stored)
    assert slices[found.largest.axial_slice].sum() == 90 * 60


def test_labels_have_their_own_volumes() -> None:
    labels = np.zeros((30, 30, 30), np.uint8)
    labels[5:15, 5:15, 5:15] = 2
    labels[7:12, 7:12, 7:12] = 1
    found = measure_volume(labels, Grid((30, 30, 30), affine_of((1, 1, 2))), {1: "core", 2: "edema", 3: "enhancing"})
    assert {name: (part.voxels, part.volume_ml) for name, part in found.labels.items()} == {
        "core": (125, pytest.approx(0.25)),
        "edema": (875, pytest.approx(1.75)),
        "enhancing": (0, 0.0),
    }
    assert (found.voxels, found.volume_ml) == (1000, pytest.approx(2.0))
    assert found.side is None
    with pytest.raises(ValueError, match=r"labels without a name: \[2\]"):
        measure_volume(labels, Grid((30, 30, 30), affine_of()), ONE)
    with pytest.raises(ValueError, match="not on the grid"):
        measure_volume(labels, Grid((30, 30, 31), affine_of()), ONE)


def test_nothing_labelled() -> None:
    found = measure_volume(np.zeros((20, 20, 20), np.uint8), Grid((20, 20, 20), affine_of()), ONE, MIDDLE)
    assert (found.voxels, found.volume_ml, found.lesion_count, found.lesions) == (0, 0.0, 0, ())
    assert (found.side, found.centroid_mm, found.largest, found.sum_of_products_mm2) == (None, None, None, 0)


def test_lesions_are_counted_from_a_minimum_on() -> None:
    labels = np.zeros((90, 60, 60), np.uint8)
    labels[5:30, 5:30, 5:30] = 1
    labels[30, 30, 30] = 1  # touches at a corner
    labels[50:62, 10:22, 10:22] = 1
    labels[70:74, 40:44, 40:44] = 1  # 0.064 ml
    labels[80:82, 50:53, 50:53] = 1  # 0.018 ml
    found = measured(labels.astype(np.bool_), Grid((90, 60, 60), affine_of()))
    assert found.lesion_count == 3
    assert [round(lesion.volume_ml, 3) for lesion in found.lesions] == [15.626, 1.728, 0.064]
    assert [lesion.measurable for lesion in found.lesions] == [True, True, False]
    assert found.sum_of_products_mm2 == pytest.approx(sum(lesion.product_mm2 for lesion in found.lesions[:2]))


@pytest.mark.parametrize("spacing_mm", [(5, 1, 1), (1, 5, 1), (1, 1, 5), (0.5, 2, 4)])
def test_one_voxel_is_as_long_as_it_is(spacing_mm: Spacing) -> None:
    mask = np.zeros((9, 9, 9), np.bool_)
    mask[4, 4, 4] = True
    found = measured(mask, Grid((9, 9, 9), affine_of(spacing_mm)))
    assert found.volume_ml == pytest.approx(math.prod(spacing_mm) / 1000)
    assert found.largest is not None
    shorter, longer = found.largest.perpendicular_diameter_mm, found.largest.longest_diameter_mm
    assert 0 < shorter <= longer + 1e-6 <= max(spacing_mm[:2]) + 1e-5


def test_a_tiny_part_alone_is_no_lesion_but_is_measured() -> None:
    mask = np.zeros((20, 20, 20), np.bool_)
    mask[4, 5, 6] = True
    found = measured(mask, Grid((20, 20, 20), affine_of((1, 1, 1))))
    assert found.lesion_count == 0
    assert found.largest is not None
    assert found.largest.longest_diameter_mm == pytest.approx(1, abs=0.01)
    assert (found.largest.axial_slice, found.bounding_box) == (6, ((4, 5, 6), (5, 6, 7)))


@pytest.mark.parametrize(
    ("x_mm", "side"), [(-30.0, "left"), (30.0, "right"), (0.0, "midline"), (-8.0, "midline"), (-16.0, "left")]
)
def test_sides(x_mm: float, side: str) -> None:
    grid = Grid((100, 60, 60), affine_of(origin_mm=(-50.0, -30.0, -30.0)))
    found = measured(ball(grid, np.array([x_mm, 0.0, 0.0]), (15.0, 15.0, 15.0)), grid)
    assert found.side == side


def test_no_side_without_orientation() -> None:
    mask, grid = phantom((10, 10, 10))
    unsaid = Grid(grid.shape, grid.affine, oriented=False)
    assert measured(mask, unsaid).side is None
    assert find_midline(mask, unsaid) is None


@settings(max_examples=15, deadline=None)
@given(
    codes=st.sampled_from(ORIENTATIONS),
    degrees=st.tuples(*[st.floats(-15, 15)] * 3),
    shift_mm=st.floats(-60, 60),
    bulge=st.booleans(),
)
def test_the_midline_is_found_in_the_head(codes: str, degrees: Spacing, shift_mm: float, bulge: bool) -> None:
    """A head that is turned in the scanner, off its center, with a bump on one side."""
    grid = Grid((60, 72, 60), affine_of((3, 3, 3), degrees, origin_mm=(shift_mm, 0.0, 0.0)))
    center, aside = np.array([30.0, 36.0, 30.0]), np.array([10.0, 0.0, 0.0])
    indices = np.stack(np.meshgrid(*(np.arange(size) for size in grid.shape), indexing="ij"), axis=-1)
    head = (((indices - center) / [24, 30, 26]) ** 2).sum(axis=-1) < 1
    if bulge:
        head |= (((indices - center - [24, 4, 4]) / [5, 5, 5]) ** 2).sum(axis=-1) < 1
    stored, affine = stored_as(codes, head.astype(np.uint8) * 200, affine_of((3, 3, 3), degrees, (shift_mm, 0, 0)))
    midline = find_midline(stored, grid_of(stored, affine))
    assert midline is not None
    on_plane = grid.to_mm(center + np.array([[0.0, 0.0, 0.0], [0.0, 15.0, 0.0], [0.0, -10.0, 12.0]]))
    assert np.abs(midline.right_of(on_plane)).max() < 3.0
    assert midline.right_of(grid.to_mm(center + aside)) > 15
    assert midline.right_of(grid.to_mm(center - aside)) < -15


def test_no_midline_without_a_head() -> None:
    assert find_midline(np.zeros((20, 20, 20), np.uint8), Grid((20, 20, 20), affine_of())) is None


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.02, 0.4))
def test_components_are_those_of_a_flood_fill(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((6, 7, 8)) < share
    mask[0, 0, 0] = True
    found = find_volume_components(mask)
    assert np.array_equal(found.labels > 0, mask)
    assert np.array_equal(np.bincount(found.labels.reshape(-1))[1:], found.sizes_vx)
    assert (np.diff(found.sizes_vx) <= 0).all()
    expected = flooded(mask)
    pairs = set(zip(found.labels[mask].tolist(), expected[mask].tolist(), strict=True))
    assert len(pairs) == found.sizes_vx.size == expected.max()


def flooded(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    labels = np.zeros(mask.shape, np.int64)
    for seed in np.argwhere(mask):
        if labels[tuple(seed)]:
            continue
        number, front = labels.max() + 1, [seed]
        while front:
            place = front.pop()
            around = tuple(slice(max(0, n - 1), n + 2) for n in place)
            fresh = np.argwhere(mask[around] & (labels[around] == 0)) + [part.start for part in around]
            labels[around][mask[around]] = number
            front += list(fresh)
    return labels
