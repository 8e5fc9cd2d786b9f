"""The tumor network: class logits and the map of where their evidence lies, on the picture and the view features."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from model_export.architectures.mobilenet import HEAD_CHANNELS, MobileNetV2, scaled
from model_export.architectures.view import FEATURES

CLASSES = 4
Pooling = Literal["mean", "evidence"]


class TumorNetwork(nn.Module):
    """Dilated MobileNetV2 (stride 16) with a linear head at every position: evidence `e = W F`.

    With `pooling="evidence"`, the published form, `logits = logsumexp(e) - log(positions) + V v + b` with the view
    features v: a few positions with much evidence decide, as a small tumor needs, and `cam = softmax(e)` over the
    positions is the share that each has in the pooled evidence. With `"mean"`, in which the encoder is trained,
    `logits = mean(e) + V v + b` and `cam = e`. Either way the map is no approximation.
    """

    input_names = ("image", "view_features")
    output_names = ("logits", "cam")

    def __init__(self, pooling: Pooling = "evidence") -> None:
        super().__init__()
        self.pooling = pooling
        self.encoder = MobileNetV2(dilated=True)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Conv2d(HEAD_CHANNELS, CLASSES, 1, bias=False)
        self.view_dropout = nn.Dropout(0.5)
        self.view_head = nn.Linear(FEATURES, CLASSES)

    def forward(self, image: Tensor, view_features: Tensor) -> tuple[Tensor, Tensor]:
        """Gray values `[N, 1, S, S]` 0..255, features `[N, 128]` -> logits `[N, 4]`, map `[N, 4, S / 16, S / 16]`."""
        logits, evidence = self.judge(self.encoder(scaled(image)), view_features)
        if self.pooling == "mean":
            return logits, evidence
        return logits, torch.softmax(evidence.flatten(2), dim=2).reshape(evidence.shape)

    def judge(self, maps: Tensor, view_features: Tensor) -> tuple[Tensor, Tensor]:
        """Encoder maps `[N, 1280, h, w]`, features `[N, 128]` -> logits `[N, 4]`, evidence `[N, 4, h, w]`."""
        evidence = self.head(self.dropout(maps))
        of_view = self.view_head(self.view_dropout(view_features))
        if self.pooling == "mean":
            return evidence.mean(dim=(2, 3)) + of_view, evidence
        positions = evidence.shape[2] * evidence.shape[3]
        return torch.logsumexp(evidence.flatten(2), dim=2) - math.log(positions) + of_view, evidence
