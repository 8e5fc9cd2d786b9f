"""Losses of the segmentation networks."""

from torch import Tensor
from torch.nn import functional


def dice_bce(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy a pixel plus one minus the soft Dice of each slice that has a tumor.

    Args:
        logits: `[N, 1, S, S]`, float32.
        masks: `[N, 1, S, S]`, 0..1.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, masks)
    probabilities = logits.sigmoid()
    overlap = (probabilities * masks).sum(dim=(1, 2, 3))
    total = probabilities.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3))
    present = (masks.sum(dim=(1, 2, 3)) > 1.0).float()
    dice = (2.0 * overlap + 1.0) / (total + 1.0)
    return entropy + ((1.0 - dice) * present).sum() / present.sum().clamp_min(1.0)
