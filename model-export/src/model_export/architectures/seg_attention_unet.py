"""A U-Net with attention gates: what is handed across is weighted by what the deeper map looks for."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.blocks import conv_norm, double_conv
from model_export.architectures.mobilenet import scaled

_LEVELS = 4


class AttentionGate(nn.Module):
    """Additive attention: `sigmoid(psi(relu(W x + U g)))` on the deeper map's grid, multiplied into the map `x`."""

    def __init__(self, skip: int, gate: int) -> None:
        super().__init__()
        inner = max(4, skip // 2)
        self.of_skip = nn.Conv2d(skip, inner, 2, 2, bias=False)
        self.of_gate = nn.Sequential(*conv_norm(gate, inner, 1))
        self.psi = nn.Conv2d(inner, 1, 1)

    def forward(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Skip map `[N, skip, H, W]`, deeper map `[N, gate, H / 2, W / 2]` -> the weighted skip map."""
        weight = torch.sigmoid(self.psi(functional.relu(self.of_skip(skip) + self.of_gate(gate))))
        out: Tensor = skip * functional.interpolate(weight, scale_factor=2.0, mode="nearest")
        return out


class SegAttentionUnet(nn.Module):
    """The plain U-Net's levels (`base` channels at the top) with a gate on each map that is handed across."""

    input_names = ("image",)
    output_names = ("probabilities",)

    def __init__(self, base: int = 16) -> None:
        super().__init__()
        widths = [base * 2 ** min(level, _LEVELS - 1) for level in range(_LEVELS + 1)]
        self.down = nn.ModuleList(
            double_conv(1 if level == 0 else widths[level - 1], widths[level]) for level in range(_LEVELS + 1)
        )
        self.dropout = nn.Dropout2d(0.1)
        levels = range(_LEVELS - 1, -1, -1)
        self.gates = nn.ModuleList(AttentionGate(widths[level], widths[level + 1]) for level in levels)
        self.narrow = nn.ModuleList(nn.Conv2d(widths[level + 1], widths[level], 1) for level in levels)
        self.merge = nn.ModuleList(double_conv(2 * widths[level], widths[level]) for level in levels)
        self.head = nn.Conv2d(base, 1, 1)

    def logits(self, image: Tensor) -> Tensor:
        """Gray values `[N, 1, S, S]` 0..255, S a multiple of 16 -> logits `[N, 1, S, S]`."""
        maps, skips = scaled(image), []
        for level, block in enumerate(self.down):
            maps = block(maps if level == 0 else functional.max_pool2d(maps, 2))
            skips.append(maps)
        maps = self.dropout(skips.pop())
        for gate, narrow, merge in zip(self.gates, self.narrow, self.merge, strict=True):
            weighted = gate(skips.pop(), maps)
            wide = functional.interpolate(narrow(maps), scale_factor=2.0, mode="nearest")
            maps = merge(torch.cat([wide, weighted], dim=1))
        out: Tensor = self.head(maps)
        return out

    def forward(self, image: Tensor) -> Tensor:
        """As `logits`, but probabilities `[N, 1, S, S]`."""
        return torch.sigmoid(self.logits(image))
