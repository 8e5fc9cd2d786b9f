import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.grid import Grid
from gateway.imaging.resample import resample
from gateway.imaging.volume import Volume
from tests.unit.gateway_volumes.places import ORIENTATIONS, affine_of, grid_of, stored_as


def ramp(grid: Grid) -> NDArray[np.float32]:
    """A function that is linear in the patient's millimeters, which linear interpolation must keep."""
    indices = np.stack(np.meshgrid(*(np.arange(size) for size in grid.shape), indexing="ij"), axis=-1)
    return np.asarray(grid.to_mm(indices.astype(np.float64)) @ [1.0, 2.0, -1.5] + 500, np.float32)


@settings(max_examples=25, deadline=None)
@given(
    codes=st.sampled_from(ORIENTATIONS),
    degrees=st.tuples(*[st.floats(-25, 25)] * 3),
    spacing_mm=st.tuples(*[st.floats(0.8, 3)] * 3),
)
def test_a_linear_picture_stays_itself_on_any_grid(
    codes: str, degrees: tuple[float, float, float], spacing_mm: tuple[float, float, float]
) -> None:
    source = Grid((40, 42, 38), affine_of((1.5, 1.4, 1.6), (3, -4, 5), origin_mm=(-30.0, -30.0, -30.0)))
    stored, affine = stored_as(codes, np.zeros((9, 8, 7), np.uint8), affine_of(spacing_mm, degrees, (-8.0, -9.0, -7.0)))
    target = grid_of(stored, affine)
    indices = np.stack(np.meshgrid(*(np.arange(size) for size in target.shape), indexing="ij"), axis=-1)
    places = source.to_voxels(target.to_mm(indices.astype(np.float64)))
    # A coarse voxel is sampled within half of itself.
    inner = ((places > 2.5) & (places < np.array(source.shape) - 3.5)).all(axis=-1)
    found, covered = resample(Volume(ramp(source), source), target)
    assert found.grid is target
    assert np.abs(found.voxels - ramp(target))[inner].max(initial=0) < 0.01
    assert (covered == 1) == bool((found.voxels > 0).all())


def test_thin_slices_are_averaged_to_thick_ones() -> None:
    source = Grid((20, 20, 40), affine_of((1, 1, 1), origin_mm=(0.0, 0.0, 0.0)))
    voxels = np.random.default_rng(0).random(source.shape).astype(np.float32)
    target = Grid((20, 20, 10), affine_of((1, 1, 4), origin_mm=(0.0, 0.0, 1.5)))
    found, covered = resample(Volume(voxels, source, "t1"), target)
    assert covered == 1
    assert found.sequence == "t1"
    assert np.allclose(found.voxels, voxels.reshape(20, 20, 10, 4).mean(axis=-1), atol=1e-5)


def test_what_lies_outside_is_empty() -> None:
    source = Grid((20, 20, 20), affine_of(origin_mm=(0.0, 0.0, 0.0)))
    target = Grid((20, 20, 20), affine_of(origin_mm=(10.0, 0.0, 0.0)))
    found, covered = resample(Volume(np.ones(source.shape, np.float32), source), target)
    assert covered == pytest.approx(0.5)
    assert np.array_equal(found.voxels[:10], np.ones((10, 20, 20)))
    assert not found.voxels[10:].any()


def test_one_slice_is_a_plane() -> None:
    source = Grid((8, 8, 1), affine_of((1, 1, 5), origin_mm=(0.0, 0.0, 0.0)))
    found, covered = resample(Volume(np.full(source.shape, 7, np.int16), source), source)
    assert covered == 1
    assert np.array_equal(found.voxels, np.full(source.shape, 7))
