"""Which pictures may show the same: low frequencies of the locally normalized pictures, compared in all eight turns."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.audit.turns import TURNS

_FREQUENCIES = 12
_BLOCK = 512
_SIGMA_PX = 4.0
_FLOOR = 0.15


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs `first < second` with the turn of the second that fits best; `[M]` each."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    turn: NDArray[np.int64]


def local_contrast(picture: NDArray[np.generic]) -> NDArray[np.float32]:
    """`[S, S]`, minus its surroundings, over their contrast, of zero mean and unit norm.

    Brightness, gamma and sharpening hardly change it, and the bright skull does not outweigh the brain in it: what is
    left is the drawing, which is what tells one brain from another. A constant picture becomes zero.
    """
    values = picture.astype(np.float32)
    high = values - cv2.GaussianBlur(values, (0, 0), _SIGMA_PX)
    contrast = np.sqrt(cv2.GaussianBlur(high * high, (0, 0), _SIGMA_PX))
    drawing = high / (contrast + _FLOOR * float(contrast.max()) + 1e-3)
    drawing -= drawing.mean()
    norm = float(np.linalg.norm(drawing))
    return np.asarray(drawing / norm if norm > 1e-3 else np.zeros_like(drawing), np.float32)


def find_candidates(drawings: NDArray[np.float32], least: float) -> Candidates:
    """Pairs whose low frequencies agree.

    Args:
        drawings: `[N, S, S]` of `local_contrast`.
        least: cosine of the whitened low frequencies, from which on a pair is a candidate.
    """
    orbit = _whitened(_frequencies(drawings))
    found: list[tuple[NDArray[np.int64], ...]] = []
    for start in range(0, len(drawings), _BLOCK):
        block = orbit[0, start : start + _BLOCK]
        best = np.full((len(block), len(drawings) - start), -1.0, np.float32)
        turn = np.zeros(best.shape, np.int64)
        for number in range(TURNS):
            cosine = block @ orbit[number, start:].T
            better = cosine > best
            best[better] = cosine[better]
            turn[better] = number
        rows, columns = np.nonzero(np.triu(best >= least, k=1))
        found.append((rows + start, columns + start, turn[rows, columns]))
    return Candidates(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _frequencies(drawings: NDArray[np.float32]) -> NDArray[np.float32]:
    """The lowest cosine frequencies `[N, K, K]`, without the mean."""
    side = drawings.shape[-1]
    wave = np.cos(np.pi * np.outer(np.arange(_FREQUENCIES), np.arange(side) + 0.5) / side).astype(np.float32)
    found: NDArray[np.float32] = wave @ drawings @ wave.T
    found[:, 0, 0] = 0
    return found


def _whitened(frequencies: NDArray[np.float32]) -> NDArray[np.float32]:
    """All eight turns `[8, N, K * K]`, minus what all pictures share, each frequency of equal weight, of unit norm.

    Mirroring a picture turns the sign of its odd frequencies; swapping rows and columns swaps them.
    """
    sign = np.where(np.arange(_FREQUENCIES) % 2, -1.0, 1.0).astype(np.float32)
    turns = []
    for turn in range(TURNS):
        version = frequencies.swapaxes(-1, -2) if turn & 4 else frequencies
        version = version * sign if turn & 1 else version
        turns.append(version * sign[:, None] if turn & 2 else version)
    orbit = np.stack(turns)
    orbit = (orbit - orbit.mean((0, 1))) / (orbit.std((0, 1)) + 1e-6)
    orbit[:, :, 0, 0] = 0
    flat = orbit.reshape(TURNS, len(frequencies), -1)
    return np.asarray(flat / (np.linalg.norm(flat, axis=2, keepdims=True) + 1e-6), np.float32)
