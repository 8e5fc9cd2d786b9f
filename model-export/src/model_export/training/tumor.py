"""Training of the tumor network, on the features of the view network that was trained on the same groups."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.batchnorm import restore_batchnorm
from model_export.architectures.mobilenet import scaled
from model_export.architectures.tumor import TumorNetwork
from model_export.architectures.view import ViewNetwork
from model_export.datasets.split import members, split_by_slice
from model_export.datasets.tumor_set import tumor_pictures, tumor_place, tumor_samples
from model_export.training.augmentation import Augmentation
from model_export.training.config import TrainingConfig
from model_export.training.evidence import Frozen
from model_export.training.loop import load_checkpoint
from model_export.training.view import IMAGENET
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.preprocessing import Preprocessing

_EXTRA_SHARE = 0.5
_VARIANTS = 3


class TumorTask:
    """Label-smoothed cross-entropy, classes weighted by the root of their rarity; half of the extras an epoch.

    With `config.split == "slice"` the slices of `t1_slices` are split without regard to groups: the leaky arm.
    """

    def __init__(self, root: Path, cache: Path, config: TrainingConfig, view_checkpoint: Path) -> None:
        self._config = config
        samples, self.split = tumor_samples(root, config.seed)
        self._images = torch.from_numpy(tumor_pictures(samples, Preprocessing(size=config.size), cache).images)
        self._labels = np.array([TUMOR_LABELS.index(s.label) for s in samples])
        self._samples, self._preprocessing = samples, Preprocessing(size=config.size)
        is_main = np.array([s.main for s in samples])
        groups = [s.group for s in samples]
        train, calibration = np.array(members(groups, self.split.train)), members(groups, self.split.calibration)
        if config.split == "slice":
            leaky = split_by_slice(int(is_main.sum()), config.seed)
            names = [f"slice-{index}" for index in range(int(is_main.sum()))]
            train = np.concatenate([members(names, leaky.train), train[~is_main[train]]]).astype(np.int64)
            calibration = members(names, leaky.calibration)
        self._main, self._extra = train[is_main[train]], train[~is_main[train]]
        self._calibration = np.array([c for c in calibration if is_main[c]])
        self._augmentation = Augmentation()
        state, view_config, _ = load_checkpoint(view_checkpoint)
        small = tumor_pictures(samples, Preprocessing(size=view_config.size), cache).images
        self._features = self._view_features(state, torch.from_numpy(small))
        counts = np.bincount(self._labels[self._main], minlength=len(TUMOR_LABELS))
        self._weights = torch.from_numpy((counts.mean() / counts) ** 0.5).float()
        self.network: nn.Module = TumorNetwork(pooling="mean")
        self.network.encoder.load_imagenet(torch.load(root / IMAGENET, weights_only=True))
        sample = self._images[train[:: max(1, len(train) // 96)]]
        restore_batchnorm(self.network.encoder, scaled(sample))

    @torch.no_grad()
    def _view_features(self, state: dict[str, Tensor], images: Tensor) -> Tensor:
        """Features `[variants, N, 128]`: of the pictures as they are, then of augmented ones."""
        network = ViewNetwork().eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.load_state_dict(state)
        generator = torch.Generator().manual_seed(self._config.seed)
        variants = []
        for variant in range(_VARIANTS):
            found = []
            for part in torch.split(images, 128):
                picture = part.float() if variant == 0 else self._augmentation.apply(part, None, generator)[0]
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    found.append(network(picture.contiguous(memory_format=torch.channels_last))[1].float())
            variants.append(torch.cat(found))
        return torch.stack(variants)

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Every training slice of `t1_slices` once, and half of the extras."""
        extra = random.choice(self._extra, round(_EXTRA_SHARE * len(self._extra)), replace=False)
        order = random.permutation(np.concatenate([self._main, extra]))
        return order[: self._config.limit] if self._config.limit else order

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Weighted cross-entropy of one augmented batch."""
        picture, _ = self._augmentation.apply(self._images[positions], None, generator)
        variant = torch.randint(0, _VARIANTS, (len(positions),), generator=generator)
        features = self._features[variant, torch.from_numpy(positions)]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, _ = self.network(picture.contiguous(memory_format=torch.channels_last), features)
        target = torch.from_numpy(self._labels[positions])
        return functional.cross_entropy(
            logits.float(), target, weight=self._weights, label_smoothing=self._config.label_smoothing
        )

    @torch.no_grad()
    def freeze(self, network: TumorNetwork) -> Frozen:
        """What the trained encoder says of the training slices as they are, with where their tumors lie."""
        positions = np.concatenate([self._main, self._extra])
        network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        maps = []
        for part in np.array_split(positions, max(1, len(positions) // 64)):
            picture = scaled(self._images[part].float()).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                maps.append(network.encoder(picture).half().contiguous())
        side = maps[0].shape[-1]
        covered = [tumor_place(self._samples[at], self._preprocessing, side) for at in positions]
        return Frozen(
            torch.cat(maps),
            self._features[0, torch.from_numpy(positions)],
            torch.from_numpy(self._labels[positions]),
            torch.from_numpy(np.stack(covered)),
        )

    @torch.no_grad()
    def score(self, network: nn.Module) -> float:
        """Minus the cross-entropy on the calibration patients of `t1_slices`."""
        logits = []
        for part in np.array_split(self._calibration, 16):
            picture = self._images[part].float().contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits.append(network(picture, self._features[0, part])[0].float())
        return -float(functional.cross_entropy(torch.cat(logits), torch.from_numpy(self._labels[self._calibration])))
