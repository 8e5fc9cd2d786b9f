"""A tiny training on generated pictures: it learns, and the same seed learns the same."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_export.architectures.unet import UNet
from model_export.training.augmentation import Augmentation
from model_export.training.config import CONFIGS, TrainingConfig
from model_export.training.loop import WeightAverage, fit, load_checkpoint
from model_export.training.losses import batch_dice_bce, dice_bce
from model_export.training.scoring import mean_dice
from model_export.training.seg_film import drop_fields, drop_sequences
from model_export.training.t1 import place_loss, prior_correction

CONFIG = TrainingConfig(name="discs", size=64, epochs=4, batch=8, rate=3e-3, ema_decay=0.9, patience=4, seed=5)


class Discs:
    """A segmentation task on bright discs."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        random = np.random.default_rng(seed)
        y, x = np.mgrid[0:64, 0:64]
        images, masks = [], []
        for _ in range(32):
            row, column, radius = random.integers(20, 44), random.integers(20, 44), random.integers(7, 14)
            mask = (y - row) ** 2 + (x - column) ** 2 < radius**2
            images.append((60 + 120 * mask + random.normal(0, 10, (64, 64))).clip(0, 255).astype(np.uint8))
            masks.append(mask.astype(np.uint8) * 255)
        self._images, self._masks = torch.tensor(np.array(images))[:, None], torch.tensor(np.array(masks))[:, None]
        self.network: nn.Module = UNet()

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        return np.tile(random.permutation(32), 3)

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        augmentation = Augmentation(zoom=0.05, shift=0.02, blur_share=0.0)
        picture, mask = augmentation.apply(self._images[positions], self._masks[positions], generator)
        assert mask is not None
        return dice_bce(self.network.logits(picture), mask)  # type: ignore[operator]

    def score(self, network: nn.Module) -> float:
        return mean_dice(network, self._images, self._masks, np.arange(32))


class Stopped(Exception):
    """The power went off."""


def _train(path: Path, config: TrainingConfig = CONFIG, stop_after: int | None = None) -> list[dict[str, float]]:
    torch.set_num_threads(1)
    task, draw, drawn = Discs(config.seed), Discs.draw, 0

    def limited(random: np.random.Generator) -> NDArray[np.int64]:
        nonlocal drawn
        drawn += 1
        if stop_after is not None and drawn > stop_after + 1:  # the loop draws once to count its steps
            raise Stopped
        return draw(task, random)

    task.draw = limited  # type: ignore[method-assign]
    return fit(task, config, path, lambda _: None)


def test_a_short_training_learns_and_is_reproducible(tmp_path: Path) -> None:
    first, second = _train(tmp_path / "a.pt"), _train(tmp_path / "b.pt")
    assert first[-1]["loss"] < 0.7 * first[0]["loss"]
    assert first[-1]["score"] > 0.5
    assert [row["loss"] for row in first] == [row["loss"] for row in second]
    state, config, history = load_checkpoint(tmp_path / "a.pt")
    assert config == CONFIG
    assert max(row["score"] for row in history) == max(row["score"] for row in first)
    for key, value in load_checkpoint(tmp_path / "b.pt")[0].items():
        assert torch.equal(value, state[key])


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    whole = _train(tmp_path / "whole.pt")
    with pytest.raises(Stopped):
        _train(tmp_path / "cut.pt", stop_after=2)
    resumed = _train(tmp_path / "cut.pt")
    assert [row["loss"] for row in resumed] == [row["loss"] for row in whole]
    left, right = load_checkpoint(tmp_path / "whole.pt")[0], load_checkpoint(tmp_path / "cut.pt")[0]
    assert all(torch.equal(left[key], right[key]) for key in left)
    assert not (tmp_path / "cut.resume").exists()


def test_without_patience_nothing_is_scored_and_the_last_average_is_kept(tmp_path: Path) -> None:
    history = _train(tmp_path / "a.pt", CONFIG.with_overrides(patience=0, epochs=2))
    assert [set(row) for row in history] == [{"epoch", "loss", "s"}] * 2
    assert len(load_checkpoint(tmp_path / "a.pt")[2]) == 2


def test_training_stops_when_the_score_no_longer_rises(tmp_path: Path) -> None:
    class Worse(Discs):
        def score(self, network: nn.Module) -> float:
            self.asked = getattr(self, "asked", 0) + 1
            return -float(self.asked)

    torch.set_num_threads(1)
    history = fit(Worse(5), CONFIG.with_overrides(patience=1), tmp_path / "w.pt", lambda _: None)
    assert len(history) == 2
    assert len(load_checkpoint(tmp_path / "w.pt")[2]) == 1


def test_no_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.pt")


def test_geometry_moves_the_mask_with_the_picture() -> None:
    images = torch.zeros(6, 1, 64, 64, dtype=torch.uint8)
    images[:, :, 10:30, 36:50] = 255
    still = Augmentation(gamma=0, contrast=0, brightness=0, bias_field=0, noise=0, blur_share=0)
    picture, mask = still.apply(images, images, torch.Generator().manual_seed(1))
    assert mask is not None
    assert ((picture / 255 > 0.5) == (mask > 0.5)).float().mean() > 0.995
    assert not torch.equal(picture[0], picture[1])


def test_intensities_stay_in_range_and_leave_the_mask_alone() -> None:
    images = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
    picture, mask = Augmentation().apply(images, None, torch.Generator().manual_seed(2))
    assert mask is None
    assert picture.shape == images.shape
    assert float(picture.min()) >= 0.0
    assert float(picture.max()) <= 255.0


def test_the_loss_ignores_dice_where_there_is_no_tumor() -> None:
    logits, empty = torch.full((2, 1, 8, 8), -20.0), torch.zeros(2, 1, 8, 8)
    assert float(dice_bce(logits, empty)) == pytest.approx(0.0, abs=1e-6)
    full = torch.ones(2, 1, 8, 8)
    assert float(dice_bce(-logits, full)) == pytest.approx(0.0, abs=1e-6)
    assert float(dice_bce(logits, full)) > 10


def test_the_dice_of_a_batch_counts_large_slices_more() -> None:
    masks = torch.zeros(2, 1, 8, 8)
    masks[0], masks[1, 0, 0, 0] = 1.0, 1.0
    large_found = torch.stack([torch.full((1, 8, 8), 20.0), torch.full((1, 8, 8), -20.0)])
    small_found = torch.full((2, 1, 8, 8), -20.0)
    small_found[1, 0, 0, 0] = 20.0
    assert float(batch_dice_bce(large_found, masks)) < 0.2 < float(batch_dice_bce(small_found, masks))


def test_evidence_is_drawn_to_where_the_mask_is() -> None:
    masks = torch.zeros(2, 1, 64, 64)
    masks[0, :, 16:32, 16:32] = 1.0
    target, right, wrong = torch.tensor([1, 2]), torch.zeros(2, 4, 4, 4), torch.zeros(2, 4, 4, 4)
    right[0, 1, 1, 1] = 20.0
    wrong[0, 1, 3, 3] = 20.0
    assert float(place_loss(right, masks, target)) == pytest.approx(0.0, abs=1e-4)
    assert float(place_loss(wrong, masks, target)) > 5
    assert float(place_loss(wrong[1:], masks[1:], target[1:])) == 0.0


def test_the_prior_is_taken_out_of_the_logits_again() -> None:
    likelihood = torch.log(torch.tensor([0.2, 0.6, 0.9]))
    natural, trained = np.array([70, 20, 10]), np.array([1.0, 1.0, 2.0])
    learned = torch.softmax(likelihood + torch.log(torch.tensor(trained).float()), dim=0)
    corrected = torch.softmax(learned.log() + prior_correction(natural, trained), dim=0)
    expected = torch.tensor([0.2 * 70, 0.6 * 20, 0.9 * 10])
    torch.testing.assert_close(corrected, expected / expected.sum())


def test_pictures_and_masks_can_come_out_smaller() -> None:
    images = torch.zeros(3, 1, 64, 64, dtype=torch.uint8)
    picture, mask = Augmentation().apply(images, images, torch.Generator().manual_seed(1), 32)
    assert mask is not None
    assert picture.shape == mask.shape == (3, 1, 32, 32)


def test_missing_sequences_are_replaced_by_the_flair() -> None:
    images = torch.stack([torch.full((3, 4, 4), 10) + torch.arange(3)[:, None, None] for _ in range(400)]).byte()
    dropped = drop_sequences(images, torch.Generator().manual_seed(3))
    assert torch.equal(dropped[:, 1], images[:, 1])
    replaced = (dropped[:, 0, 0, 0] == 11).float().mean()
    assert 0.2 < float(replaced) < 0.36
    assert torch.equal(images[:, 0], torch.full((400, 4, 4), 10).byte())


def test_missing_fields_are_nan_and_whole_records_go_missing() -> None:
    records = np.ones((500, 6))
    dropped = drop_fields(records, torch.Generator().manual_seed(4))
    assert 0.33 < np.isnan(dropped).all(axis=1).mean() < 0.48
    assert np.isnan(dropped).mean() > 0.4
    assert not np.isnan(records).any()


def test_the_average_follows_the_weights() -> None:
    network = nn.Linear(2, 1)
    average = WeightAverage(network, 0.5)
    with torch.no_grad():
        network.weight += 1.0
    for _ in range(40):
        average.update(network)
    torch.testing.assert_close(average.network.weight, network.weight, rtol=1e-3, atol=1e-3)


def test_no_recipe_is_leaky_and_each_ends_at_full_size() -> None:
    for config in CONFIGS.values():
        assert not config.leaky
        assert config.size_at(config.epochs - 1) == config.size
        assert config.size_at(0) == (config.small_size if config.small_epochs else config.size)
    with pytest.raises(ValueError, match="full size"):
        CONFIGS["view"].with_overrides(small_epochs=4, epochs=4)
    with pytest.raises(ValueError, match="epochs"):
        CONFIGS["view"].with_overrides(epochs=0)
