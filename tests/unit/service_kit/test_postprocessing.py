import numpy as np
import pytest
from numpy.typing import NDArray

from service_kit.inference.manifest import Postprocessing
from service_kit.inference.postprocessing import are_probabilities, postprocess
from service_kit.inference.preprocessing import Placement, Preprocessing

SAME = Placement(rows=32, columns=32, source=(0, 0, 32, 32), target=(0, 0, 32, 32))


def plane(*squares: tuple[int, int, int], value: float = 0.9) -> NDArray[np.float32]:
    """Probabilities `[32, 32]`: .1, and `value` on squares (top, left, side)."""
    out = np.full((32, 32), 0.1, np.float32)
    for top, left, side in squares:
        out[top : top + side, left : left + side] = value
    return out


def test_on_the_same_grid_the_mask_is_the_threshold() -> None:
    probabilities = plane((4, 4, 6))
    mask = postprocess(probabilities, SAME, Postprocessing(threshold=0.5))
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, probabilities >= 0.5)


def test_a_probability_at_the_threshold_counts() -> None:
    assert postprocess(plane((4, 4, 6), value=0.25), SAME, Postprocessing(threshold=0.25)).sum() == 36


def test_small_components_go_and_large_stay_untouched() -> None:
    both = postprocess(plane((2, 2, 3), (10, 10, 8)), SAME, Postprocessing(min_component_px=10))
    large = postprocess(plane((10, 10, 8)), SAME, Postprocessing(min_component_px=10))
    assert both.sum() == 64
    assert np.array_equal(both, large)
    assert postprocess(plane((2, 2, 3)), SAME, Postprocessing(min_component_px=9)).sum() == 9
    assert not postprocess(plane((2, 2, 3)), SAME, Postprocessing(min_component_px=10)).any()


@pytest.mark.parametrize("shape", [(20, 20), (100, 60), (333, 512), (1, 1)])
def test_the_mask_is_on_the_pictures_grid(shape: tuple[int, int]) -> None:
    picture = np.zeros(shape, np.uint8)
    picture[shape[0] // 8 :, shape[1] // 4 :] = 200
    preprocessing = Preprocessing(size=32)
    placement = preprocessing.place(picture)
    mask = postprocess(plane((2, 2, 3), (10, 10, 12)), placement, Postprocessing(min_component_px=10))
    restored = placement.restore(plane((10, 10, 12)))
    assert mask.shape == shape
    assert set(np.unique(mask)) <= {0, 1}
    assert np.array_equal(mask, restored >= 0.5)


def test_components_are_counted_on_the_models_grid() -> None:
    # Sixteen times as many pixels in the picture: there, the small one would pass.
    placement = Placement(rows=128, columns=128, source=(0, 0, 128, 128), target=(0, 0, 32, 32))
    assert not postprocess(plane((2, 2, 3)), placement, Postprocessing(min_component_px=10)).any()


def test_outside_the_head_box_there_is_no_tumor() -> None:
    placement = Placement(rows=64, columns=64, source=(16, 16, 32, 32), target=(0, 0, 32, 32))
    mask = postprocess(np.ones((32, 32), np.float32), placement, Postprocessing())
    assert mask.sum() == 32 * 32
    assert mask[16:48, 16:48].all()


@pytest.mark.parametrize(
    ("value", "fine"), [(0.5, True), (1.0000001, True), (-1e-7, True), (1.001, False), (-0.01, False), (np.nan, False)]
)
def test_rounding_is_no_reason_to_doubt_a_model(value: float, fine: bool) -> None:
    assert are_probabilities(np.array([0.0, value, 1.0], np.float32)) == fine
