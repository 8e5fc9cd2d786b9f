import numpy as np
import pytest

from classifier_service.saliency import extent, heat_map
from service_kit.inference.preprocessing import Placement, Preprocessing

WHOLE = Placement(rows=64, columns=64, source=(0, 0, 64, 64), target=(0, 0, 32, 32))


def test_only_evidence_for_the_class_counts_and_the_strongest_is_one() -> None:
    activation = np.array([[-3.0, 1.0], [4.0, 0.0]], np.float32)
    assert heat_map(activation, WHOLE, 32).tolist() == [[0.0, 0.25], [1.0, 0.0]]


def test_a_map_without_evidence_is_zero_everywhere() -> None:
    found = heat_map(np.full((4, 4), -1.0, np.float32), WHOLE, 32)
    assert found.dtype == np.float32
    assert not found.any()


def test_cells_on_the_letterbox_bars_count_as_none() -> None:
    # A tall picture: it fills columns 12 to 20 of 32, which are cells 1 and 2 of 4.
    placement = Placement(rows=64, columns=16, source=(0, 0, 64, 16), target=(0, 12, 32, 8))
    activation = np.tile(np.array([9.0, 1.0, 2.0, 9.0], np.float32), (4, 1))
    assert heat_map(activation, placement, 32)[0].tolist() == [0.0, 0.5, 1.0, 0.0]


def test_the_extent_of_a_whole_square_picture_is_the_picture() -> None:
    assert extent(WHOLE, 32) == (0.0, 0.0, 64.0, 64.0)


def test_the_extent_brings_the_head_box_back_to_itself() -> None:
    picture = np.zeros((300, 110), np.uint8)
    picture[40:240, 10:100] = 200
    preprocessing = Preprocessing(size=64)
    placement = preprocessing.place(picture)
    top, left, height, width = extent(placement, 64)
    y, x, h, w = placement.source
    grid_top, grid_left, grid_height, grid_width = placement.target
    assert top + height * grid_top / 64 == pytest.approx(y)
    assert left + width * grid_left / 64 == pytest.approx(x)
    assert height * grid_height / 64 == pytest.approx(h)
    assert width * grid_width / 64 == pytest.approx(w)
    assert left < 0  # the bars of the letterbox reach outside
