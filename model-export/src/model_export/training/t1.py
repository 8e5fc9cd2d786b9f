"""Training of the joint T1 network, on the features of the view network that was trained on the same groups."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.batchnorm import restore_batchnorm
from model_export.architectures.mobilenet import scaled
from model_export.architectures.t1 import T1Network
from model_export.architectures.view import ViewNetwork
from model_export.datasets.split import members
from model_export.datasets.tumor_set import tumor_pictures, tumor_samples
from model_export.training.augmentation import Augmentation
from model_export.training.config import TrainingConfig
from model_export.training.loop import load_checkpoint
from model_export.training.losses import dice_bce
from model_export.training.view import IMAGENET
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.preprocessing import Preprocessing

_NO_TUMOR = TUMOR_LABELS.index("no_tumor")
_EMPTY_SHARE, _EXTRA_SHARE = 0.6, 0.4
"""Of the no-tumor slices, and of the slices of other sets, in an epoch."""
_PLACE_WEIGHT = 0.3
_LEAST_COVERED = 0.3
"""A mask that covers less than this share of one position says nothing at the evidence's resolution."""


class T1Task:
    """Label-smoothed cross-entropy of the class, Dice and cross-entropy of the outline, and where the evidence lies.

    Classes are weighted by the root of their rarity. Tumor slices of the other sets have no border on T1: they teach
    the class alone.
    """

    def __init__(self, root: Path, cache: Path, config: TrainingConfig, view_checkpoint: Path) -> None:
        self._config, self.size = config, config.size
        samples, split = tumor_samples(root, config.of_fold)
        self.split = split.with_validation(config.seed) if config.patience else split
        pictures = tumor_pictures(samples, Preprocessing(size=config.size), cache)
        if pictures.masks is None:
            raise ValueError("t1_slices has no masks")
        self._images, self._masks = torch.from_numpy(pictures.images), torch.from_numpy(pictures.masks)[:, None]
        self._labels = np.array([TUMOR_LABELS.index(s.label) for s in samples])
        self._outlined = np.array([s.mask is not None for s in samples]) | (self._labels == _NO_TUMOR)
        main, groups = np.array([s.main for s in samples]), [s.group for s in samples]
        train = np.array(members(groups, self.split.train))
        validation = np.array(members(groups, self.split.validation), np.int64)
        self._validation = validation[main[validation]]
        empty = self._labels[train] == _NO_TUMOR
        self._tumor, self._empty = train[main[train] & ~empty], train[main[train] & empty]
        self._extra = train[~main[train]]
        view_state, view_config, _ = load_checkpoint(view_checkpoint)
        small = tumor_pictures(samples, Preprocessing(size=view_config.size), cache).images
        self._features = view_features(view_state, torch.from_numpy(small))
        counts = np.bincount(self._labels[np.concatenate([self._tumor, self._empty])], minlength=len(TUMOR_LABELS))
        weights = (counts.mean() / counts) ** 0.5
        self._weights = torch.from_numpy(weights).float()
        self._augmentation = Augmentation(turned_share=config.turned_share)
        self.network: nn.Module = T1Network()
        drawn = np.where(np.arange(len(counts)) == _NO_TUMOR, _EMPTY_SHARE * counts, counts)
        drawn = drawn + _EXTRA_SHARE * np.bincount(self._labels[self._extra], minlength=len(TUMOR_LABELS))
        self.network.prior = prior_correction(counts, weights * drawn)
        encoder = self.network.unet.encoder
        encoder.load_imagenet(torch.load(root / IMAGENET, weights_only=True))
        restore_batchnorm(encoder, scaled(self._images[train[:: max(1, len(train) // 96)]]))

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Every tumor slice once, and shares of the others, other ones each time."""
        empty = random.choice(self._empty, round(_EMPTY_SHARE * len(self._empty)), replace=False)
        extra = random.choice(self._extra, round(_EXTRA_SHARE * len(self._extra)), replace=False)
        order = random.permutation(np.concatenate([self._tumor, empty, extra]))
        return order[: self._config.limit] if self._config.limit else order

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """The sum of the three losses of one augmented batch."""
        picture, mask = self._augmentation.apply(self._images[positions], self._masks[positions], generator, self.size)
        if mask is None:
            raise ValueError("the augmentation lost the masks")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, evidence, outline = self.network.judge(  # type: ignore[operator]
                picture.contiguous(memory_format=torch.channels_last), self._features[torch.from_numpy(positions)]
            )
        target = torch.from_numpy(self._labels[positions])
        loss = functional.cross_entropy(
            logits.float(), target, weight=self._weights, label_smoothing=self._config.label_smoothing
        )
        outlined = torch.from_numpy(self._outlined[positions])
        loss = loss + dice_bce(outline.float()[outlined], mask[outlined])
        return loss + _PLACE_WEIGHT * place_loss(evidence.float(), mask, target)

    @torch.no_grad()
    def score(self, network: nn.Module) -> float:
        """Minus the cross-entropy of the class on the validation patients."""
        logits = []
        for part in np.array_split(self._validation, 16):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                found, _, _ = network.judge(self._images[part].float(), self._features[part], outline=False)  # type: ignore[operator]
            logits.append(found.float())
        return -float(functional.cross_entropy(torch.cat(logits), torch.from_numpy(self._labels[self._validation])))


def prior_correction(
    natural: NDArray[np.float64] | NDArray[np.int64], trained: NDArray[np.float64] | NDArray[np.int64]
) -> Tensor:
    """What to add to logits that learned the class weights `trained` so that they mean the `natural` frequencies.

    Both are `[classes]` and need not sum to one.
    """
    found = np.log(natural / natural.sum()) - np.log(trained / trained.sum())
    return torch.from_numpy(np.asarray(found, np.float32))


def place_loss(evidence: Tensor, masks: Tensor, target: Tensor) -> Tensor:
    """The divergence between the mask and where the evidence for the true class lies, a slice of the batch.

    Args:
        evidence: `[N, classes, h, w]`.
        masks: `[N, 1, S, S]`, 0..1; slices without a mask count nothing.
        target: `[N]`, the true class.
    """
    covered = functional.avg_pool2d(masks, masks.shape[-1] // evidence.shape[-1]).flatten(1)
    seen = covered.sum(dim=1) > _LEAST_COVERED
    if not bool(seen.any()):
        return evidence.new_zeros(())
    place = covered[seen] / covered[seen].sum(dim=1, keepdim=True)
    found = functional.log_softmax(evidence[seen, target[seen]].flatten(1), dim=1)
    return functional.kl_div(found, place, reduction="sum") / len(evidence)


@torch.no_grad()
def view_features(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """The view network's features `[N, 128]` of pictures `[N, 1, S, S]` on its grid."""
    network = ViewNetwork().eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.load_state_dict(state)
    found = []
    for part in torch.split(images, 128):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found.append(network(part.float().contiguous(memory_format=torch.channels_last))[1].float())
    return torch.cat(found)
