"""Losses against values worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from model_export.training.losses import bce, dice_bce, focal, focal_tversky, tversky, tversky_score
from model_export.training.zoo_segmenter import LOSSES


def _plane(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, 1, 2, 2)


def test_cross_entropy_of_an_even_guess_is_the_log_of_two() -> None:
    assert float(bce(torch.zeros(2, 3), torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]))) == pytest.approx(math.log(2))


def test_focal_weighs_an_even_guess_by_a_quarter_of_its_class_weight() -> None:
    assert float(focal(torch.zeros(1), torch.ones(1))) == pytest.approx(0.25 * 0.25 * math.log(2))
    assert float(focal(torch.zeros(1), torch.zeros(1))) == pytest.approx(0.75 * 0.25 * math.log(2))


def test_focal_without_focus_is_half_of_the_cross_entropy_at_even_weights() -> None:
    logits, targets = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([1.0, 1.0, 0.0])
    assert float(focal(logits, targets, gamma=0.0, alpha=0.5)) == pytest.approx(0.5 * float(bce(logits, targets)))


def test_focal_hardly_counts_what_is_easy() -> None:
    easy, hard = torch.tensor([4.0]), torch.tensor([-1.0])
    ratio = float(focal(easy, torch.ones(1)) / focal(hard, torch.ones(1)))
    assert ratio < 0.05 * float(bce(easy, torch.ones(1)) / bce(hard, torch.ones(1)))


def test_tversky_score_counts_missed_and_invented_pixels_by_their_weights() -> None:
    found, truth = _plane([1, 1, 0, 0]), _plane([1, 0, 1, 1])
    # One pixel agrees, two are missed, one is invented.
    assert float(tversky_score(found, truth, alpha=0.7, smooth=0.0)) == pytest.approx(1 / (1 + 0.7 * 2 + 0.3 * 1))
    assert float(tversky_score(found, truth, alpha=0.5, smooth=0.0)) == pytest.approx(2 * 1 / (2 + 3))
    assert float(tversky_score(found, truth)) == pytest.approx(2 / (2 + 0.7 * 2 + 0.3 * 1))


def test_two_empty_planes_agree() -> None:
    assert float(tversky_score(_plane([0, 0, 0, 0]), _plane([0, 0, 0, 0]))) == 1.0


def test_marking_nothing_is_no_way_out_of_a_batch_with_empty_slices() -> None:
    truth = torch.zeros(4, 1, 8, 8)
    truth[0, :, 2:5, 2:5] = 1
    nothing = torch.full_like(truth, -9.0)
    assert float(tversky(nothing, truth)) > 0.8
    assert float(tversky(torch.where(truth > 0, 9.0, -9.0), truth)) < 0.01


def test_tversky_losses_of_even_guesses() -> None:
    logits, truth = torch.zeros(1, 1, 2, 2), _plane([1, 1, 0, 0])
    # Half of each: one agrees, one is missed, one is invented.
    index = (1 + 1) / (1 + 0.7 + 0.3 + 1)
    assert float(tversky(logits, truth)) == pytest.approx(1 - index)
    assert float(focal_tversky(logits, truth)) == pytest.approx((1 - index) ** 0.75)


def test_a_perfect_outline_costs_nothing_and_has_a_finite_slope() -> None:
    truth = _plane([1, 1, 0, 0])
    logits = ((truth - 0.5) * 200).requires_grad_()
    loss = focal_tversky(logits, truth)
    loss.backward()
    assert float(loss.detach()) < 1e-3
    assert logits.grad is not None
    assert bool(torch.isfinite(logits.grad).all())


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_prefers_the_truth_and_does_not_grow_with_the_batch(name: str) -> None:
    # So large that the pixel which smooths the Tversky index does not count.
    truth = torch.cat([_plane([1, 1, 0, 0]), _plane([0, 1, 0, 1])]).repeat(1, 1, 200, 200)
    right, wrong = (truth - 0.5) * 6, (0.5 - truth) * 6
    loss = LOSSES[name]
    assert float(loss(right, truth)) < float(loss(torch.zeros_like(truth), truth)) < float(loss(wrong, truth))
    doubled = loss(torch.cat([wrong, wrong]), torch.cat([truth, truth]))
    assert float(doubled) == pytest.approx(float(loss(wrong, truth)), rel=1e-3)


def test_an_empty_slice_is_judged_by_cross_entropy_alone_in_the_joint_loss() -> None:
    logits, empty = torch.full((1, 1, 2, 2), -2.0), _plane([0, 0, 0, 0])
    assert float(dice_bce(logits, empty)) == pytest.approx(math.log(1 + math.exp(-2.0)), rel=1e-5)
