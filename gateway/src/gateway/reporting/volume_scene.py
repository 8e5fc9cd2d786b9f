"""What of a volume is drawn: the part with the head in it, and the slices that show the lesion best."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid, Matrix
from gateway.reporting.colors import LABELS, OUTLINE, Color
from gateway.slices import SliceStack
from gateway.volume_findings import VolumeFindings
from gateway.volume_schemas import LesionSummary, Point
from service_kit.contracts.classification import ViewLabel

_DARK = 12
_MARGIN_MM = 5.0
_TIP = 0.03
"""Slices that hold less of the outline than this share of its largest area show nothing."""
_PLANES: tuple[ViewLabel, ...] = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The part of a volume around the head: `picture` and `labels [i, j, k]` on `grid`.

    `full` is the grid that it was cut out of, whose slice numbers callers know.
    """

    picture: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None
    grid: Grid
    full: Grid
    names: Mapping[int, str]
    lesions: tuple[LesionSummary, ...]

    @classmethod
    def of(cls, findings: VolumeFindings) -> Self:
        """The scene of the sequence that was classified."""
        picture, labels = findings.pictures[findings.primary], findings.labels
        low, high = _head(picture, labels, findings.grid)
        window = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
        affine = findings.grid.affine.copy()
        affine[:3, 3] = findings.grid.to_mm(np.array(low, np.float64))
        i, j, k = (stop - start for start, stop in zip(low, high, strict=True))
        outline = findings.analysis.segmentation
        lesions = () if outline is None or outline.volume is None else outline.volume.lesions
        return cls(
            picture[window],
            None if labels is None else labels[window],
            Grid((i, j, k), affine, oriented=findings.grid.oriented),
            findings.grid,
            findings.names,
            lesions,
        )

    def stack(self, plane: ViewLabel) -> SliceStack:
        """The slices in one plane."""
        return SliceStack(self.grid, plane)

    def number(self, plane: ViewLabel, index: int) -> int:
        """The slice's number in the whole volume."""
        place_mm = self.stack(plane).affine @ np.array([index, 0.0, 0.0, 1.0])
        return round(float((np.linalg.inv(SliceStack(self.full, plane).affine) @ place_mm)[0]))

    def places(self, plane: ViewLabel, points_mm: tuple[Point, ...]) -> Matrix:
        """RAS mm -> (slice, row, column) in one plane, `[n, 3]`."""
        inverse = np.linalg.inv(self.stack(plane).affine)
        return np.asarray(np.array(points_mm) @ inverse[:3, :3].T + inverse[:3, 3])

    @property
    def center(self) -> dict[ViewLabel, int]:
        """The slice of each plane that is shown: the axial one on which the largest lesion was measured, and those
        through its center; the middle ones where there is no lesion.
        """
        middle = {plane: self.stack(plane).shape[0] // 2 for plane in _PLANES}
        if self.labels is None or not self.lesions:
            return middle
        lesion = self.lesions[0]
        first, last = np.zeros(3), np.array([self.stack(plane).shape[0] - 1 for plane in _PLANES])
        through = [self.places(plane, (lesion.centroid_mm,))[0, 0] for plane in _PLANES]
        sagittal, coronal, _ = (int(number) for number in np.clip(np.rint(through), first, last))
        axial = int(np.clip(lesion.axial_slice - self.number("axial", 0), 0, last[2]))
        chosen: dict[ViewLabel, int] = {"sagittal": sagittal, "coronal": coronal, "axial": axial}
        return {plane: self._with_outline(plane, index) for plane, index in chosen.items()}

    def _with_outline(self, plane: ViewLabel, index: int) -> int:
        """A lesion's center may lie outside of it, as a ring's does: then its widest slice."""
        assert self.labels is not None  # noqa: S101 - asked only where there is an outline
        areas = np.count_nonzero(self.stack(plane).take(self.labels), axis=(1, 2))
        return index if areas[index] else int(areas.argmax())

    def mosaic(self, most: int, fewest: int) -> tuple[int, ...]:
        """Axial slices from below to above, evenly through the outline: `most`, or all where there are fewer.

        Neighbors join where the outline is on fewer than `fewest`; the slice that was measured is among them. Empty
        without an outline.
        """
        if self.labels is None:
            return ()
        areas = np.count_nonzero(self.stack("axial").take(self.labels), axis=(1, 2))
        held = np.flatnonzero(areas > _TIP * areas.max())
        if held.size == 0:
            return ()
        low, high = int(held[0]), int(held[-1])
        while high - low + 1 < min(fewest, areas.size):
            low, high = max(low - 1, 0), min(high + 1, areas.size - 1)
        chosen = np.rint(np.linspace(low, high, min(most, high - low + 1))).astype(np.intp)
        center = self.center["axial"]
        if low <= center <= high:
            chosen[int(np.abs(chosen - center).argmin())] = center
        return tuple(int(index) for index in chosen)

    def regions(self, plane: ViewLabel, index: int) -> Iterator[tuple[Color, NDArray[np.bool_]]]:
        """Each label's color and `[rows, columns]` on one slice, together with the labels inside of it: outer first."""
        if self.labels is None:
            return
        cut = self.stack(plane).take(self.labels)[index]
        values = {name: value for value, name in self.names.items()}
        nested = [name for name in LABELS if name in values]
        for name in [name for name in values if name not in LABELS]:
            yield OUTLINE, cut == values[name]
        for depth, name in enumerate(nested):
            yield LABELS[name], np.isin(cut, [values[inner] for inner in nested[depth:]])


def _head(
    picture: NDArray[np.uint8], labels: NDArray[np.uint8] | None, grid: Grid
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First voxel and one past the last of what is not dark, with a margin; all where everything is dark."""
    shown = picture > _DARK if labels is None else (picture > _DARK) | (labels > 0)
    low, high = [], []
    for axis, step in enumerate(grid.spacing_mm):
        others = tuple(other for other in range(3) if other != axis)
        # A line's share keeps single bright voxels of the background from counting as head.
        held = np.flatnonzero(shown.mean(axis=others) > 0.002)
        if labels is not None:
            held = np.union1d(held, np.flatnonzero((labels > 0).any(axis=others)))
        first, last = (0, grid.shape[axis] - 1) if held.size == 0 else (int(held[0]), int(held[-1]))
        margin = round(_MARGIN_MM / step)
        low.append(max(first - margin, 0))
        high.append(min(last + margin + 1, grid.shape[axis]))
    return tuple(low), tuple(high)
