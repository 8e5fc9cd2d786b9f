"""Training of the view network."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.batchnorm import restore_batchnorm
from model_export.architectures.view import ViewNetwork
from model_export.datasets.split import members
from model_export.datasets.view_set import view_pictures, view_samples
from model_export.training.augmentation import Augmentation
from model_export.training.config import TrainingConfig
from service_kit.contracts.common import VIEW_LABELS
from service_kit.inference.preprocessing import Preprocessing

IMAGENET = "weights/mobilenet_v2_imagenet_fp16.pt"


class ViewTask:
    """Label-smoothed cross-entropy over the three planes; every plane is drawn equally often."""

    def __init__(self, root: Path, cache: Path, config: TrainingConfig) -> None:
        self._config = config
        samples, self.split = view_samples(root, config.of_fold)
        if config.patience:
            self.split = self.split.with_validation(config.seed)
        self.size = config.size
        self._images = torch.from_numpy(view_pictures(samples, Preprocessing(size=config.size), cache).images)
        self._labels = np.array([VIEW_LABELS.index(s.plane) for s in samples])
        groups = [s.group for s in samples]
        self._train = np.array(members(groups, self.split.train))
        self._validation = np.array(members(groups, self.split.validation))
        self._augmentation = Augmentation(turned_share=config.turned_share)
        self.network: nn.Module = ViewNetwork()
        self.network.encoder.load_imagenet(torch.load(root / IMAGENET, weights_only=True))
        restore_batchnorm(self.network, self._images[self._train[:: max(1, len(self._train) // 128)]])

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """All training slices once, those of rarer planes as often as the commonest plane's."""
        labels = self._labels[self._train]
        most = max(np.bincount(labels))
        drawn = [random.permutation(np.resize(self._train[labels == label], most)) for label in np.unique(labels)]
        order = random.permutation(np.concatenate(drawn))
        return order[: self._config.limit] if self._config.limit else order

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Cross-entropy of one augmented batch."""
        picture, _ = self._augmentation.apply(self._images[positions], None, generator, self.size)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, _ = self.network(picture.contiguous(memory_format=torch.channels_last))
        target = torch.from_numpy(self._labels[positions])
        return functional.cross_entropy(logits.float(), target, label_smoothing=self._config.label_smoothing)

    @torch.no_grad()
    def score(self, network: nn.Module) -> float:
        """Minus the cross-entropy on the validation patients."""
        logits = torch.cat([network(self._images[part])[0] for part in np.array_split(self._validation, 16)])
        return -float(functional.cross_entropy(logits, torch.from_numpy(self._labels[self._validation])))
