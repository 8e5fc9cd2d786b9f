"""Training of the 3D networks on BraTS: patches around the tumor, augmented, with sequences left out."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.attention_unet3d import AttentionUNet3d
from model_export.architectures.unet3d import UNet3d
from model_export.datasets.brats import SEQUENCES, GridCase, brats_cases, brats_split, grid_cases
from model_export.datasets.volumes import VolumeCase
from model_export.evaluation.overlap import dice_scores, overlap_counts
from model_export.training.losses import region_dice_bce
from model_export.training.volume_augmentation import VolumeAugmentation, drop_sequences
from model_export.training.volume_config import VolumeConfig
from service_kit.inference.tiling import Corner, cut, slide
from service_kit.inference.tumor_regions import REGIONS, VOXEL_LABELS, regions_of
from service_kit.inference.volume import VolumePreprocessing

_REMEMBERED = 20_000
"""Tumor voxels of each label and case among which a patch's middle is chosen."""
_COARSE = 4
"""Voxels a position of the coarse output."""


def build_network(config: VolumeConfig) -> nn.Module:
    """The network that `config.name` stands for, with fresh weights."""
    kind = AttentionUNet3d if config.name == "attention-unet3d" else UNet3d
    return kind(residual=config.residual)


class Brats3dTask:
    """Patches of the training cases, each case as often as the others.

    A share of the patches is laid around a voxel of a label that is drawn first, so that the small labels are seen as
    often as the large one.
    """

    def __init__(self, root: Path, cache: Path, config: VolumeConfig) -> None:
        self._config, self.size = config, config.size
        split = brats_split(root, config.of_fold)
        self.split = split.with_validation(config.seed) if config.patience else split
        preprocessing = VolumePreprocessing(patch_voxels=config.size, spacing_mm=config.spacing_mm)
        self._cases = self._on_grid(brats_cases(root), self.split.train, preprocessing, cache)
        self._validation = self._on_grid(brats_cases(root), self.split.validation, preprocessing, cache)
        self._tumor = [_label_voxels(case.labels, config.seed) for case in self._cases]
        self._augmentation = VolumeAugmentation()
        self.network: nn.Module = build_network(config)

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """The cases of an epoch's patches, all cases in turn."""
        count = self._config.limit or len(self._cases)
        turns = -(-count // len(self._cases))
        return np.concatenate([random.permutation(len(self._cases)) for _ in range(turns)])[:count].astype(np.int64)

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Dice and cross-entropy of one batch of patches, and a share of it at a quarter of the resolution."""
        patches = [self._patch(int(position), generator) for position in positions]
        volume, regions, present = (torch.stack(parts) for parts in zip(*patches, strict=True))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            fine, coarse = self.network.both_logits(  # type: ignore[operator]
                volume.contiguous(memory_format=torch.channels_last_3d), present
            )
        loss = region_dice_bce(fine.float(), regions)
        if self._config.coarse_weight:
            covered = functional.avg_pool3d(regions, _COARSE)
            loss = loss + self._config.coarse_weight * region_dice_bce(coarse.float(), covered)
        return loss

    def score(self, network: nn.Module) -> float:
        """Mean Dice over the validation cases and the three regions."""
        scores = [_dice(network, case, self._config.size) for case in self._validation]
        return float(np.mean(scores))

    @staticmethod
    def _on_grid(
        cases: list[VolumeCase], part: frozenset[str], preprocessing: VolumePreprocessing, cache: Path
    ) -> list[GridCase]:
        return grid_cases([case for case in cases if case.group in part], preprocessing, cache)

    def _patch(self, position: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Volume `[4, p, p, p]`, regions `[3, p, p, p]` and flags `[4]`."""
        case, side = self._cases[position], self.size
        corner = self._corner(position, generator)
        volume = torch.from_numpy(cut(case.volume, corner, side).astype(np.float32))
        labels = cut(case.labels[None], corner, side)[0]
        regions = torch.from_numpy(regions_of(labels).astype(np.float32))
        volume, regions = self._augmentation.apply(volume, regions, generator)
        present = drop_sequences(len(SEQUENCES), self._config.missing_share, generator)
        return volume * present[:, None, None, None], regions, present

    def _corner(self, position: int, generator: torch.Generator) -> Corner:
        def below(limit: int) -> int:
            return int(torch.randint(0, limit, (1,), generator=generator))

        shape, voxels = self._cases[position].labels.shape, self._tumor[position]
        around = float(torch.rand(1, generator=generator)) < self._config.foreground_share
        if not (around and voxels):
            found = [below(max(1, size - self.size + 1)) for size in shape]
            return found[0], found[1], found[2]
        of_label = voxels[below(len(voxels))]
        voxel = of_label[below(len(of_label))]
        # The voxel lies anywhere in the middle half of the patch.
        moved = [int(at) - self.size // 4 - below(self.size // 2) for at in voxel]
        found = [max(0, min(at, size - self.size)) for at, size in zip(moved, shape, strict=True)]
        return found[0], found[1], found[2]


def _label_voxels(labels: NDArray[np.uint8], seed: int) -> list[NDArray[np.int64]]:
    """For each label that a case has, the places `[N, 3]` of some of its voxels."""
    random, found = np.random.default_rng(seed), []
    for label in VOXEL_LABELS.values():
        flat = np.flatnonzero(labels == label)
        if flat.size:
            chosen = random.choice(flat, min(_REMEMBERED, flat.size), replace=False)
            found.append(np.stack(np.unravel_index(chosen, labels.shape), axis=1).astype(np.int64))
    return found


@torch.no_grad()
def _dice(network: nn.Module, case: GridCase, patch: int) -> float:
    """Mean Dice of the regions on the network's grid, all sequences at hand."""

    def infer(patches: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found: Tensor = network(torch.from_numpy(patches), torch.ones(len(patches), len(SEQUENCES)))
        return np.asarray(found.float().numpy(), np.float32)

    answer = slide(case.volume.astype(np.float32), infer, patch, step=1.0) > 0.5
    truth = regions_of(case.labels)
    counts = np.stack([overlap_counts(answer[at], truth[at]) for at in range(len(REGIONS))])
    return float(dice_scores(counts).mean())
