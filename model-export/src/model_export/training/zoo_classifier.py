"""Training of the zoo's classifiers: view, four classes, or tumor against no tumor."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model_export.datasets.split import GroupSplit, members
from model_export.training.augmentation import Augmentation
from model_export.training.config import TrainingConfig
from model_export.training.losses import bce

_EXTRA_SHARE = 0.5


@dataclass(frozen=True)
class LabelledSlices:
    """What a classifier learns from: `images [N, 1, S, S]` uint8, the classes' positions `truth [N]`.

    `main` marks the slices of the main set; half of the others are drawn an epoch. `view_features [N, 128]` go with
    the pictures of a network that reads them.
    """

    images: Tensor
    truth: NDArray[np.int64]
    groups: list[str]
    main: NDArray[np.bool_]
    view_features: Tensor | None = None


class ZooClassifierTask:
    """Cross-entropy, smoothed and weighted by the root of the classes' rarity; binary cross-entropy for two classes.

    With `even_classes` every class is drawn as often as the commonest one, from all slices.
    """

    def __init__(
        self,
        network: nn.Module,
        slices: LabelledSlices,
        split: GroupSplit,
        config: TrainingConfig,
        *,
        even_classes: bool = False,
    ) -> None:
        self.network, self.size = network, config.size
        self.split = split.with_validation(config.seed) if config.patience else split
        self._config, self._slices, self._even_classes = config, slices, even_classes
        train = np.array(members(slices.groups, self.split.train), np.int64)
        validation = np.array(members(slices.groups, self.split.validation), np.int64)
        self._train, self._main, self._extra = train, train[slices.main[train]], train[~slices.main[train]]
        self._validation = validation[slices.main[validation]]
        self._classes = int(slices.truth.max()) + 1
        counts = np.bincount(slices.truth[self._main], minlength=self._classes)
        self._weights = torch.from_numpy((counts.mean() / counts) ** 0.5).float()
        self._augmentation = Augmentation()

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """The epoch's slices in order: all of the main set and half of the extras, or all classes equally often."""
        if self._even_classes:
            truth = self._slices.truth[self._train]
            most = max(np.bincount(truth))
            drawn = [random.permutation(np.resize(self._train[truth == label], most)) for label in np.unique(truth)]
        else:
            extra = random.choice(self._extra, round(_EXTRA_SHARE * len(self._extra)), replace=False)
            drawn = [self._main, extra]
        order = random.permutation(np.concatenate(drawn))
        return order[: self._config.limit] if self._config.limit else order

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """The loss of one augmented batch."""
        picture, _ = self._augmentation.apply(self._slices.images[positions], None, generator, self.size)
        logits = self._logits(self.network, picture, positions)
        target = torch.from_numpy(self._slices.truth[positions])
        smoothing = self._config.label_smoothing
        if self._classes == 2:
            return bce(logits[:, 1] - logits[:, 0], target * (1.0 - smoothing) + 0.5 * smoothing)
        weights = None if self._even_classes else self._weights
        return functional.cross_entropy(logits, target, weight=weights, label_smoothing=smoothing)

    @torch.no_grad()
    def score(self, network: nn.Module) -> float:
        """Minus the cross-entropy on the validation patients."""
        parts = np.array_split(self._validation, max(1, len(self._validation) // 64))
        logits = torch.cat([self._logits(network, self._slices.images[part].float(), part) for part in parts])
        return -float(functional.cross_entropy(logits, torch.from_numpy(self._slices.truth[self._validation])))

    def _logits(self, network: nn.Module, picture: Tensor, positions: NDArray[np.int64]) -> Tensor:
        features = self._slices.view_features
        inputs: tuple[Tensor, ...] = (picture.contiguous(memory_format=torch.channels_last),)
        if features is not None:
            inputs = (*inputs, features[torch.from_numpy(positions)])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = network(*inputs)
        logits: Tensor = out[0] if isinstance(out, tuple) else out
        return logits.float()
