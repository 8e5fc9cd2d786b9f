"""Decoded values -> the voxels that are kept: the smallest type that holds them, finite, in order, and not blank."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gateway.imaging.errors import BlankPicture, UnsupportedPixels
from gateway.imaging.gray import MIN_GRAY_LEVELS
from gateway.imaging.volume import Voxels
from service_kit.errors import Measurement

_MAX_NAN_SHARE = 0.95
_SAMPLED = 200_000
_INT16 = np.iinfo(np.int16)


def keep(values: NDArray[Any]) -> tuple[Voxels, str | None]:
    """`values [i, j, k]` as uint8, int16 or float32 in C order, and a warning where some were not a number.

    Integers stay integers where int16 holds them. Not-a-number is a usual mark of "outside the brain" and becomes 0.
    Raises `UnsupportedPixels` (infinite, nearly all not a number) and `BlankPicture` (one value, or a mask).
    """
    warning: str | None = None
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            values = values.astype(np.float32, copy=False)
        values, warning = _finite(values)
    elif values.dtype not in (np.uint8, np.int16):
        inside = _INT16.min <= int(values.min()) and int(values.max()) <= _INT16.max
        values = values.astype(np.int16 if inside else np.float32)
    _check_levels(values)
    return cast("Voxels", in_c_order(values)), warning


def in_c_order(values: NDArray[Any]) -> NDArray[Any]:
    """`values [i, j, k]` in C order: what comes after goes plane by plane, several times as fast as in files' order.

    Itself where it is so already. Turned row by row: each fits a processor's cache, which all at once would not.
    """
    if values.flags.c_contiguous:
        return values
    turned = np.empty(values.shape, values.dtype)
    for row in range(values.shape[1]):
        turned[:, row] = values[:, row]
    return turned


def _finite(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], str | None]:
    # A sum is finite only where every value is: one pass without a mask for the usual case.
    with np.errstate(invalid="ignore"):  # of both infinities
        if np.isfinite(values.sum(dtype=np.float64)):
            return values, None
    missing = np.isnan(values)
    share = float(missing.mean())
    if share > _MAX_NAN_SHARE:
        raise UnsupportedPixels(
            f"{share:.0%} of the voxels are not a number; at most {_MAX_NAN_SHARE:.0%} may be.",
            measurement=Measurement("nan_share", share, _MAX_NAN_SHARE),
        )
    filled = np.where(missing, np.float32(0), values)
    if not np.isfinite(filled).all():
        raise UnsupportedPixels("The volume has infinite values. Save it again with finite ones.")
    return filled, f"{int(missing.sum())} voxels ({share:.1%}) are not a number and were taken as 0."


def _check_levels(values: NDArray[Any]) -> None:
    low, high = float(values.min()), float(values.max())
    step = max(1, round((values.size / _SAMPLED) ** (1 / 3)))
    levels = 1 if low == high else len(np.unique(values[::step, ::step, ::step]))
    if low == high or levels < MIN_GRAY_LEVELS:
        raise BlankPicture(
            f"The volume has {levels} gray levels, a scan at least {MIN_GRAY_LEVELS}: it is blank, or a mask of "
            "labels. Send the scan itself.",
            measurement=Measurement("gray_levels", levels, MIN_GRAY_LEVELS),
        )
