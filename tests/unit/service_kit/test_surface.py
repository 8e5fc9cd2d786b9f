import math

import numpy as np
import pytest
from numpy.typing import NDArray

from service_kit.measures.surface import surface_mm2


def ball(radius_mm: float, spacing_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    sizes = [2 * math.ceil((radius_mm + 2 * step) / step) for step in spacing_mm]
    places = [(np.arange(n) - n / 2 + 0.27) * step for n, step in zip(sizes, spacing_mm, strict=True)]
    x, y, z = np.meshgrid(*places, indexing="ij")
    return np.asarray(x**2 + y**2 + z**2 <= radius_mm**2)


def test_a_box_has_the_surface_of_a_box() -> None:
    mask = np.zeros((6, 7, 8), np.bool_)
    mask[1:3, 2:5, 3:7] = True
    assert surface_mm2(mask, np.diag([0.5, 2.0, 3.0])) == pytest.approx(2 * (1 * 6 + 1 * 12 + 6 * 12))


def test_faces_at_the_end_of_the_grid_count() -> None:
    assert surface_mm2(np.ones((2, 2, 2), np.bool_), np.eye(3)) == pytest.approx(24)


def test_a_hollow_has_a_surface_too() -> None:
    mask = np.ones((3, 3, 3), np.bool_)
    mask[1, 1, 1] = False
    assert surface_mm2(mask, np.eye(3)) == pytest.approx(54 + 6)


def test_nothing_has_none() -> None:
    assert surface_mm2(np.zeros((3, 3, 3), np.bool_), np.eye(3)) == 0


def test_a_turned_grid_measures_the_same_and_a_sheared_one_its_own_faces() -> None:
    mask = ball(9, (1, 1, 1))
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    assert surface_mm2(mask, turn) == pytest.approx(surface_mm2(mask, np.eye(3)))
    sheared = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    faces = 2 * (math.sqrt(2) + 1 + 1)
    assert surface_mm2(np.ones((1, 1, 1), np.bool_), sheared) == pytest.approx(faces)


@pytest.mark.parametrize("spacing_mm", [(1, 1, 1), (0.5, 0.5, 0.5), (0.9, 0.9, 5), (3, 0.7, 0.7)])
def test_the_surface_of_a_ball_is_one_and_a_half_times_its_own_on_any_grid(
    spacing_mm: tuple[float, float, float],
) -> None:
    expected = 1.5 * 4 * math.pi * 30**2
    assert surface_mm2(ball(30, spacing_mm), np.diag(spacing_mm)) == pytest.approx(expected, rel=0.04)
