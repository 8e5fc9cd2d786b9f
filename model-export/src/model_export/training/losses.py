"""Losses of the segmentation networks and of the binary detector."""

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


def batch_dice_bce(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy a pixel plus one minus the soft Dice of the whole batch: large slices count as in a volume.

    Args:
        logits: `[N, 1, S, S]`, float32.
        masks: `[N, 1, S, S]`, 0..1.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, masks)
    probabilities = logits.sigmoid()
    dice = (2.0 * (probabilities * masks).sum() + 1.0) / (probabilities.sum() + masks.sum() + 1.0)
    return entropy + 1.0 - dice


def region_dice_bce(logits: Tensor, regions: Tensor) -> Tensor:
    """Cross-entropy a voxel plus one minus the soft Dice of each region over the batch, averaged over regions.

    Args:
        logits: `[N, R, x, y, z]`, float32.
        regions: the same shape, 0..1; regions may overlap.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, regions)
    probabilities, axes = logits.sigmoid(), (0, 2, 3, 4)
    overlap = (probabilities * regions).sum(dim=axes)
    total = probabilities.sum(dim=axes) + regions.sum(dim=axes)
    return entropy + 1.0 - ((2.0 * overlap + 1.0) / (total + 1.0)).mean()


def bce(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean binary cross-entropy. `logits` and `targets` (0..1) have the same shape, whatever it is."""
    return functional.binary_cross_entropy_with_logits(logits, targets)


def focal(logits: Tensor, targets: Tensor, gamma: float = 2.0, alpha: float = 0.25) -> Tensor:
    """Binary focal loss: cross-entropy weighted by `(1 - p of the truth) ** gamma`, and by `alpha` for the positives.

    Args:
        logits: any shape.
        targets: the same shape, 0..1.
        gamma: how little the easy ones count; 0 is the weighted cross-entropy.
        alpha: the weight of the positives; the negatives get `1 - alpha`.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    probabilities = logits.sigmoid()
    missed = targets * (1.0 - probabilities) + (1.0 - targets) * probabilities
    weight = targets * alpha + (1.0 - targets) * (1.0 - alpha)
    return (weight * missed**gamma * entropy).mean()


def tversky_score(probabilities: Tensor, masks: Tensor, alpha: float = 0.7, smooth: float = 1.0) -> Tensor:
    """The Tversky index of each slice, `[N]`: `TP / (TP + alpha FN + (1 - alpha) FP)`, 1 where both are empty.

    Args:
        probabilities: `[N, 1, S, S]`, 0..1 (a mask of 0 and 1 gives the hard score).
        masks: `[N, 1, S, S]`, 0..1.
        alpha: the weight of what is missed; .5 is Dice.
        smooth: added above and below, in pixels.
    """
    axes = (1, 2, 3)
    overlap = (probabilities * masks).sum(dim=axes)
    missed = ((1.0 - probabilities) * masks).sum(dim=axes)
    invented = (probabilities * (1.0 - masks)).sum(dim=axes)
    return (overlap + smooth) / (overlap + alpha * missed + (1.0 - alpha) * invented + smooth)


def tversky(logits: Tensor, masks: Tensor, alpha: float = 0.7) -> Tensor:
    """One minus the Tversky index of a batch `[N, 1, S, S]`, all its pixels counted together.

    Slice by slice, an empty mask would be right on every slice without a tumor, and a network that marks nothing has
    found a valley that it does not leave.
    """
    whole = (1, 1, 1, -1)
    return (1.0 - tversky_score(logits.sigmoid().reshape(whole), masks.reshape(whole), alpha)).mean()


def focal_tversky(logits: Tensor, masks: Tensor, alpha: float = 0.7, gamma: float = 0.75) -> Tensor:
    """`tversky ** gamma` (Abraham and Khan 2019): below 1, gamma keeps pulling at nearly right outlines."""
    # The floor keeps the power's slope finite where an outline is perfect.
    return tversky(logits, masks, alpha).clamp_min(1e-6).pow(gamma)


def focal_tversky_bce(logits: Tensor, masks: Tensor) -> Tensor:
    """`focal_tversky` plus `bce`. From random weights the first alone may end where nothing is marked and no slope is
    left; cross-entropy has one there.
    """
    return focal_tversky(logits, masks) + bce(logits, masks)
