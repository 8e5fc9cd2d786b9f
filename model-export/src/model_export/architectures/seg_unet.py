"""The plain U-Net: four halvings, four doublings, the maps of the way down handed across."""

import torch
from torch import Tensor, nn

from model_export.architectures.blocks import double_conv
from model_export.architectures.mobilenet import scaled

_LEVELS = 4


class SegUnet(nn.Module):
    """Two convolutions a level, `base` channels at the top and twice as many at each level below.

    The last level keeps the channels of the one above it. Up by a 2 x 2 transposed convolution.
    """

    input_names = ("image",)
    output_names = ("probabilities",)

    def __init__(self, base: int = 16) -> None:
        super().__init__()
        widths = [base * 2 ** min(level, _LEVELS - 1) for level in range(_LEVELS + 1)]
        self.down = nn.ModuleList(
            double_conv(1 if level == 0 else widths[level - 1], widths[level]) for level in range(_LEVELS + 1)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(0.1)
        levels = range(_LEVELS - 1, -1, -1)
        self.up = nn.ModuleList(nn.ConvTranspose2d(widths[level + 1], widths[level], 2, 2) for level in levels)
        self.merge = nn.ModuleList(double_conv(2 * widths[level], widths[level]) for level in levels)
        self.head = nn.Conv2d(base, 1, 1)

    def logits(self, image: Tensor) -> Tensor:
        """Gray values `[N, 1, S, S]` 0..255, S a multiple of 16 -> logits `[N, 1, S, S]`."""
        maps, skips = scaled(image), []
        for level, block in enumerate(self.down):
            maps = block(maps if level == 0 else self.pool(maps))
            skips.append(maps)
        maps = self.dropout(skips.pop())
        for up, merge in zip(self.up, self.merge, strict=True):
            maps = merge(torch.cat([up(maps), skips.pop()], dim=1))
        out: Tensor = self.head(maps)
        return out

    def forward(self, image: Tensor) -> Tensor:
        """As `logits`, but probabilities `[N, 1, S, S]`."""
        return torch.sigmoid(self.logits(image))
