"""Where the voxels of a volume lie in the patient: the affine, and everything that follows from it alone.

World coordinates are NIfTI's RAS: millimeters to the patient's right, anterior, superior
(https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h). DICOM's are LPS; `from_lps` turns them.
"""

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from service_kit.contracts.classification import ViewLabel

Matrix = NDArray[np.float64]
Triple = tuple[int, int, int]

PLANES: tuple[ViewLabel, ViewLabel, ViewLabel] = ("sagittal", "coronal", "axial")
"""The plane whose slices follow each other along x, y and z."""

_CODES = (("L", "R"), ("P", "A"), ("I", "S"))
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_THICK_RATIO = 1.5


@dataclass(frozen=True, slots=True)
class Turn:
    """The lossless way from an array to its closest RAS view: axes are put in another order, then some are reversed.

    `order[n]` is the array's axis that becomes axis n, `reversed_axes[n]` whether axis n is then read backward.
    """

    order: Triple
    reversed_axes: tuple[bool, bool, bool]

    def apply(self, array: NDArray[Any]) -> NDArray[Any]:
        """`array [i, j, k]` as a view `[x, y, z]` whose indices grow to the right, anterior and superior."""
        return array.transpose(self.order)[self._steps()]

    def undo(self, array: NDArray[Any]) -> NDArray[Any]:
        """`array [x, y, z]` back on the grid that it came from: exactly the inverse of `apply`."""
        back = sorted(range(3), key=self.order.__getitem__)
        return array[self._steps()].transpose(back)

    def _steps(self) -> tuple[slice, slice, slice]:
        first, second, third = (slice(None, None, -1 if backward else 1) for backward in self.reversed_axes)
        return first, second, third


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A volume's `shape` and `affine [4, 4]`, voxel index -> RAS mm; a voxel's center is at whole numbers.

    `oriented` is False where the file does not say how its axes lie in the patient: lengths and volumes hold, left
    and right do not.
    """

    shape: Triple
    affine: Matrix
    oriented: bool = True

    @classmethod
    def from_lps(cls, shape: Triple, affine: Matrix) -> Self:
        """The grid of an affine into DICOM's patient coordinates (left, posterior, superior)."""
        return cls(shape, _LPS_TO_RAS @ affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbors along each array axis."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel; right for oblique and sheared axes too, since it is the determinant."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def cosines(self) -> Matrix:
        """Unit vectors of the array axes, the columns of `[3, 3]`."""
        return np.asarray(self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def world_axes(self) -> Triple:
        """For each array axis the world axis (0 x, 1 y, 2 z) that it is nearest to, each once."""
        nearness = np.abs(self.cosines)
        best = max(permutations(range(3)), key=lambda axes: sum(nearness[axes[n], n] for n in range(3)))
        return best[0], best[1], best[2]

    @property
    def axis_codes(self) -> str:
        """Directions in which the indices grow, such as "RAS" or "LPS"."""
        cosines = self.cosines
        return "".join(_CODES[world][int(cosines[world, axis] > 0)] for axis, world in enumerate(self.world_axes))

    @property
    def planes(self) -> tuple[ViewLabel, ViewLabel, ViewLabel]:
        """For each array axis the plane of the slices across it."""
        i, j, k = (PLANES[world] for world in self.world_axes)
        return i, j, k

    @property
    def oblique_deg(self) -> float:
        """The largest angle between an array axis and the world axis that it is nearest to."""
        cosines = np.abs(self.cosines)
        smallest = min(float(cosines[world, axis]) for axis, world in enumerate(self.world_axes))
        return float(np.degrees(np.arccos(np.clip(smallest, 0.0, 1.0))))

    @property
    def shear_deg(self) -> float:
        """How far the angle between two array axes is from a right one, at most."""
        cosines = self.cosines
        products = np.abs((cosines.T @ cosines)[np.triu_indices(3, 1)])
        return float(np.degrees(np.arcsin(np.clip(products.max(), 0.0, 1.0))))

    @property
    def thick_axis(self) -> int | None:
        """The array axis along which voxels are clearly longer than along both others; None where none is."""
        spacing = self.spacing_mm
        longest = int(np.argmax(spacing))
        others = [spacing[axis] for axis in range(3) if axis != longest]
        return longest if spacing[longest] >= _THICK_RATIO * max(others) else None

    @property
    def turn(self) -> Turn:
        """The way to the closest RAS view."""
        world = self.world_axes
        x, y, z = (world.index(axis) for axis in range(3))
        cosines = self.cosines
        left, posterior, inferior = (bool(cosines[n, axis] < 0) for n, axis in enumerate((x, y, z)))
        return Turn((x, y, z), (left, posterior, inferior))

    @property
    def canonical(self) -> "Grid":
        """The grid of the closest RAS view: the same voxels in the same places, indexed `[x, y, z]`."""
        turn = self.turn
        i, j, k = (self.shape[axis] for axis in turn.order)
        affine = self.affine[:, [*turn.order, 3]].copy()
        for axis, (size, backward) in enumerate(zip((i, j, k), turn.reversed_axes, strict=True)):
            if backward:
                affine[:3, 3] += affine[:3, axis] * (size - 1)
                affine[:3, axis] *= -1
        return replace(self, shape=(i, j, k), affine=affine)

    def to_mm(self, indices: Matrix) -> Matrix:
        """Voxel coordinates `[..., 3]` -> RAS mm `[..., 3]`."""
        return np.asarray(indices @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_voxels(self, points_mm: Matrix) -> Matrix:
        """RAS mm `[..., 3]` -> voxel coordinates `[..., 3]`, not rounded."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(points_mm @ inverse[:3, :3].T + inverse[:3, 3])

    def distance_vx(self, other: "Grid") -> float:
        """How far corresponding corners of two grids of one shape lie apart, at most, in this grid's voxels."""
        ends = np.array([[0, size - 1] for size in self.shape])
        corners = np.array(np.meshgrid(*ends)).reshape(3, -1).T.astype(np.float64)
        return float(np.abs(self.to_voxels(other.to_mm(corners)) - corners).max())

    def matches(self, other: "Grid", tolerance_vx: float = 0.05) -> bool:
        """Whether voxel `[i, j, k]` is at the same place of the patient in both."""
        return self.shape == other.shape and self.distance_vx(other) <= tolerance_vx
