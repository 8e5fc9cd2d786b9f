"""Sliding window over a volume: patches of one size, whose answers are blended by a Gaussian. Pure numpy, no engine.

`slide` does it on any callable. A service that infers asynchronously, reports progress or is canceled between tiles
takes the same parts: `tile_corners`, `cut`, `mirrorings` and `Blend`.
"""

from collections.abc import Callable, Sequence
from itertools import chain, combinations, product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Corner = tuple[int, int, int]
Shape = tuple[int, int, int]
Axes = tuple[int, ...]
Scalar = TypeVar("Scalar", bound=np.generic)
Infer = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Patches `[N, C, p, p, p]` -> answers `[N, L, p, p, p]`."""
OnTile = Callable[[int, int], None]
"""Told of `done` and `total` runs after each; what it raises ends the work."""
_SIGMA_SHARE = 1 / 8
_LEAST_WEIGHT = 1e-3


def tile_corners(shape: Shape, patch: int, step: float) -> list[Corner]:
    """The first voxel of each tile: tiles of `patch` voxels a side that cover `shape`, at most `step * patch` apart.

    The tiles of an axis lie evenly, the first at 0 and the last at the end; an axis shorter than the patch has one.

    Raises:
        ValueError: `step` is not above 0 and at most 1, or `patch` is not positive.
    """
    if not 0 < step <= 1 or patch < 1:
        raise ValueError(f"step {step} must be above 0 and at most 1, patch {patch} at least 1")
    along_x, along_y, along_z = (_starts(size, patch, step) for size in shape)
    return list(product(along_x, along_y, along_z))


def _starts(size: int, patch: int, step: float) -> list[int]:
    if size <= patch:
        return [0]
    count = -(-(size - patch) // max(1, int(patch * step))) + 1
    return [round(start) for start in np.linspace(0, size - patch, count).tolist()]


def gaussian_window(patch: int) -> NDArray[np.float32]:
    """Weights `[p, p, p]`, largest in the middle (standard deviation: an eighth of the side), above 0 everywhere."""
    distance = (np.arange(patch) - (patch - 1) / 2) / (patch * _SIGMA_SHARE)
    line = np.exp(-0.5 * distance**2)
    window = line[:, None, None] * line[None, :, None] * line[None, None, :]
    return np.asarray(np.maximum(window / window.max(), _LEAST_WEIGHT), np.float32)


def cut(volume: NDArray[Scalar], corner: Corner, patch: int, into: NDArray[Scalar] | None = None) -> NDArray[Scalar]:
    """The tile `[C, p, p, p]` of `volume [C, x, y, z]`; zeros beyond its end. `into` is overwritten and returned."""
    found = volume[(slice(None), *_box(corner, patch))]
    tile = np.empty((volume.shape[0], patch, patch, patch), volume.dtype) if into is None else into
    if found.shape != tile.shape:
        tile[...] = 0
    tile[:, : found.shape[1], : found.shape[2], : found.shape[3]] = found
    return tile


def mirrorings(axes: Axes) -> list[Axes]:
    """Every combination of the mirrored axes (of 0, 1, 2), none first: `2 ** len(axes)` of them."""
    return list(chain.from_iterable(combinations(axes, count) for count in range(len(axes) + 1)))


def mirror(patches: NDArray[np.float32], axes: Axes) -> NDArray[np.float32]:
    """Patches `[N, C, p, p, p]` with the given axes of space turned round; its own inverse."""
    return np.ascontiguousarray(np.flip(patches, tuple(axis + 2 for axis in axes))) if axes else patches


class Blend:
    """Gathers the tiles' answers; `result` is their mean at each voxel, weighted by the Gaussian."""

    def __init__(self, shape: Shape, patch: int) -> None:
        self._patch, self._shape = patch, shape
        self._window = gaussian_window(patch)
        self._weights = np.zeros(shape, np.float32)
        self._sums: NDArray[np.float32] | None = None

    def add(self, corner: Corner, answer: NDArray[np.float32]) -> None:
        """Add the answer `[L, p, p, p]` of the tile at `corner`."""
        if self._sums is None:
            self._sums = np.zeros((answer.shape[0], *self._shape), np.float32)
        box = _box(corner, self._patch)
        inside = self._weights[box].shape
        kept = (slice(0, inside[0]), slice(0, inside[1]), slice(0, inside[2]))
        window = self._window[kept]
        self._weights[box] += window
        self._sums[(slice(None), *box)] += answer[(slice(None), *kept)] * window

    def result(self) -> NDArray[np.float32]:
        """The blended answer `[L, x, y, z]`. It takes the place of the sums: ask once.

        Raises:
            ValueError: a voxel lies in no tile that was added.
        """
        if self._sums is None or not (self._weights > 0).all():
            raise ValueError("the tiles that were added do not cover the volume")
        self._sums /= self._weights
        return self._sums


def slide(
    volume: NDArray[np.float32],
    infer: Infer,
    patch: int,
    *,
    step: float = 0.5,
    mirrored: Axes = (),
    batch: int = 1,
    on_tile: OnTile | None = None,
) -> NDArray[np.float32]:
    """Let `infer` answer for every tile of `volume [C, x, y, z]` and blend: `[L, x, y, z]`.

    Args:
        volume: float32, on the model's grid; crop it to what matters first.
        infer: the network.
        patch: its side in voxels.
        step: how far apart tiles lie, in shares of the patch.
        mirrored: axes of space (0, 1, 2) along which each tile is mirrored too; answers are averaged.
        batch: how many patches go into one run.
        on_tile: told of progress; may raise to stop.

    Raises:
        ValueError: as `tile_corners` does.
    """
    shape: Shape = (volume.shape[1], volume.shape[2], volume.shape[3])
    runs = [(corner, axes) for corner in tile_corners(shape, patch, step) for axes in mirrorings(mirrored)]
    blend = Blend(shape, patch)
    for at in range(0, len(runs), batch):
        part = runs[at : at + batch]
        answers = infer(np.stack([mirror(cut(volume, corner, patch)[None], axes)[0] for corner, axes in part]))
        for (corner, axes), answer in zip(part, answers, strict=True):
            blend.add(corner, mirror(answer[None], axes)[0])
        if on_tile is not None:
            on_tile(min(at + batch, len(runs)), len(runs))
    return blend.result()


def _box(corner: Sequence[int], patch: int) -> tuple[slice, slice, slice]:
    x, y, z = corner
    return slice(x, x + patch), slice(y, y + patch), slice(z, z + patch)
