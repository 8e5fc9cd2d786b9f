"""The zoo: every architecture of the five projects, and how each is trained. Read without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from model_export.datasets.split import Fold
from model_export.training.config import TrainingConfig
from service_kit.contracts.common import BINARY_LABELS, TUMOR_LABELS, VIEW_LABELS

if TYPE_CHECKING:
    from torch import nn

ZooKind = Literal["classifier", "segmenter", "view"]


@dataclass(frozen=True, slots=True)
class ZooEntry:
    """One network of the zoo: what it answers, and its recipe.

    `architecture` is `module:class` under `architectures`. The first `small_epochs` run at `small_size` px. `limit` is
    the number of slices an epoch (0: all), `note` what the card says of its size.
    """

    name: str
    kind: ZooKind
    labels: tuple[str, ...]
    architecture: str
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

    def build(self) -> "nn.Module":
        """An untrained network. PyTorch is loaded here and not before: the catalog is read without it."""
        module, name = self.architecture.split(":")
        network: nn.Module = getattr(import_module(f"model_export.architectures.{module}"), name)()
        return network

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
        "detector_cnn:DetectorCnn",
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
        "tumor_cnn:TumorCnn",
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
        "view_vgg16:ViewVgg16",
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
        "tumor_vgg16_view:TumorVgg16View",
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
        "tumor_resnet50:TumorResnet50",
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
        "tumor_vit_cnn:TumorVitCnn",
        "cross_entropy",
        epochs=8,
        rate=1e-3,
        note="four stride-2 convolutions, four transformer blocks of width 128, from scratch",
    ),
    ZooEntry(
        "seg-unet",
        "segmenter",
        ("tumor",),
        "seg_unet:SegUnet",
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
        "seg_resunet:SegResunet",
        "focal_tversky_bce",
        epochs=6,
        rate=2e-3,
        small_epochs=4,
        batch=16,
        limit=2400,
        note="residual blocks, 16 channels at the top, from scratch; cross-entropy beside the focal Tversky loss",
    ),
    ZooEntry(
        "seg-attention-unet",
        "segmenter",
        ("tumor",),
        "seg_attention_unet:SegAttentionUnet",
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
