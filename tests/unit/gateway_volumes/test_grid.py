import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.grid import Grid
from gateway.slices import SliceStack, stack_across
from service_kit.contracts.classification import ViewLabel
from tests.unit.gateway_volumes.places import ORIENTATIONS, affine_of, grid_of, rotation, stored_as

degrees = st.tuples(*[st.floats(-35, 35)] * 3)
spacings = st.tuples(*[st.floats(0.3, 8)] * 3)


@settings(max_examples=40, deadline=None)
@given(codes=st.sampled_from(ORIENTATIONS), degrees=degrees, spacing_mm=spacings)
def test_the_canonical_view_keeps_every_voxel_in_its_place(
    codes: str, degrees: tuple[float, float, float], spacing_mm: tuple[float, float, float]
) -> None:
    voxels = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
    stored, affine = stored_as(codes, voxels, affine_of(spacing_mm, degrees))
    grid = grid_of(stored, affine)
    canonical = grid.turn.apply(stored)
    assert canonical.shape == grid.canonical.shape
    assert np.array_equal(grid.turn.undo(canonical), stored)
    for value in (0, 17, 42, 59):
        place = np.argwhere(stored == value)[0].astype(float)
        again = np.argwhere(canonical == value)[0].astype(float)
        assert np.allclose(grid.to_mm(place), grid.canonical.to_mm(again))
    assert np.allclose(grid.to_voxels(grid.to_mm(np.array([1.0, 2.5, 3.0]))), [1.0, 2.5, 3.0])


@pytest.mark.parametrize("codes", ORIENTATIONS)
@pytest.mark.parametrize("turned", [(0.0, 0.0, 0.0), (20.0, -15.0, 10.0)])
def test_axis_codes_are_nibabels(codes: str, turned: tuple[float, float, float]) -> None:
    stored, affine = stored_as(codes, np.zeros((3, 4, 5), np.uint8), affine_of((1, 2, 3), turned))
    grid = grid_of(stored, affine)
    assert grid.axis_codes == codes == "".join(nibabel.orientations.aff2axcodes(affine))
    assert grid.canonical.axis_codes == "RAS"
    assert sorted(grid.spacing_mm) == pytest.approx([1, 2, 3])
    assert grid.voxel_ml == pytest.approx(0.006)


def test_planes_angle_and_thick_axis() -> None:
    stored, affine = stored_as("PSR", np.zeros((9, 8, 7), np.uint8), affine_of((5, 1, 1)))
    grid = grid_of(stored, affine)
    assert grid.planes == ("coronal", "axial", "sagittal")
    assert grid.thick_axis == 2
    assert stack_across(grid, 2).plane == "sagittal"
    assert stack_across(grid, 2).shape == (9, 7, 8)
    assert stack_across(grid, 2).spacing_mm == pytest.approx((5, 1, 1))
    assert grid.oblique_deg == pytest.approx(0, abs=1e-6)
    oblique = Grid((9, 8, 7), affine_of((1, 1, 1), (12, 0, 0)))
    assert oblique.oblique_deg == pytest.approx(12)
    assert oblique.thick_axis is None
    assert oblique.shear_deg == pytest.approx(0, abs=1e-6)


def test_shear_is_measured() -> None:
    affine = np.eye(4)
    affine[0, 2] = np.tan(np.radians(10))
    assert Grid((4, 4, 4), affine).shear_deg == pytest.approx(10, abs=0.01)


def test_grids_match_where_their_voxels_do() -> None:
    grid = Grid((100, 100, 50), affine_of((1, 1, 3)))
    moved = affine_of((1, 1, 3), origin_mm=(-31.0, -40.0, -24.0))
    assert grid.matches(Grid((100, 100, 50), affine_of((1, 1, 3))))
    assert not grid.matches(Grid((100, 100, 50), moved))
    assert grid.distance_vx(Grid((100, 100, 50), moved)) == pytest.approx(1 / 3)
    assert not grid.matches(Grid((100, 100, 51), affine_of((1, 1, 3))))
    # A small turn moves the far corner by much more than a voxel.
    assert not grid.matches(Grid((100, 100, 50), affine_of((1, 1, 3), (0, 0, 2))))


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_slices_are_in_the_radiological_convention(codes: str) -> None:
    voxels = np.zeros((6, 7, 8), np.uint8)
    voxels[5, 6, 7] = 1  # right, anterior, superior
    voxels[0, 6, 7] = 2  # left, anterior, superior
    voxels[5, 0, 7] = 3  # right, posterior, superior
    stored, affine = stored_as(codes, voxels, affine_of())
    grid = grid_of(stored, affine)
    axial = SliceStack(grid, "axial").take(stored)
    assert axial.shape == (8, 7, 6)
    assert (axial[7, 0, 0], axial[7, 0, 5], axial[7, 6, 0]) == (1, 2, 3)
    coronal = SliceStack(grid, "coronal").take(stored)
    assert coronal.shape == (7, 8, 6)
    assert (coronal[6, 0, 0], coronal[6, 0, 5], coronal[0, 0, 0]) == (1, 2, 3)
    sagittal = SliceStack(grid, "sagittal").take(stored)
    assert sagittal.shape == (6, 8, 7)
    assert (sagittal[5, 0, 0], sagittal[0, 0, 0], sagittal[5, 0, 6]) == (1, 2, 3)


@settings(max_examples=30, deadline=None)
@given(
    codes=st.sampled_from(ORIENTATIONS), plane=st.sampled_from(["axial", "coronal", "sagittal"]), seed=st.integers(0, 9)
)
def test_a_mask_made_slice_by_slice_comes_back_exactly(codes: str, plane: ViewLabel, seed: int) -> None:
    mask = np.random.default_rng(seed).integers(0, 2, (3, 4, 5)).astype(np.uint8)
    stored, affine = stored_as(codes, mask, affine_of(degrees=(8, -9, 14)))
    stack = SliceStack(grid_of(stored, affine), plane)
    taken = stack.take(stored)
    assert taken.shape == stack.shape
    assert np.array_equal(stack.put(taken.copy()), stored)


def test_rotation_is_a_rotation() -> None:
    turn = rotation((10, 20, 30))
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)
