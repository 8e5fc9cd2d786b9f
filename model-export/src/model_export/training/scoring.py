"""How good a network in training is."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@torch.no_grad()
def mean_dice(
    network: nn.Module,
    images: Tensor,
    masks: Tensor,
    positions: NDArray[np.int64],
    clinical: Tensor | None = None,
) -> float:
    """Mean Dice a slice at threshold .5 of `positions`; `clinical [N, K]` goes with the images."""
    found: list[Tensor] = []
    for part in np.array_split(positions, max(1, len(positions) // 32)):
        picture = images[part].float().contiguous(memory_format=torch.channels_last)
        vector = () if clinical is None else (clinical[part],)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            predicted = (network.logits(picture, *vector).float() > 0).float()  # type: ignore[operator]
        truth = (masks[part] > 127).float()
        overlap = (predicted * truth).sum(dim=(1, 2, 3))
        found.append((2 * overlap + 1e-6) / (predicted.sum(dim=(1, 2, 3)) + truth.sum(dim=(1, 2, 3)) + 1e-6))
    return float(torch.cat(found).mean())
