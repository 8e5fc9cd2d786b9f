from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service_kit.inference.tiling import (
    Blend,
    cut,
    gaussian_window,
    mirror,
    mirrorings,
    slide,
    tile_corners,
)

Patches = NDArray[np.float32]
SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))


def identity(patches: Patches) -> Patches:
    return patches


@settings(max_examples=40)
@given(SHAPES, st.integers(1, 12), st.sampled_from([0.25, 0.5, 0.75, 1.0]))
def test_every_voxel_is_covered_by_tiles_that_lie_inside(shape: tuple[int, int, int], patch: int, step: float) -> None:
    corners = tile_corners(shape, patch, step)
    covered = np.zeros(shape, np.int64)
    for corner in corners:
        covered[tuple(slice(at, at + patch) for at in corner)] += 1
        assert all(at == 0 or at + patch <= size for at, size in zip(corner, shape, strict=True))
    assert covered.min() >= 1
    assert len(set(corners)) == len(corners)


def test_tiles_are_at_most_a_step_apart() -> None:
    starts = sorted({corner[0] for corner in tile_corners((140, 96, 96), 96, 0.5)})
    assert starts == [0, 44]
    starts = sorted({corner[1] for corner in tile_corners((96, 175, 96), 96, 0.5)})
    assert starts == [0, 40, 79]
    assert len(tile_corners((140, 175, 140), 96, 1.0)) == 8


@pytest.mark.parametrize(("patch", "step"), [(8, 0.0), (8, 1.1), (0, 0.5)])
def test_steps_that_leave_gaps_are_refused(patch: int, step: float) -> None:
    with pytest.raises(ValueError, match="step"):
        tile_corners((8, 8, 8), patch, step)


@settings(max_examples=25, deadline=None)
@given(SHAPES, st.sampled_from([0.3, 0.5, 1.0]), st.sampled_from([(), (0,), (0, 1, 2)]), st.integers(1, 3))
def test_a_network_that_gives_back_its_input_gives_back_the_volume(
    shape: tuple[int, int, int], step: float, mirrored: tuple[int, ...], batch: int
) -> None:
    volume = np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32)
    found = slide(volume, identity, 8, step=step, mirrored=mirrored, batch=batch)
    np.testing.assert_allclose(found, volume, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(30, 17, 9), (4, 5, 6), (8, 8, 8)])
def test_a_constant_network_gives_a_constant(shape: tuple[int, int, int]) -> None:
    def constant(patches: Patches) -> Patches:
        return np.full((len(patches), 3, *patches.shape[2:]), 0.25, np.float32)

    found = slide(np.zeros((4, *shape), np.float32), constant, 8, mirrored=(2,))
    assert found.shape == (3, *shape)
    np.testing.assert_allclose(found, 0.25, rtol=1e-6)


def test_the_answer_is_the_weighted_mean_of_the_tiles() -> None:
    window = gaussian_window(4).astype(np.float64)
    blend = Blend((6, 4, 4), 4)
    blend.add((0, 0, 0), np.full((1, 4, 4, 4), 1.0, np.float32))
    blend.add((2, 0, 0), np.full((1, 4, 4, 4), 3.0, np.float32))
    left, right = window[2, 1, 1], window[0, 1, 1]
    found = blend.result()[0]
    assert found[0, 1, 1] == pytest.approx(1.0)
    assert found[5, 1, 1] == pytest.approx(3.0)
    assert found[2, 1, 1] == pytest.approx((1.0 * left + 3.0 * right) / (left + right))


def test_what_no_tile_covers_is_an_error() -> None:
    blend = Blend((9, 4, 4), 4)
    blend.add((0, 0, 0), np.ones((1, 4, 4, 4), np.float32))
    with pytest.raises(ValueError, match="cover"):
        blend.result()


def test_the_window_is_highest_in_the_middle_symmetric_and_positive() -> None:
    window = gaussian_window(9)
    assert window[4, 4, 4] == 1.0
    assert window.min() > 0
    for axis in range(3):
        np.testing.assert_array_equal(window, np.flip(window, axis))


def test_mirroring_is_undone_for_a_network_that_knows_left_from_right() -> None:
    ramp = np.broadcast_to(np.arange(8, dtype=np.float32)[:, None, None], (8, 8, 8))

    def adds_ramp(patches: Patches) -> Patches:
        return patches + ramp

    volume = np.zeros((1, 8, 8, 8), np.float32)
    np.testing.assert_allclose(slide(volume, adds_ramp, 8)[0], ramp, atol=1e-6)
    np.testing.assert_allclose(slide(volume, adds_ramp, 8, mirrored=(0,))[0], 3.5, atol=1e-6)


def test_all_combinations_of_axes_are_mirrored_once() -> None:
    assert mirrorings(()) == [()]
    assert len(mirrorings((0, 1, 2))) == 8
    patches = np.random.default_rng(0).normal(size=(2, 3, 4, 4, 4)).astype(np.float32)
    for axes in mirrorings((0, 1, 2)):
        np.testing.assert_array_equal(mirror(mirror(patches, axes), axes), patches)


def test_a_tile_beyond_the_end_is_filled_with_zeros() -> None:
    tile = cut(np.ones((2, 3, 5, 4), np.float32), (0, 1, 0), 4)
    assert tile.shape == (2, 4, 4, 4)
    assert tile[:, :3].min() == 1.0
    assert not tile[:, 3].any()


@pytest.mark.parametrize("corner", [(0, 0, 0), (0, 1, 0)])
def test_a_tile_may_take_the_place_of_another(corner: tuple[int, int, int]) -> None:
    volume = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    place = np.full((2, 4, 4, 4), np.nan, np.float32)
    tile = cut(volume, corner, 4, place)
    assert tile is place
    np.testing.assert_array_equal(tile, cut(volume, corner, 4))


def test_progress_is_told_after_each_run_and_may_stop_the_work() -> None:
    told: list[tuple[int, int]] = []
    volume = np.zeros((1, 16, 8, 8), np.float32)
    slide(volume, identity, 8, step=1.0, mirrored=(0,), batch=3, on_tile=lambda done, total: told.append((done, total)))
    assert told == [(3, 4), (4, 4)]

    def stop(done: int, total: int) -> None:
        raise InterruptedError(f"{done} of {total}")

    with pytest.raises(InterruptedError, match="1 of 2"):
        slide(volume, identity, 8, step=1.0, on_tile=stop)


def test_every_patch_has_the_same_size() -> None:
    shapes: set[tuple[int, ...]] = set()

    def watch(patches: Patches) -> Patches:
        shapes.add(patches.shape[1:])
        return patches

    for shape in product((5, 8, 19), repeat=3):
        slide(np.zeros((2, *shape), np.float32), watch, 8, batch=4)
    assert shapes == {(2, 8, 8, 8)}
