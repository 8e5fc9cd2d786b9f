"""Which candidates do show the same: correlation of the small pictures, after a small affine move if need be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.audit.perceptual import find_candidates, local_contrast
from model_export.audit.turns import TURNS, turned

SAME = 0.9
"""Correlation from which on two pictures are the same. Slices of two brains stay below, and most neighbors in one."""
WORTH_ALIGNING = 0.65
_CANDIDATE = 0.65
_ALIGNING_STEPS = 40
_LEAST_OVERLAP = 0.75
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Match:
    """Pictures `first` and `second` (positions) agree: see `DuplicatePair` for the other fields."""

    first: int
    second: int
    correlation: float
    turn: int
    upright: bool
    aligned: bool


def find_matches(
    plain: NDArray[np.uint8],
    upright: NDArray[np.uint8],
    same: float = SAME,
    tick: Callable[[int, int], None] | None = None,
) -> list[Match]:
    """All pairs that show the same, ordered by position.

    Args:
        plain: `[N, 64, 64]` the pictures.
        upright: `[N, 64, 64]` the pictures on the heads' own axes.
        same: least correlation.
        tick: told how many of how many pairs were aligned.
    """
    best: dict[tuple[int, int], Match] = {}
    for pictures, is_upright in ((plain, False), (upright, True)):
        for match in _correlated(pictures, is_upright):
            before = best.get((match.first, match.second))
            if before is None or match.correlation > before.correlation:
                best[match.first, match.second] = match
    found = [match for match in best.values() if match.correlation >= same]
    unsure = [match for match in best.values() if match.correlation < same]
    for number, match in enumerate(unsure):
        view = upright if match.upright else plain
        second = np.ascontiguousarray(turned(view[match.second], match.turn))
        correlation = aligned_correlation(view[match.first], second)
        if correlation >= same:
            found.append(Match(match.first, match.second, correlation, match.turn, match.upright, True))
        if tick is not None:
            tick(number + 1, len(unsure))
    return sorted(found, key=lambda match: (match.first, match.second))


def _correlated(pictures: NDArray[np.uint8], is_upright: bool) -> Sequence[Match]:
    drawings = np.stack([local_contrast(picture) for picture in pictures])
    candidates = find_candidates(drawings, _CANDIDATE)
    flat = drawings.reshape(len(drawings), -1)
    found = []
    for turn in range(TURNS):
        chosen = np.flatnonzero(candidates.turn == turn)
        versions = turned(drawings, turn).reshape(len(drawings), -1)
        for start in range(0, len(chosen), _CHUNK):
            part = chosen[start : start + _CHUNK]
            first, second = candidates.first[part], candidates.second[part]
            correlation = (flat[first] * versions[second]).sum(axis=1)
            keep = np.flatnonzero(correlation >= WORTH_ALIGNING)
            found += [
                Match(int(first[k]), int(second[k]), min(1.0, float(correlation[k])), turn, is_upright, False)
                for k in keep
            ]
    return found


def aligned_correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Correlation of the drawings, the second moved, turned and stretched a little to fit; -1 where nothing fits.

    Both are `[S, S]`. Only what both still show is compared, and that must be most of the picture.
    """
    matrix, everywhere = np.eye(2, 3, dtype=np.float32), np.ones(first.shape, np.uint8)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ALIGNING_STEPS, 1e-4)
    try:
        _, found = cv2.findTransformECC(first, second, matrix, cv2.MOTION_AFFINE, stop, everywhere, 3)
    except cv2.error:  # the two do not converge: they are not alike
        return -1.0
    size, flags = first.shape[::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(second, found, size, flags=flags)
    shared = cv2.warpAffine(
        np.ones(second.shape, np.uint8), found, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    if float(shared.mean()) < _LEAST_OVERLAP:
        return -1.0
    left, right = (local_contrast(picture)[shared > 0] for picture in (first, moved))
    left, right = left - left.mean(), right - right.mean()
    norm = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / norm if norm > 0 else -1.0
