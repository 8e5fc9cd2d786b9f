"""The residual U-Net of the third and fourth projects: every block adds its input."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.blocks import conv_norm, relu
from model_export.architectures.mobilenet import scaled

_LEVELS = 4


class ResidualBlock(nn.Module):
    """Two convolutions beside a 1 x 1 one; their sum goes through a ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(*conv_norm(inputs, outputs, activation=relu), *conv_norm(outputs, outputs))
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps `[N, inputs, H, W]` -> `[N, outputs, H, W]`."""
        return functional.relu(self.branch(maps) + self.shortcut(maps))


class SegResunet(nn.Module):
    """`base` channels at the top, twice as many at each of four levels below (the last keeps them).

    Down by a 2 x 2 maximum, up by repeating each pixel.
    """

    input_names = ("image",)
    output_names = ("probabilities",)

    def __init__(self, base: int = 16) -> None:
        super().__init__()
        widths = [base * 2 ** min(level, _LEVELS - 1) for level in range(_LEVELS + 1)]
        self.down = nn.ModuleList(
            ResidualBlock(1 if level == 0 else widths[level - 1], widths[level]) for level in range(_LEVELS + 1)
        )
        self.dropout = nn.Dropout2d(0.1)
        levels = range(_LEVELS - 1, -1, -1)
        self.narrow = nn.ModuleList(nn.Conv2d(widths[level + 1], widths[level], 1) for level in levels)
        self.up = nn.ModuleList(ResidualBlock(2 * widths[level], widths[level]) for level in levels)
        self.head = nn.Conv2d(base, 1, 1)

    def logits(self, image: Tensor) -> Tensor:
        """Gray values `[N, 1, S, S]` 0..255, S a multiple of 16 -> logits `[N, 1, S, S]`."""
        maps, skips = scaled(image), []
        for level, block in enumerate(self.down):
            maps = block(maps if level == 0 else functional.max_pool2d(maps, 2))
            skips.append(maps)
        maps = self.dropout(skips.pop())
        for narrow, block in zip(self.narrow, self.up, strict=True):
            wide = functional.interpolate(narrow(maps), scale_factor=2.0, mode="nearest")
            maps = block(torch.cat([wide, skips.pop()], dim=1))
        out: Tensor = self.head(maps)
        return out

    def forward(self, image: Tensor) -> Tensor:
        """As `logits`, but probabilities `[N, 1, S, S]`."""
        return torch.sigmoid(self.logits(image))
