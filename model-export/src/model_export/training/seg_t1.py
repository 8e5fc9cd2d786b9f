"""Training of the T1 segmentation network."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_export.architectures.batchnorm import restore_batchnorm
from model_export.architectures.mobilenet import scaled
from model_export.architectures.unet import UNet
from model_export.datasets.slices import read_slices, slice_pictures, split_slices
from model_export.datasets.split import members
from model_export.training.augmentation import Augmentation
from model_export.training.config import TrainingConfig
from model_export.training.losses import dice_bce
from model_export.training.view import IMAGENET
from service_kit.inference.preprocessing import Preprocessing

EMPTY_SHARE = 0.25
"""No-tumor slices in an epoch, as a share of the tumor slices."""


class SegT1Task:
    """Tumor slices with their borders, and a share of no-tumor slices with empty masks."""

    def __init__(self, root: Path, cache: Path, config: TrainingConfig) -> None:
        self._config = config
        records = read_slices(root)
        self.split = split_slices(records, config.seed)
        pictures = slice_pictures(records, Preprocessing(size=config.size), cache)
        if pictures.masks is None:
            raise ValueError("t1_slices has no masks")
        self._images, self._masks = torch.from_numpy(pictures.images), torch.from_numpy(pictures.masks)[:, None]
        has_tumor = np.array([r.mask is not None for r in records])
        groups = [r.group for r in records]
        train = np.array(members(groups, self.split.train))
        self._tumor, self._empty = train[has_tumor[train]], train[~has_tumor[train]]
        calibration = np.array(members(groups, self.split.calibration))
        self._calibration = calibration[has_tumor[calibration]]
        self._augmentation = Augmentation(rotation_deg=15.0, noise=0.04)
        self.network: nn.Module = UNet()
        self.network.encoder.load_imagenet(torch.load(root / IMAGENET, weights_only=True))
        sample = self._images[train[:: max(1, len(train) // 96)]]
        restore_batchnorm(self.network.encoder, scaled(sample))

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Every tumor slice once, and other no-tumor slices each time."""
        empty = random.choice(self._empty, round(EMPTY_SHARE * len(self._tumor)), replace=False)
        order = random.permutation(np.concatenate([self._tumor, empty]))
        return order[: self._config.limit] if self._config.limit else order

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Dice and cross-entropy of one augmented batch."""
        picture, mask = self._augmentation.apply(self._images[positions], self._masks[positions], generator)
        if mask is None:
            raise ValueError("the augmentation lost the masks")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.network.logits(picture.contiguous(memory_format=torch.channels_last))  # type: ignore[operator]
        return dice_bce(logits.float(), mask)

    def score(self, network: nn.Module) -> float:
        """Mean Dice a slice over the calibration patients' tumor slices, on the model's grid."""
        found: float = mean_dice(network, self._images, self._masks, self._calibration)
        return found


@torch.no_grad()
def mean_dice(
    network: nn.Module,
    images: Tensor,
    masks: Tensor,
    positions: NDArray[np.int64],
    clinical: Tensor | None = None,
) -> float:
    """Mean Dice a slice at threshold .5 of `positions`; `clinical [N, K]` goes with the images."""
    found: list[Tensor] = []
    for part in np.array_split(positions, max(1, len(positions) // 32)):
        picture = images[part].float().contiguous(memory_format=torch.channels_last)
        vector = () if clinical is None else (clinical[part],)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            predicted = (network.logits(picture, *vector).float() > 0).float()  # type: ignore[operator]
        truth = (masks[part] > 127).float()
        overlap = (predicted * truth).sum(dim=(1, 2, 3))
        found.append((2 * overlap + 1e-6) / (predicted.sum(dim=(1, 2, 3)) + truth.sum(dim=(1, 2, 3)) + 1e-6))
    return float(torch.cat(found).mean())
