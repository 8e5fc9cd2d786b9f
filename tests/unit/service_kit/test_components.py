import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from service_kit.inference.components import find_components


def flooded(mask: NDArray[np.bool_], area_px: int) -> NDArray[np.bool_]:
    """The same by flooding from each pixel, as slowly as can be."""
    out = np.zeros_like(mask)
    left = set(zip(*np.nonzero(mask), strict=True))
    while left:
        component, front = set(), {left.pop()}
        while front:
            row, column = front.pop()
            component.add((row, column))
            near = {(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)}
            front |= near & left
            left -= near
        for row, column in component:
            out[row, column] = len(component) < area_px
    return out


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)), st.integers(0, 20))
def test_small_components_are_those_that_flooding_finds(mask: NDArray[np.bool_], area_px: int) -> None:
    assert np.array_equal(find_components(mask).smaller_than(area_px), flooded(mask, area_px))


def test_pixels_that_touch_at_a_corner_belong_together() -> None:
    components = find_components(np.eye(5, dtype=np.bool_))
    assert components.areas_px.tolist() == [5]


def test_rows_do_not_run_into_each_other() -> None:
    mask = np.zeros((3, 4), np.bool_)
    mask[0, 3] = mask[2, 0] = True
    assert find_components(mask).areas_px.tolist() == [1, 1]


def test_a_spiral_is_one_component() -> None:
    rows = [
        "#########",
        "........#",
        "#######.#",
        "#.....#.#",
        "#.###.#.#",
        "#.#...#.#",
        "#.#####.#",
        "#.......#",
        "#########",
    ]
    mask = np.array([[character == "#" for character in row] for row in rows])
    assert find_components(mask).areas_px.tolist() == [int(mask.sum())]


def test_nothing_has_no_component() -> None:
    components = find_components(np.zeros((4, 4), np.bool_))
    assert components.areas_px.size == 0
    assert not components.smaller_than(100).any()
