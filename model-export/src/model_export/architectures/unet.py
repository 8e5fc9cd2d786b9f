"""A U-Net with the MobileNetV2 encoder, a light decoder, and (where a clinical vector is read) FiLM in between."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.mobilenet import SKIP_CHANNELS, MobileNetV2, scaled

_DECODER = (96, 64, 40, 24)


def _block(inputs: int, outputs: int, layers: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for layer in range(layers):
        parts += [
            nn.Conv2d(inputs if layer == 0 else outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*parts)


class Film(nn.Module):
    """Feature-wise scale and shift of the deepest map, computed from the clinical vector; the identity at first."""

    def __init__(self, features: int, channels: int, hidden: int = 32) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, hidden)
        self.affine = nn.Linear(hidden, 2 * channels)
        nn.init.zeros_(self.affine.weight)
        nn.init.zeros_(self.affine.bias)

    def forward(self, maps: Tensor, clinical: Tensor) -> Tensor:
        """Maps `[N, channels, h, w]`, vector `[N, features]` -> `(1 + gamma) * maps + beta`."""
        gamma, beta = self.affine(functional.relu(self.hidden(clinical))).chunk(2, dim=1)
        out: Tensor = maps * (1.0 + gamma[:, :, None, None]) + beta[:, :, None, None]
        return out


class UNet(nn.Module):
    """Encoder at strides 2 to 32, decoder back to 1: the last step is a pixel shuffle refined beside the picture.

    `channels` is the number of input sequences, `clinical` the length of the clinical vector (0: no FiLM).
    """

    output_names = ("probabilities",)

    def __init__(self, channels: int = 1, clinical: int = 0) -> None:
        super().__init__()
        self.input_names = ("image", "clinical") if clinical else ("image",)
        self.encoder = MobileNetV2(channels, head=False)
        self.dropout = nn.Dropout2d(0.1)
        self.film = Film(clinical, SKIP_CHANNELS[-1]) if clinical else None
        blocks, inputs = [], SKIP_CHANNELS[-1]
        for depth, outputs in enumerate(_DECODER):
            skip = SKIP_CHANNELS[-2 - depth]
            blocks.append(_block(inputs + skip, outputs, 1 if outputs == _DECODER[-1] else 2))
            inputs = outputs
        self.decoder = nn.ModuleList(blocks)
        self.expand = nn.Conv2d(inputs, 32, 1)
        self.refine = _block(8 + channels, 8, 1)
        self.head = nn.Conv2d(8, 1, 1)
        nn.init.constant_(self.head.bias, -2.0) if self.head.bias is not None else None

    def logits(self, image: Tensor, clinical: Tensor | None = None) -> Tensor:
        """Gray values `[N, channels, S, S]` 0..255 (and the vector `[N, K]`) -> logits `[N, 1, S, S]`."""
        picture = scaled(image)
        *skips, maps = self.encoder.pyramid(picture)
        if self.film is not None:
            if clinical is None:
                raise ValueError("this network reads a clinical vector")
            maps = self.film(maps, clinical)
        return self.decode_from(0, self.dropout(maps), skips, picture)

    def decode_from(self, depth: int, maps: Tensor, skips: list[Tensor], picture: Tensor) -> Tensor:
        """The map before decoder step `depth`, the skipped maps (strides 2 to 16), the picture -> `[N, 1, S, S]`."""
        for step in range(depth, len(self.decoder)):
            maps = self.rise(step, maps, skips)
        fine = functional.pixel_shuffle(self.expand(maps), 2)
        out: Tensor = self.head(self.refine(torch.cat([fine, picture], dim=1)))
        return out

    def rise(self, depth: int, maps: Tensor, skips: list[Tensor]) -> Tensor:
        """One step of the decoder: twice as fine, joined with the skipped map of that stride."""
        finer = functional.interpolate(maps, scale_factor=2.0, mode="nearest")
        out: Tensor = self.decoder[depth](torch.cat([finer, skips[-1 - depth]], dim=1))
        return out

    def forward(self, image: Tensor, clinical: Tensor | None = None) -> Tensor:
        """As `logits`, but probabilities `[N, 1, S, S]`."""
        return torch.sigmoid(self.logits(image, clinical))
