"""The zoo: every architecture of the five projects, how each is trained, and the task that trains it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
from torch import nn

from model_export.architectures.detector_cnn import DetectorCnn
from model_export.architectures.seg_attention_unet import SegAttentionUnet
from model_export.architectures.seg_resunet import SegResunet
from model_export.architectures.seg_unet import SegUnet
from model_export.architectures.tumor_cnn import TumorCnn
from model_export.architectures.tumor_resnet50 import TumorResnet50
from model_export.architectures.tumor_vgg16_view import TumorVgg16View
from model_export.architectures.tumor_vit_cnn import TumorVitCnn
from model_export.architectures.view_vgg16 import ViewVgg16
from model_export.datasets.slices import fold_slices, slice_pictures
from model_export.datasets.split import Fold
from model_export.datasets.tumor_set import tumor_pictures, tumor_samples
from model_export.datasets.view_set import view_pictures, view_samples
from model_export.training.config import TrainingConfig
from model_export.training.loop import Task, load_checkpoint
from model_export.training.t1 import view_features
from model_export.training.zoo_classifier import LabelledSlices, ZooClassifierTask
from model_export.training.zoo_segmenter import OutlinedSlices, ZooSegmenterTask
from service_kit.contracts.common import TUMOR_LABELS, VIEW_LABELS
from service_kit.inference.preprocessing import Preprocessing

ZooKind = Literal["classifier", "segmenter", "view"]
BINARY_LABELS = ("no_tumor", "tumor")
_NO_TUMOR = "no_tumor"


@dataclass(frozen=True, slots=True)
class ZooEntry:
    """One network of the zoo: what it answers, and its recipe.

    The first `small_epochs` run at `small_size` px. `limit` is the number of slices an epoch (0: all), `note` what
    the card says of its size.
    """

    name: str
    kind: ZooKind
    labels: tuple[str, ...]
    build: Callable[[], nn.Module]
    loss: str
    epochs: int
    rate: float
    note: str
    size: int = 128
    small_size: int = 64
    small_epochs: int = 0
    batch: int = 32
    limit: int = 0
    patience: int = 0
    needs_view_features: bool = False

    def config(self, fold: Fold) -> TrainingConfig:
        """The recipe for a fold."""
        recipe = TrainingConfig(
            name=self.name,
            size=self.size,
            epochs=self.epochs,
            small_size=self.small_size,
            small_epochs=self.small_epochs,
            batch=self.batch,
            rate=self.rate,
            limit=self.limit,
            patience=self.patience,
            ema_decay=0.99,
        )
        return recipe.for_fold(fold)


_ENTRIES = (
    ZooEntry(
        "detector-cnn",
        "classifier",
        BINARY_LABELS,
        DetectorCnn,
        "bce",
        epochs=9,
        rate=1e-3,
        patience=3,
        note="four convolutions, full size; early stopping on a tenth of the training patients",
    ),
    ZooEntry(
        "tumor-cnn",
        "classifier",
        TUMOR_LABELS,
        TumorCnn,
        "cross_entropy",
        epochs=9,
        rate=2e-3,
        small_epochs=2,
        note="nine convolutions with batch norm, full size",
    ),
    ZooEntry(
        "view-vgg16",
        "view",
        VIEW_LABELS,
        ViewVgg16,
        "cross_entropy",
        epochs=6,
        rate=1.5e-3,
        small_epochs=4,
        limit=4000,
        note="width 1/4 of VGG16, batch norm, from scratch",
    ),
    ZooEntry(
        "tumor-vgg16-view",
        "classifier",
        TUMOR_LABELS,
        TumorVgg16View,
        "cross_entropy",
        epochs=7,
        rate=1.5e-3,
        small_epochs=5,
        needs_view_features=True,
        note="width 1/4 of VGG16, batch norm, from scratch, beside the features of the published view network",
    ),
    ZooEntry(
        "tumor-resnet50",
        "classifier",
        TUMOR_LABELS,
        TumorResnet50,
        "cross_entropy",
        epochs=8,
        rate=1.5e-3,
        small_epochs=4,
        note="width 1/4 of ResNet50, last stage at stride 16, from scratch",
    ),
    ZooEntry(
        "tumor-vit-cnn",
        "classifier",
        TUMOR_LABELS,
        TumorVitCnn,
        "cross_entropy",
        epochs=8,
        rate=1e-3,
        note="four stride-2 convolutions, four transformer blocks of width 128, from scratch",
    ),
    ZooEntry(
        "seg-unet",
        "segmenter",
        ("tumor",),
        SegUnet,
        "bce",
        epochs=6,
        rate=2e-3,
        small_epochs=4,
        batch=16,
        limit=2400,
        note="16 channels at the top in place of 64, from scratch",
    ),
    ZooEntry(
        "seg-resunet",
        "segmenter",
        ("tumor",),
        SegResunet,
        "focal_tversky",
        epochs=6,
        rate=2e-3,
        small_epochs=4,
        batch=16,
        limit=2400,
        note="residual blocks, 16 channels at the top, from scratch",
    ),
    ZooEntry(
        "seg-attention-unet",
        "segmenter",
        ("tumor",),
        SegAttentionUnet,
        "dice_bce",
        epochs=6,
        rate=2e-3,
        small_epochs=4,
        batch=16,
        limit=2400,
        note="attention gates, 16 channels at the top in place of 64, from scratch",
    ),
)
ZOO: Mapping[str, ZooEntry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Every network of the zoo that is trained by its own recipe; seg-film-unet is the default seg-flair-film."""


def zoo_task(entry: ZooEntry, root: Path, cache_pictures: Path, fold: Fold, view_checkpoint: Path) -> Task:
    """The task that trains `entry` for `fold` on the sets under `root`.

    Args:
        entry: one of `ZOO`.
        root: the development sets.
        cache_pictures: where pictures on a model's grid are kept.
        fold: what is left for testing.
        view_checkpoint: of the view network that was trained on the same fold; read where the entry needs its features.

    Raises:
        FileNotFoundError: a set, or the view checkpoint, is absent.
    """
    config = entry.config(fold)
    torch.manual_seed(config.seed)
    network = entry.build()
    if entry.kind == "segmenter":
        return _segmenter_task(entry, network, config, root, cache_pictures)
    if entry.kind == "view":
        views, split = view_samples(root, fold)
        pictures = view_pictures(views, Preprocessing(size=entry.size), cache_pictures)
        slices = LabelledSlices(
            torch.from_numpy(pictures.images),
            np.array([entry.labels.index(s.plane) for s in views]),
            [s.group for s in views],
            np.ones(len(views), np.bool_),
        )
        return ZooClassifierTask(network, slices, split, config, even_classes=True)
    samples, split = tumor_samples(root, fold)
    images = torch.from_numpy(tumor_pictures(samples, Preprocessing(size=entry.size), cache_pictures).images)
    features = None
    if entry.needs_view_features:
        state, view_config, _ = load_checkpoint(view_checkpoint)
        seen = tumor_pictures(samples, Preprocessing(size=view_config.size), cache_pictures).images
        features = view_features(state, torch.from_numpy(seen))
    slices = LabelledSlices(
        images,
        np.array([entry.labels.index(tumor_label(s.label, entry.labels)) for s in samples]),
        [s.group for s in samples],
        np.array([s.main for s in samples]),
        features,
    )
    return ZooClassifierTask(network, slices, split, config)


def tumor_label(label: str, labels: tuple[str, ...]) -> str:
    """A slice's class in a network's own words: every tumor is `tumor` to a binary one."""
    return label if label in labels or label == _NO_TUMOR else BINARY_LABELS[1]


def _segmenter_task(
    entry: ZooEntry, network: nn.Module, config: TrainingConfig, root: Path, cache_pictures: Path
) -> Task:
    records, split = fold_slices(root, config.of_fold)
    pictures = slice_pictures(records, Preprocessing(size=entry.size), cache_pictures)
    if pictures.masks is None:
        raise ValueError("t1_slices has no masks")
    slices = OutlinedSlices(
        torch.from_numpy(pictures.images),
        torch.from_numpy(pictures.masks)[:, None],
        [r.group for r in records],
        np.array([r.mask is not None for r in records]),
    )
    return ZooSegmenterTask(network, slices, split, config, entry.loss)
