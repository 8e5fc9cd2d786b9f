"""Overlap scores and border distances on masks that can be counted on paper."""

import numpy as np
import pytest

from model_export.evaluation.bootstrap import group_bootstrap
from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.overlap import (
    SCORES,
    border_distances_px,
    hd95_px,
    overlap_counts,
)

EMPTY = np.zeros((40, 40), np.uint8)


def _square(top: int, left: int, side: int) -> np.ndarray:
    out = EMPTY.copy()
    out[top : top + side, left : left + side] = 1
    return out


def test_half_shifted_squares_score_one_half() -> None:
    counts = overlap_counts(_square(10, 15, 10), _square(10, 10, 10))
    assert counts.tolist() == [50, 50, 50]
    found = {name: float(score(counts)) for name, score in SCORES.items()}
    assert found == pytest.approx({"dice": 0.5, "iou": 1 / 3, "tversky": 0.5, "precision": 0.5, "recall": 0.5})


def test_tversky_punishes_a_missed_pixel_more_than_a_surplus_one() -> None:
    surplus, missed = (
        overlap_counts(_square(0, 0, 20), _square(0, 0, 10)),
        overlap_counts(_square(0, 0, 10), _square(0, 0, 20)),
    )
    assert float(SCORES["tversky"](surplus)) == pytest.approx(100 / (100 + 0.3 * 300))
    assert float(SCORES["tversky"](missed)) == pytest.approx(100 / (100 + 0.7 * 300))
    assert float(SCORES["dice"](surplus)) == float(SCORES["dice"](missed)) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("mask", "truth", "score"), [(EMPTY, EMPTY, 1.0), (EMPTY, _square(5, 5, 5), 0.0), (_square(5, 5, 5), EMPTY, 0.0)]
)
def test_empty_masks_have_a_score(mask: np.ndarray, truth: np.ndarray, score: float) -> None:
    counts = overlap_counts(mask, truth)
    assert {name: float(of(counts)) for name, of in SCORES.items()} == dict.fromkeys(SCORES, score)


def test_masks_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(40, 40\)"):
        overlap_counts(EMPTY, np.zeros((20, 20), np.uint8))


def test_the_distance_of_a_shifted_square_is_its_shift() -> None:
    assert hd95_px(_square(10, 10, 10), _square(10, 10, 10)) == 0.0
    assert hd95_px(_square(10, 17, 10), _square(10, 10, 10)) == pytest.approx(7.0)


def test_concentric_squares_are_their_margin_apart() -> None:
    there, back = border_distances_px(_square(12, 12, 10), _square(10, 10, 14))
    assert there.tolist() == [2.0] * 36
    assert back.max() == pytest.approx(np.hypot(2, 2))
    assert len(back) == 52


def test_a_far_speck_of_less_than_a_twentieth_does_not_decide_hd95() -> None:
    truth = _square(5, 5, 25)
    mask = truth.copy()
    mask[38, 38] = 1
    assert hd95_px(mask, truth) == 0.0
    there, _ = border_distances_px(mask, truth)
    assert there.max() == pytest.approx(np.hypot(9, 9))


def test_there_is_no_distance_to_nothing() -> None:
    assert np.isnan(hd95_px(EMPTY, _square(1, 1, 3)))
    with pytest.raises(ValueError, match="empty"):
        border_distances_px(EMPTY, _square(1, 1, 3))


def test_a_mask_at_the_edge_of_the_picture_has_a_border_there() -> None:
    there, _ = border_distances_px(_square(0, 0, 4), _square(0, 0, 6))
    assert len(there) == 12


def test_the_fast_mean_interval_is_that_of_the_slow_one() -> None:
    random = np.random.default_rng(3)
    groups = [f"p{n}" for n in random.integers(0, 25, 200)]
    values = random.random(200) + np.array([int(g[1:]) % 5 for g in groups])
    fast, slow = group_mean(groups, values), group_bootstrap(groups, lambda at: float(values[at].mean()))
    assert (fast.value, fast.slices, fast.groups) == (pytest.approx(slow.value), slow.slices, slow.groups)
    assert fast.low == pytest.approx(slow.low, abs=0.05)
    assert fast.high == pytest.approx(slow.high, abs=0.05)


def test_the_interval_of_one_group_is_its_mean() -> None:
    found = group_mean(["p", "p"], [0.0, 1.0])
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_the_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no slices"):
        group_mean([], [])
