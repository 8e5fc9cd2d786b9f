"""Training of the zoo's segmenters on T1 slices: tumors with their borders, and slices without a tumor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_export.datasets.split import GroupSplit, members
from model_export.training.augmentation import Augmentation
from model_export.training.config import TrainingConfig
from model_export.training.losses import bce, dice_bce, focal, focal_tversky, focal_tversky_bce, tversky
from model_export.training.scoring import mean_dice

EMPTY_SHARE = 0.25
"""No-tumor slices in an epoch, as a share of the tumor slices."""
LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {
        "bce": bce,
        "dice_bce": dice_bce,
        "focal": focal,
        "tversky": tversky,
        "focal_tversky": focal_tversky,
        "focal_tversky_bce": focal_tversky_bce,
    }
)


@dataclass(frozen=True)
class OutlinedSlices:
    """`images [N, 1, S, S]` and `masks [N, 1, S, S]` uint8 (masks 0..255), and whether a tumor is on each."""

    images: Tensor
    masks: Tensor
    groups: list[str]
    has_tumor: NDArray[np.bool_]


class ZooSegmenterTask:
    """One of `LOSSES`, by name. Raises `KeyError` for a name that is not among them."""

    def __init__(
        self, network: nn.Module, slices: OutlinedSlices, split: GroupSplit, config: TrainingConfig, loss: str
    ) -> None:
        self.network, self.size = network, config.size
        self.split = split.with_validation(config.seed) if config.patience else split
        self._config, self._slices, self._loss = config, slices, LOSSES[loss]
        train = np.array(members(slices.groups, self.split.train), np.int64)
        validation = np.array(members(slices.groups, self.split.validation), np.int64)
        self._tumor, self._empty = train[slices.has_tumor[train]], train[~slices.has_tumor[train]]
        self._validation = validation[slices.has_tumor[validation]]
        self._augmentation = Augmentation(rotation_deg=15.0, noise=0.04, turned_share=config.turned_share)

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """The tumor slices and a quarter as many without one, in any order; `limit` of them, other ones each time."""
        count = min(len(self._empty), round(EMPTY_SHARE * len(self._tumor)))
        empty = random.choice(self._empty, count, replace=False)
        order = random.permutation(np.concatenate([self._tumor, empty]))
        return order[: self._config.limit] if self._config.limit else order

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """The loss of one augmented batch."""
        slices = self._slices
        picture, mask = self._augmentation.apply(
            slices.images[positions], slices.masks[positions], generator, self.size
        )
        if mask is None:
            raise ValueError("the augmentation lost the masks")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.network.logits(picture.contiguous(memory_format=torch.channels_last))  # type: ignore[operator]
        return self._loss(logits.float(), mask)

    def score(self, network: nn.Module) -> float:
        """Mean Dice a slice over the validation patients' tumor slices, on the model's grid."""
        found: float = mean_dice(network, self._slices.images, self._slices.masks, self._validation)
        return found
