"""What a service accepts as pixels: checked once, at its edge, so that the models never see anything else."""

from collections.abc import Iterable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from service_kit.errors import InvalidRequest
from service_kit.inference.preprocessing import Pixels
from service_kit.tensors import Envelope

Voxels = NDArray[np.uint8] | NDArray[np.int16] | NDArray[np.float32]

MAX_SIDE_PX = 16_384
_LARGEST_VALUE = 1e12


def take_pixels(envelope: Envelope, name: str, axes: tuple[str, ...]) -> Pixels:
    """Array `name` as pixels: uint8 or float32, one dimension for each of `axes`, none empty, every value finite.

    Raises:
        InvalidRequest: naming the array and what is wrong with it.
    """
    return cast("Pixels", _take(envelope, name, axes, (np.uint8, np.float32)))


def take_voxels(envelope: Envelope, name: str) -> Voxels:
    """Array `name` as voxels `[x, y, z]`: as pixels, and int16 too, as scanners have it.

    Raises:
        InvalidRequest: naming the array and what is wrong with it.
    """
    return cast("Voxels", _take(envelope, name, ("x", "y", "z"), (np.uint8, np.int16, np.float32)))


def _take(
    envelope: Envelope, name: str, axes: tuple[str, ...], types: tuple[type[np.generic], ...]
) -> NDArray[np.generic]:
    array = envelope.arrays.get(name)
    if array is None:
        raise InvalidRequest(f"the array {name} is missing: send it as [{', '.join(axes)}]")
    if array.dtype not in types:
        raise InvalidRequest(f"{name} must be {' or '.join(t.__name__ for t in types)}, not {array.dtype}")
    if array.ndim != len(axes):
        raise InvalidRequest(f"{name} must be [{', '.join(axes)}], not of {array.ndim} dimensions")
    if array.size == 0:
        raise InvalidRequest(f"{name} is empty: its shape is {list(array.shape)}")
    if max(array.shape[-2:]) > MAX_SIDE_PX:
        raise InvalidRequest(f"{name} is too large: a side has at most {MAX_SIDE_PX} pixels")
    if array.dtype == np.float32:
        _check_values(array, name)
    return array


def take_vector(envelope: Envelope, name: str, length: int) -> NDArray[np.float32]:
    """Array `name` as float32 `[length]`, every value finite.

    Raises:
        InvalidRequest: naming the array and what is wrong with it.
    """
    array = envelope.arrays.get(name)
    if array is None:
        raise InvalidRequest(f"the array {name} is missing: send it as float32 [{length}]")
    if array.dtype != np.float32 or array.shape != (length,):
        raise InvalidRequest(f"{name} must be float32 [{length}], not {array.dtype} {list(array.shape)}")
    _check_values(array, name)
    return cast("NDArray[np.float32]", array)


def refuse_others(envelope: Envelope, known: Iterable[str]) -> None:
    """Refuse arrays that the call does not read: a misspelled name must not pass unseen.

    Raises:
        InvalidRequest: naming the arrays that are read.
    """
    names = tuple(known)
    if not envelope.arrays.keys() <= set(names):
        raise InvalidRequest(f"an array of another name was sent; this call reads {', '.join(names)}")


def _check_values(array: NDArray[np.float32], name: str) -> None:
    # NaN wins in min and max alike: two passes, no temporary array.
    low, high = float(array.min()), float(array.max())
    if not (low >= -_LARGEST_VALUE and high <= _LARGEST_VALUE):
        raise InvalidRequest(f"{name} holds NaN, an infinity or a value beyond {_LARGEST_VALUE:.0e}")
