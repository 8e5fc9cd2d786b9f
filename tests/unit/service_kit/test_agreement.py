import numpy as np
import pytest

from service_kit.inference.agreement import head_area_px, head_box, heat_place, heat_share, mask_place


def head() -> np.ndarray:
    pixels = np.zeros((120, 100), np.uint8)
    pixels[20:100, 10:90] = 200
    return pixels


def test_the_head_has_a_box_and_an_area() -> None:
    assert head_box(head()) == (20, 10, 80, 80)
    assert head_area_px(head()) == 6400
    assert head_box(np.zeros((40, 30), np.uint8)) == (0, 0, 40, 30)
    assert head_area_px(head().astype(np.float32) * 40) == 6400


def test_a_masks_place_is_its_centroid_in_the_head() -> None:
    mask = np.zeros((120, 100), np.bool_)
    assert mask_place(mask, (20, 10, 80, 80)) is None
    mask[58:62, 28:32] = True
    assert mask_place(mask, (20, 10, 80, 80)) == pytest.approx((0.5, 0.25))


def test_a_maps_place_is_its_centroid_in_the_head() -> None:
    values = np.zeros((4, 4), np.float32)
    assert heat_place(values, (0.0, 0.0, 80.0, 80.0), (0, 0, 80, 80)) is None
    values[0, 3] = 1
    assert heat_place(values, (20.0, 10.0, 80.0, 80.0), (20, 10, 80, 80)) == pytest.approx((0.125, 0.875))
    values[3, 3] = 3
    assert heat_place(values, (20.0, 10.0, 80.0, 80.0), (20, 10, 80, 80)) == pytest.approx((0.6875, 0.875))


def test_heat_counts_on_the_mask_and_one_position_around_it() -> None:
    mask = np.zeros((100, 100), np.bool_)
    mask[40:50, 40:50] = True
    values = np.zeros((10, 10), np.float32)
    extent = (0.0, 0.0, 100.0, 100.0)
    assert heat_share(values, extent, mask) == 0
    values[4, 4], values[3, 5], values[6, 4], values[4, 2] = 1, 1, 1, 1
    assert heat_share(values, extent, mask) == pytest.approx(0.5)
    assert heat_share(values, extent, np.zeros_like(mask)) == 0


def test_a_finer_map_reaches_as_far_as_a_coarse_one() -> None:
    mask = np.zeros((96, 96), np.bool_)
    mask[48, 48] = True
    values = np.zeros((24, 24), np.float32)
    values[12, 14], values[12, 15] = 1, 1
    assert heat_share(values, (0.0, 0.0, 96.0, 96.0), mask) == pytest.approx(0.5)


def test_a_map_may_reach_outside_the_picture_and_be_finer_than_its_pixels() -> None:
    mask = np.zeros((10, 4), np.bool_)
    mask[0, 0] = True
    values = np.zeros((40, 40), np.float32)
    values[0, 0], values[30, 30] = 1, 3
    assert heat_share(values, (0.0, -3.0, 10.0, 10.0), mask) == pytest.approx(0)
    values[0, 12] = 4
    assert heat_share(values, (0.0, -3.0, 10.0, 10.0), mask) == pytest.approx(0.5)
