"""The slices of a volume as radiologists look at them, and the way of a mask back from them; nothing is resampled."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid, Matrix
from service_kit.contracts.classification import ViewLabel

_ACROSS = {"sagittal": 0, "coronal": 1, "axial": 2}
# World axes that run down the rows and along the columns of a picture. All are read backward: superior or anterior is
# on top, the patient's right on the left, and the nose of a sagittal picture points to the left.
_ROWS_COLUMNS = {"sagittal": (2, 1), "coronal": (2, 0), "axial": (1, 0)}


@dataclass(frozen=True, slots=True)
class SliceStack:
    """A grid seen as a stack of slices in one plane, in the radiological convention; slice 0 is the leftmost, most
    posterior or most inferior one.

    `plane` is that which the slices are nearest to: those of an oblique grid are oblique too.
    """

    grid: Grid
    plane: ViewLabel

    @property
    def _order(self) -> tuple[int, int, int]:
        return (_ACROSS[self.plane], *_ROWS_COLUMNS[self.plane])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns)."""
        shape = self.grid.canonical.shape
        slices, rows, columns = (shape[axis] for axis in self._order)
        return slices, rows, columns

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighboring slices, rows and columns."""
        spacing = self.grid.canonical.spacing_mm
        slices, rows, columns = (spacing[axis] for axis in self._order)
        return slices, rows, columns

    @property
    def affine(self) -> Matrix:
        """(slice, row, column) -> RAS mm, `[4, 4]`."""
        canonical = self.grid.canonical
        affine = canonical.affine[:, [*self._order, 3]].copy()
        for axis, size in enumerate(self.shape):
            if axis > 0:
                affine[:3, 3] += affine[:3, axis] * (size - 1)
                affine[:3, axis] *= -1
        return affine

    def take(self, array: NDArray[Any]) -> NDArray[Any]:
        """`array [i, j, k]` on the grid -> a view `[slices, rows, columns]`."""
        return self.grid.turn.apply(array).transpose(self._order)[:, ::-1, ::-1]

    def put(self, stack: NDArray[Any]) -> NDArray[Any]:
        """`stack [slices, rows, columns]` -> `[i, j, k]` on the grid: exactly the inverse of `take`."""
        back = np.argsort(self._order)
        return self.grid.turn.undo(stack[:, ::-1, ::-1].transpose(back))


def stack_across(grid: Grid, axis: int) -> SliceStack:
    """The stack of the slices across an array axis."""
    return SliceStack(grid, grid.planes[axis])
