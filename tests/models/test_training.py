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
from model_export.training.losses import dice_bce
from model_export.training.seg_film import drop_fields, drop_sequences
from model_export.training.seg_t1 import mean_dice

CONFIG = TrainingConfig(name="seg-t1", size=64, epochs=4, batch=8, rate=3e-3, ema_decay=0.9, seed=5)


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


def _train(path: Path) -> list[dict[str, float]]:
    torch.set_num_threads(1)
    return fit(Discs(CONFIG.seed), CONFIG, path, lambda _: None)


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


def test_every_recipe_splits_by_group() -> None:
    assert {config.split for config in CONFIGS.values()} == {"group"}
    with pytest.raises(ValueError, match="epochs"):
        CONFIGS["view"].with_overrides(epochs=0)
