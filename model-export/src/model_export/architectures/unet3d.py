"""A 3D U-Net that reads 1 mm voxels and works on 2 mm ones: the finest level costs most, and is left out."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

SEQUENCES, REGIONS = 4, 3
WIDTHS = (24, 48, 96, 128, 160)
STRIDE = 2 * 2 ** (len(WIDTHS) - 1)
"""A patch's side is a multiple of this, in voxels."""
_TINY = 3
"""Positions a side of maps on which bfloat16 is not trusted."""


def conv_norm(inputs: int, outputs: int, kernel: int = 3) -> list[nn.Module]:
    """Convolution that keeps the size, and its batch norm: side by side, so that they fold at export."""
    return [nn.Conv3d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm3d(outputs)]


def double_conv(inputs: int, outputs: int) -> nn.Sequential:
    """Twice convolution, batch norm, ReLU."""
    return nn.Sequential(
        *conv_norm(inputs, outputs),
        nn.ReLU(inplace=True),
        *conv_norm(outputs, outputs),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two convolutions beside a short cut (a point convolution where the width changes)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.path = nn.Sequential(*conv_norm(inputs, outputs), nn.ReLU(inplace=True), *conv_norm(outputs, outputs))
        self.short = nn.Identity() if inputs == outputs else nn.Sequential(*conv_norm(inputs, outputs, 1))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps `[N, inputs, x, y, z]` -> `[N, outputs, x, y, z]`."""
        return functional.relu(self.path(maps) + self.short(maps))


def steadily(block: nn.Module, *maps: Tensor) -> Tensor:
    """`block(*maps)`, in float32 where the maps are tiny.

    There the CPU's bfloat16 gradient of a convolution's weights is now and then no number (seen with torch 2.13 on
    maps of two positions a side), which would end a training.
    """
    if not torch.is_autocast_enabled("cpu") or min(min(one.shape[2:]) for one in maps) > _TINY:
        return block(*maps)  # type: ignore[no-any-return]
    with torch.autocast("cpu", enabled=False):
        return block(*(one.float() for one in maps))  # type: ignore[no-any-return]


class UNet3d(nn.Module):
    """Sequences and presence flags in, three nested regions out.

    A strided convolution takes 2 x 2 x 2 voxels to one position, a transposed one takes positions back to voxels. The
    flags are constant maps beside the stem's: the network can tell a missing sequence from a dark one. The regions are
    whole tumor, tumor core and enhancing tumor, each with its own sigmoid: they overlap, and they are what is judged.

    Args:
        residual: short cuts around the blocks.
        widths: channels from the finest level down.
    """

    input_names = ("volume", "present")
    output_names = ("probabilities",)

    def __init__(self, *, residual: bool = False, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        block: Callable[[int, int], nn.Module] = ResidualBlock if residual else double_conv
        self.stem = nn.Sequential(
            nn.Conv3d(SEQUENCES, widths[0], 2, 2, bias=False), nn.BatchNorm3d(widths[0]), nn.ReLU(inplace=True)
        )
        inputs = (widths[0] + SEQUENCES, *widths[:-1])
        self.down = nn.ModuleList(block(above, here) for above, here in zip(inputs, widths, strict=True))
        levels = range(len(widths) - 2, -1, -1)
        self.narrow = nn.ModuleList(nn.Conv3d(widths[level + 1], widths[level], 1) for level in levels)
        self.merge = nn.ModuleList(block(2 * widths[level], widths[level]) for level in levels)
        self.coarse = nn.Conv3d(widths[1], REGIONS, 1)
        self.head = nn.ConvTranspose3d(widths[0], REGIONS, 2, 2)
        for layer in (self.coarse, self.head):
            nn.init.constant_(layer.bias, -2.0) if layer.bias is not None else None

    def hand_across(self, step: int, skip: Tensor, deeper: Tensor) -> Tensor:  # noqa: ARG002 - what gates need
        """The map of the way down that decoder step `step` joins with the deeper map."""
        return skip

    def both_logits(self, volume: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """As `logits`, and those of the decoder level before, `[N, 3, x / 4, y / 4, z / 4]`: for deep supervision."""
        maps = self.stem(volume)
        flags = present[:, :, None, None, None].to(maps.dtype).expand(-1, -1, *maps.shape[2:])
        maps, skips = torch.cat([maps, flags], dim=1), []
        for level, block in enumerate(self.down):
            maps = steadily(block, maps if level == 0 else functional.max_pool3d(maps, 2))
            skips.append(maps)
        skips.pop()
        coarse = maps
        for step, (narrow, merge) in enumerate(zip(self.narrow, self.merge, strict=True)):
            coarse = maps
            wide = functional.interpolate(steadily(narrow, maps), scale_factor=2.0, mode="nearest")
            maps = steadily(merge, torch.cat([wide, self.hand_across(step, skips.pop(), coarse)], dim=1))
        return self.head(maps), self.coarse(coarse)

    def logits(self, volume: Tensor, present: Tensor) -> Tensor:
        """Standardized sequences `[N, 4, x, y, z]` (0 where missing), flags `[N, 4]` -> logits `[N, 3, x, y, z]`.

        Each side is a multiple of `STRIDE`.
        """
        return self.both_logits(volume, present)[0]

    def forward(self, volume: Tensor, present: Tensor) -> Tensor:
        """As `logits`, but probabilities `[N, 3, x, y, z]`."""
        return torch.sigmoid(self.logits(volume, present))
