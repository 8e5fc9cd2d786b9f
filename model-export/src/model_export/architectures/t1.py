"""One network for a slice of T1: which tumor, where its evidence lies, and its outline.

Class and outline are learned together, because each tells the other what it cannot see alone: the outline where to
look, the class what to look for. They are published as two models that share their weights' origin, not their file.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.mobilenet import SKIP_CHANNELS, scaled
from model_export.architectures.unet import UNet
from model_export.architectures.view import FEATURES

CLASSES = 4
_CONTEXT, _JOINED = 256, 192


def _point_norm(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class T1Network(nn.Module):
    """A U-Net, and beside its first decoder step (stride 16) a linear head at every position: evidence `e`.

    `logits = logsumexp(e) - log(positions) + V v` with the view features v: a few positions with much evidence decide,
    as a small tumor needs, and `cam = softmax(e)` over the positions is the share that each has in the pooled
    evidence. The map is no approximation.

    Training draws and weighs the classes more evenly than they come; `prior` takes that out of the logits again when
    the network judges (logit adjustment, Menon et al. 2021).
    """

    prior: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet()
        self.context = _point_norm(SKIP_CHANNELS[-1], _CONTEXT)
        self.joined = _point_norm(_CONTEXT + SKIP_CHANNELS[-2], _JOINED)
        self.dropout = nn.Dropout2d(0.2)
        self.evidence = nn.Conv2d(_JOINED, CLASSES, 1, bias=False)
        self.view_dropout = nn.Dropout(0.5)
        self.view_head = nn.Linear(FEATURES, CLASSES)
        nn.init.normal_(self.evidence.weight, std=0.01)
        self.register_buffer("prior", torch.zeros(CLASSES))

    def judge(self, image: Tensor, view_features: Tensor, *, outline: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """Gray values `[N, 1, S, S]` 0..255, features `[N, 128]` -> class logits, evidence, and outline logits.

        They are `[N, 4]`, `[N, 4, S / 16, S / 16]` and `[N, 1, S, S]`; without `outline` the last one is empty.
        """
        picture = scaled(image)
        *skips, deep = self.unet.encoder.pyramid(picture)
        near = self.unet.rise(0, self.unet.dropout(deep), skips)
        around = functional.interpolate(self.context(deep), scale_factor=2.0, mode="nearest")
        evidence = self.evidence(self.dropout(self.joined(torch.cat([around, near], dim=1))))
        positions = evidence.shape[2] * evidence.shape[3]
        pooled = torch.logsumexp(evidence.flatten(2).float(), dim=2) - math.log(positions)
        logits = pooled + self.view_head(self.view_dropout(view_features))
        if not self.training:
            logits = logits + self.prior
        if not outline:
            return logits, evidence, image.new_empty(0)
        return logits, evidence, self.unet.decode_from(1, near, skips, picture)


class TumorHalf(nn.Module):
    """The tumor model as it is served: logits `[N, 4]` and the evidence map `[N, 4, S / 16, S / 16]`."""

    input_names = ("image", "view_features")
    output_names = ("logits", "cam")

    def __init__(self, network: T1Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, view_features: Tensor) -> tuple[Tensor, Tensor]:
        """Gray values `[N, 1, S, S]` 0..255, features `[N, 128]` -> logits and the shares of each position."""
        logits, evidence, _ = self.network.judge(image, view_features, outline=False)
        return logits, torch.softmax(evidence.flatten(2), dim=2).reshape(evidence.shape)


class OutlineHalf(nn.Module):
    """The T1 segmentation model as it is served: probabilities `[N, 1, S, S]`."""

    input_names = ("image",)
    output_names = ("probabilities",)

    def __init__(self, network: T1Network) -> None:
        super().__init__()
        self.unet = network.unet

    def forward(self, image: Tensor) -> Tensor:
        """Gray values `[N, 1, S, S]` 0..255 -> probabilities `[N, 1, S, S]`."""
        out: Tensor = self.unet(image)
        return out
