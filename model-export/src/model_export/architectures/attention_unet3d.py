"""The 3D U-Net with attention gates: what is handed across is weighted by what the deeper map looks for."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model_export.architectures.unet3d import WIDTHS, UNet3d, conv_norm, steadily


class AttentionGate3d(nn.Module):
    """Additive attention (Oktay et al. 2018): `sigmoid(psi(relu(W x + U g)))` on the deeper map's grid, times `x`."""

    def __init__(self, skip: int, gate: int) -> None:
        super().__init__()
        inner = max(8, skip // 2)
        self.of_skip = nn.Conv3d(skip, inner, 2, 2, bias=False)
        self.of_gate = nn.Sequential(*conv_norm(gate, inner, 1))
        self.psi = nn.Conv3d(inner, 1, 1)
        # Open at first: the gates learn what to shut.
        nn.init.constant_(self.psi.bias, 2.0) if self.psi.bias is not None else None

    def forward(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Skip map `[N, skip, x, y, z]`, deeper map `[N, gate, x / 2, y / 2, z / 2]` -> the weighted skip map."""
        weight = torch.sigmoid(self.psi(functional.relu(self.of_skip(skip) + self.of_gate(gate))))
        out: Tensor = skip * functional.interpolate(weight, scale_factor=2.0, mode="nearest")
        return out


class AttentionUNet3d(UNet3d):
    """`UNet3d` with a gate on each map that is handed across; all else is the same, so that the two can be compared."""

    def __init__(self, *, residual: bool = False, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__(residual=residual, widths=widths)
        levels = range(len(widths) - 2, -1, -1)
        self.gates = nn.ModuleList(AttentionGate3d(widths[level], widths[level + 1]) for level in levels)

    def hand_across(self, step: int, skip: Tensor, deeper: Tensor) -> Tensor:
        """The map of the way down, weighted."""
        return steadily(self.gates[step], skip, deeper)
