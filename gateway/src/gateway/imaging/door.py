"""The gate at the door, first part: pixel rules that every slice of a brain keeps, and that other pictures break.

Cheap: they look at a thinned-out copy. What passes here is judged by the view model's novelty next (`gateway.door`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.imaging.errors import BlankPicture, NotBrainMri, PictureTooSmall, SaturatedPicture
from gateway.imaging.gray import MIN_GRAY_LEVELS
from gateway.imaging.study import Pixels, Study
from service_kit.errors import Measurement

_ADVICE = "Send one slice of a brain MRI in its own gray values and resolution."
VOLUME_ADVICE = "That is the middle slice of the volume: send a brain MRI in its own gray values and resolution."
_SAMPLE_PX = 128
_LINES = 64


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """What is refused. On the development sets real slices lie far on the other side of each limit (docs/door.md).

    Attributes:
        min_side_px: the longer side; a model that sees less guesses.
        min_gray_levels: distinct values; a drawn mask has 2, an empty slice a few.
        min_range_levels: levels between the darkest and the brightest half percent of an 8-bit picture.
        max_saturated_share: pixels at the brightest value: paper, overexposure, a padded background.
        min_neighbor_correlation: of neighboring pixels, the better of rows and columns; noise has none.
    """

    min_side_px: int = 48
    min_gray_levels: int = MIN_GRAY_LEVELS
    min_range_levels: int = 8
    max_saturated_share: float = 0.25
    min_neighbor_correlation: float = 0.3


DEFAULT_LIMITS = DoorLimits()


def check_study(study: Study, limits: DoorLimits = DEFAULT_LIMITS) -> None:
    """Check every sequence. Raises `PictureTooSmall`, `BlankPicture`, `SaturatedPicture` or `NotBrainMri`."""
    for pixels in study.sequences.values():
        check_slice(pixels, limits)


def check_slice(pixels: Pixels, limits: DoorLimits = DEFAULT_LIMITS, advice: str = _ADVICE) -> None:
    """Check `pixels [rows, columns]`. Raises as `check_study` does, each time with the measured value and the limit,
    and with `advice` on what to send instead.
    """
    side_px = max(pixels.shape)
    if side_px < limits.min_side_px:
        raise PictureTooSmall(
            f"The picture is {pixels.shape[0]} x {pixels.shape[1]} pixels; its longer side must have at least "
            f"{limits.min_side_px}. {advice}",
            measurement=Measurement("longer_side_px", side_px, limits.min_side_px),
        )
    step = max(1, min(pixels.shape) // _SAMPLE_PX)
    sample = pixels[::step, ::step].astype(np.float32)
    _check_levels(sample, limits, advice, eight_bits=pixels.dtype == np.uint8)
    correlation = neighbor_correlation(pixels)
    if correlation < limits.min_neighbor_correlation:
        raise NotBrainMri(
            f"Neighboring pixels correlate by {correlation:.2f}, in a scan by at least "
            f"{limits.min_neighbor_correlation:g}: this is noise. {advice}",
            measurement=Measurement("neighbor_correlation", correlation, limits.min_neighbor_correlation),
        )


def _check_levels(sample: NDArray[np.float32], limits: DoorLimits, advice: str, *, eight_bits: bool) -> None:
    levels = len(np.unique(sample))
    if levels < limits.min_gray_levels:
        raise BlankPicture(
            f"The picture has {levels} gray levels, a scan at least {limits.min_gray_levels}: it is blank, or a drawn "
            f"mask. {advice}",
            measurement=Measurement("gray_levels", levels, limits.min_gray_levels),
        )
    low, high = (float(value) for value in np.percentile(sample, [0.5, 99.5]))
    if eight_bits and high - low < limits.min_range_levels:
        raise BlankPicture(
            f"The picture's gray values span {high - low:.1f} of 255 levels, a scan's at least "
            f"{limits.min_range_levels}: it is nearly blank. {advice}",
            measurement=Measurement("gray_range_levels", high - low, limits.min_range_levels),
        )
    darkest, brightest = float(sample.min()), float(sample.max())
    share = float(np.mean(sample >= brightest - (brightest - darkest) / 255.0))
    if share > limits.max_saturated_share:
        raise SaturatedPicture(
            f"{share:.0%} of the pixels have the brightest value, of a scan at most {limits.max_saturated_share:.0%}: "
            f"it is overexposed, on a white background, or no scan. {advice}",
            measurement=Measurement("saturated_share", share, limits.max_saturated_share),
        )


def neighbor_correlation(pixels: Pixels) -> float:
    """Pearson's correlation of neighbors along rows or along columns, the larger; on at most 64 lines each."""
    rows = pixels[:: max(1, pixels.shape[0] // _LINES)].astype(np.float32)
    columns = pixels[:, :: max(1, pixels.shape[1] // _LINES)].astype(np.float32)
    return max(_correlation(rows[:, :-1], rows[:, 1:]), _correlation(columns[:-1], columns[1:]))


def _correlation(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    a, b = left - left.mean(), right - right.mean()
    norm = float(np.sqrt(np.mean(a * a) * np.mean(b * b)))
    return float(np.mean(a * b)) / norm if norm > 0 else 0.0
