"""The fifth project's classifier: VGG16 on the picture, beside the view network's features."""

import torch
from torch import Tensor, nn

from model_export.architectures.blocks import relu
from model_export.architectures.mobilenet import scaled
from model_export.architectures.vgg16 import Vgg16
from model_export.architectures.view import FEATURES

CLASSES = 4
_HIDDEN = 256


class TumorVgg16View(nn.Module):
    """VGG16 at `width`, the mean over its map, concatenated with the 128 view features, a dense layer, four logits.

    The features are scaled by a batch norm of their own: they come from another network, in its units.
    """

    input_names = ("image", "view_features")
    output_names = ("logits",)

    def __init__(self, width: float = 0.25) -> None:
        super().__init__()
        self.encoder = Vgg16(width)
        self.view_norm = nn.BatchNorm1d(FEATURES)
        self.view_dropout = nn.Dropout(0.5)
        inputs = self.encoder.channels + FEATURES
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(inputs, _HIDDEN), relu(), nn.Dropout(0.3))
        self.head = nn.Linear(_HIDDEN, CLASSES)

    def forward(self, image: Tensor, view_features: Tensor) -> Tensor:
        """Gray values `[N, 1, S, S]` 0..255, features `[N, 128]` -> logits `[N, 4]`."""
        maps = self.encoder(scaled(image)).mean(dim=(2, 3))
        view = self.view_dropout(self.view_norm(view_features))
        out: Tensor = self.head(self.classifier(torch.cat([maps, view.to(maps.dtype)], dim=1)))
        return out
