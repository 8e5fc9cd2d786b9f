"""How well a mask lies on the truth: counts of pixels, scores made of them, and the distance between the borders."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped]

Counts = NDArray[np.int64]
"""`[..., 3]`: pixels marked rightly, marked wrongly, and missed (TP, FP, FN)."""
TVERSKY_FALSE_POSITIVE, TVERSKY_FALSE_NEGATIVE = 0.3, 0.7
"""Tversky's weights as in Salehi et al. 2017: a missed pixel weighs more than one marked too much."""
_PERCENTILE = 95.0


def overlap_counts(mask: NDArray[Any], truth: NDArray[Any]) -> Counts:
    """TP, FP, FN of two masks of one shape. Raises `ValueError` where the shapes differ."""
    if mask.shape != truth.shape:
        raise ValueError(f"a mask of {mask.shape} is no answer to a truth of {truth.shape}")
    marked, present = mask > 0, truth > 0
    both = np.count_nonzero(marked & present)
    return np.array([both, np.count_nonzero(marked) - both, np.count_nonzero(present) - both], np.int64)


def dice_scores(counts: Counts) -> NDArray[np.float64]:
    """Dice `[...]`; 1 where mask and truth are both empty."""
    hit, wrong, missed = _parts(counts)
    return _ratio(2.0 * hit, 2.0 * hit + wrong + missed, counts)


def iou_scores(counts: Counts) -> NDArray[np.float64]:
    """Intersection over union `[...]`; 1 where both are empty."""
    hit, wrong, missed = _parts(counts)
    return _ratio(hit, hit + wrong + missed, counts)


def tversky_scores(counts: Counts) -> NDArray[np.float64]:
    """Tversky index `[...]` at .3 (marked too much) and .7 (missed); 1 where both are empty."""
    hit, wrong, missed = _parts(counts)
    return _ratio(hit, hit + TVERSKY_FALSE_POSITIVE * wrong + TVERSKY_FALSE_NEGATIVE * missed, counts)


def precision_scores(counts: Counts) -> NDArray[np.float64]:
    """Share of the marked pixels that are right `[...]`; 0 where a tumor is there and nothing is marked."""
    hit, wrong, _ = _parts(counts)
    return _ratio(hit, hit + wrong, counts)


def recall_scores(counts: Counts) -> NDArray[np.float64]:
    """Share of the true pixels that are marked `[...]`; 0 where something is marked and nothing is there."""
    hit, _, missed = _parts(counts)
    return _ratio(hit, hit + missed, counts)


SCORES: MappingProxyType[str, Callable[[Counts], NDArray[np.float64]]] = MappingProxyType(
    {
        "dice": dice_scores,
        "iou": iou_scores,
        "tversky": tversky_scores,
        "precision": precision_scores,
        "recall": recall_scores,
    }
)
"""Every overlap score by its name."""


def border_distances_px(mask: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances between the borders of two masks, in pixels: from the mask's to the truth's, and back.

    A border is what an erosion by one pixel (4-connected) takes away; at the picture's edge a mask has a border too.

    Raises:
        ValueError: one of the masks is empty: there is no distance to nothing.
    """
    marked, present = mask > 0, truth > 0
    if not marked.any() or not present.any():
        raise ValueError("no distance between borders where a mask is empty")
    rows, columns = (np.flatnonzero((marked | present).any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    borders = [_border(np.pad(plane[box], 1)) for plane in (marked, present)]
    to_mask, to_truth = (ndimage.distance_transform_edt(~border) for border in borders)
    return np.asarray(to_truth[borders[0]], np.float64), np.asarray(to_mask[borders[1]], np.float64)


def directed_percentile_px(there: NDArray[np.float64], back: NDArray[np.float64]) -> float:
    """The larger of the 95th percentiles of the two directed distances: HD95."""
    return max(float(np.percentile(way, _PERCENTILE)) for way in (there, back))


def hd95_px(mask: NDArray[Any], truth: NDArray[Any]) -> float:
    """95th percentile Hausdorff distance in pixels; NaN where a mask is empty."""
    if not (np.any(mask) and np.any(truth)):
        return float("nan")
    return directed_percentile_px(*border_distances_px(mask, truth))


def _border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(mask & ~ndimage.binary_erosion(mask), np.bool_)


def _parts(counts: Counts) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.asarray(counts[..., place], np.float64) for place in range(3))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64], counts: Counts) -> NDArray[np.float64]:
    empty = counts.sum(axis=-1) == 0
    return np.where(empty, 1.0, part / np.where(whole > 0, whole, 1.0))
