import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from service_kit.inference.preprocessing import Placement, Preprocessing, _percentiles

WHOLE = Preprocessing(size=64, crop_head=False)


def head(rows: int, columns: int, *, top: int, left: int, height: int, width: int) -> NDArray[np.uint8]:
    """A bright box with a texture on a dark ground."""
    picture = np.zeros((rows, columns), np.uint8)
    box = picture[top : top + height, left : left + width]
    box[:] = 60 + (np.add.outer(np.arange(height), np.arange(width)) * 7 % 180).astype(np.uint8)
    return picture


@given(st.binary(min_size=1, max_size=300), st.floats(0, 100))
def test_percentiles_by_histogram_are_numpys(content: bytes, rank: float) -> None:
    pixels = np.frombuffer(content, np.uint8)
    assert _percentiles(pixels, rank)[0] == pytest.approx(float(np.percentile(pixels, rank)), abs=1e-9)


@pytest.mark.parametrize(
    ("shape", "target"),
    [((64, 64), (0, 0, 64, 64)), ((128, 64), (0, 16, 64, 32)), ((20, 40), (16, 0, 32, 64)), ((1, 500), (31, 0, 1, 64))],
)
def test_picture_is_centered_with_its_proportions(shape: tuple[int, int], target: tuple[int, int, int, int]) -> None:
    placement = WHOLE.place(np.ones(shape, np.uint8))
    assert placement == Placement(*shape, source=(0, 0, *shape), target=target)


def test_ground_outside_the_picture_is_black() -> None:
    random = np.random.default_rng(0)
    grid, placement = WHOLE.apply(random.integers(1, 256, (32, 64), dtype=np.uint8))
    top, _, height, _ = placement.target
    assert not grid[:top].any()
    assert not grid[top + height :].any()
    assert grid[top : top + height].mean() > 50


def test_head_is_cropped_with_a_margin() -> None:
    picture = head(200, 300, top=40, left=100, height=120, width=100)
    y, x, h, w = Preprocessing(size=64, margin=0.05).place(picture).source
    assert 30 <= y <= 40
    assert 90 <= x <= 100
    assert 160 <= y + h <= 170
    assert 200 <= x + w <= 210


@pytest.mark.parametrize("value", [0, 7, 255])
def test_blank_picture_is_taken_whole(value: int) -> None:
    grid, placement = Preprocessing(size=32).apply(np.full((50, 40), value, np.uint8))
    assert placement.source == (0, 0, 50, 40)
    assert len(np.unique(grid[:, 16])) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 3)])
def test_smallest_pictures_have_a_place(shape: tuple[int, int]) -> None:
    grid, placement = Preprocessing(size=32).apply(np.arange(np.prod(shape)).astype(np.uint8).reshape(shape))
    assert grid.shape == (32, 32)
    assert placement.restore(grid.astype(np.float32)).shape == shape


@pytest.mark.parametrize(("gain", "offset"), [(16.0, 0.0), (0.01, 0.0), (257.0, -3000.0)])
def test_same_picture_in_other_units_looks_the_same(gain: float, offset: float) -> None:
    picture = head(150, 130, top=20, left=15, height=110, width=100)
    scaled = picture.astype(np.float32) * np.float32(gain) + np.float32(offset)
    preprocessing = Preprocessing(size=64)
    expected, placement = preprocessing.apply(picture)
    found, same_place = preprocessing.apply(scaled)
    assert same_place == placement
    assert np.abs(expected.astype(int) - found.astype(int)).max() <= 2


def test_percentiles_become_black_and_white() -> None:
    ramp = np.linspace(0, 4095, 64 * 64, dtype=np.float32).reshape(64, 64)
    grid, _ = Preprocessing(size=64, crop_head=False, lower_percentile=10, upper_percentile=90).apply(ramp)
    assert (grid == 0).mean() == pytest.approx(0.1, abs=0.01)
    assert (grid == 255).mean() == pytest.approx(0.1, abs=0.01)


def test_map_comes_back_to_where_it_was() -> None:
    picture = np.where(head(200, 300, top=40, left=100, height=120, width=100), 200, 0).astype(np.uint8)
    preprocessing = Preprocessing(size=64)
    grid, placement = preprocessing.apply(picture)
    restored = placement.restore((grid > 127).astype(np.float32)) >= 0.5
    assert restored.shape == picture.shape
    overlap = (restored & (picture > 0)).sum() / (restored | (picture > 0)).sum()
    assert overlap > 0.95
    y, x, h, w = placement.source
    outside = np.ones_like(restored)
    outside[y : y + h, x : x + w] = False
    assert not restored[outside].any()


def test_given_place_is_kept() -> None:
    first = head(100, 100, top=10, left=10, height=60, width=60)
    second = head(100, 100, top=30, left=30, height=60, width=60)
    preprocessing = Preprocessing(size=32)
    placement = preprocessing.place(first)
    _, kept = preprocessing.apply(second, placement)
    assert kept is placement
    assert preprocessing.place(second) != placement
