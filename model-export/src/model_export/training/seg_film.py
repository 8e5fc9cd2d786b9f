"""Training of the FLAIR segmentation network with its clinical FiLM."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model_export.architectures.batchnorm import restore_batchnorm
from model_export.architectures.mobilenet import scaled
from model_export.architectures.unet import UNet
from model_export.datasets.clinical import empty_record, feature_names, read_clinical
from model_export.datasets.film_set import film_set
from model_export.datasets.lgg import SEQUENCES
from model_export.datasets.split import members
from model_export.training.augmentation import Augmentation
from model_export.training.clinical import encode, fitted_columns
from model_export.training.config import TrainingConfig
from model_export.training.losses import batch_dice_bce
from model_export.training.scoring import mean_dice
from model_export.training.view import IMAGENET
from service_kit.inference.preprocessing import Preprocessing

_EMPTY_SHARE = 0.5
_NO_RECORD, _NO_FIELD = 0.4, 0.15
_MISSING_SEQUENCES = ((0, 2), (0,), (2,))
_MISSING_SHARES = (0.2, 0.08, 0.07)


class SegFilmTask:
    """Tumor slices and a share of empty ones; sequences and clinical fields go missing at random.

    A missing sequence is replaced by the FLAIR, a missing field by NaN before the clinical encoding, so that FLAIR
    alone with an empty record is a case that the network has seen often.
    """

    def __init__(self, root: Path, cache: Path, config: TrainingConfig) -> None:
        self._config = config
        found = film_set(root, Preprocessing(size=config.size), cache, config.of_fold)
        if found.pictures.masks is None:
            raise ValueError("the segmentation sets have no masks")
        self.split = found.split.with_validation(config.seed) if config.patience else found.split
        self._images = torch.from_numpy(found.pictures.images)
        self._masks = torch.from_numpy(found.pictures.masks)[:, None]
        table = read_clinical(root)
        has_tumor = np.asarray((found.pictures.masks > 127).any(axis=(1, 2)), np.bool_)
        train = np.array(members(found.groups, self.split.train))
        self._tumor, self._empty = train[has_tumor[train]], train[~has_tumor[train]]
        fitted_on = sorted({found.patients[at] for at in train} & set(table))
        self._columns = fitted_columns(np.array([table[patient] for patient in fitted_on]))
        self._records = np.array([table.get(patient, empty_record()) for patient in found.patients])
        if config.record == "none":
            self._records[:] = np.nan
        if config.record == "shuffled":
            self._records = _exchanged(self._records, found.patients, config.seed)
        self._vectors = torch.from_numpy(encode(self._records, self._columns))
        validation = np.array(members(found.groups, self.split.validation), np.int64)
        self._validation = validation[has_tumor[validation] & found.is_lgg[validation]]
        self.size = config.size
        self._augmentation = Augmentation(turned_share=config.turned_share, rotation_deg=15.0, noise=0.04)
        self.network: nn.Module = UNet(channels=len(SEQUENCES), clinical=len(feature_names()))
        self.network.encoder.load_imagenet(torch.load(root / IMAGENET, weights_only=True))
        sample = self._images[train[:: max(1, len(train) // 96)]]
        restore_batchnorm(self.network.encoder, scaled(sample))

    def draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        """Every tumor slice once, and half as many empty slices, others each time."""
        wanted = min(len(self._empty), round(_EMPTY_SHARE * len(self._tumor)))
        order = random.permutation(np.concatenate([self._tumor, random.choice(self._empty, wanted, replace=False)]))
        return order[: self._config.limit] if self._config.limit else order

    def loss(self, positions: NDArray[np.int64], generator: torch.Generator) -> Tensor:
        """Dice and cross-entropy of one augmented batch with missing sequences and fields."""
        images = drop_sequences(self._images[positions], generator)
        picture, mask = self._augmentation.apply(images, self._masks[positions], generator, self.size)
        if mask is None:
            raise ValueError("the augmentation lost the masks")
        vectors = torch.from_numpy(encode(drop_fields(self._records[positions], generator), self._columns))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.network.logits(picture.contiguous(memory_format=torch.channels_last), vectors)  # type: ignore[operator]
        return batch_dice_bce(logits.float(), mask)

    def score(self, network: nn.Module) -> float:
        """Mean Dice a slice over the validation patients' tumor slices, with all that is known of them."""
        found: float = mean_dice(network, self._images, self._masks, self._validation, self._vectors)
        return found


def _exchanged(records: NDArray[np.float64], patients: list[str], seed: int) -> NDArray[np.float64]:
    """Every patient gets another patient's record, on all slices the same: the control arm."""
    names = sorted(set(patients))
    order = np.random.default_rng(seed).permutation(len(names))
    first = {name: patients.index(name) for name in names}
    # Round the shuffled circle by one: nobody keeps the own record.
    other = {names[a]: names[b] for a, b in zip(order, np.roll(order, 1), strict=True)}
    return records[[first[other[patient]] for patient in patients]]


def drop_sequences(images: Tensor, generator: torch.Generator) -> Tensor:
    """A copy of `images [N, 3, S, S]` in which some pictures' t1 or t1ce (or both) are replaced by the FLAIR."""
    images = images.clone()
    chance = torch.rand(len(images), generator=generator)
    low = 0.0
    for channels, share in zip(_MISSING_SEQUENCES, _MISSING_SHARES, strict=True):
        chosen = (chance >= low) & (chance < low + share)
        for channel in channels:
            images[chosen, channel] = images[chosen, SEQUENCES.index("flair")]
        low += share
    return images


def drop_fields(records: NDArray[np.float64], generator: torch.Generator) -> NDArray[np.float64]:
    """A copy of raw records `[N, columns]` in which whole records or single fields are missing (NaN)."""
    whole = torch.rand(len(records), 1, generator=generator).numpy() < _NO_RECORD
    single = torch.rand(*records.shape, generator=generator).numpy() < _NO_FIELD
    return np.where(whole | single, np.nan, records)
