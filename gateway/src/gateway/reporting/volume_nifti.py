"""Volumes as NIfTI files on the grid and with the affine of the input: the mask, and the sequences as shown."""

import gzip
from typing import Any, Final

import nibabel
import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid

_SCANNER, _UNKNOWN = 1, 0
_RIGHT_ANGLES_DEG = 0.05
_COMPRESSION = 6
# Viewers fetch sequences once each, and wait: fast to make counts for more than small.
_SHOWN_COMPRESSION = 1
_WHITE = 255
# nibabel's images have no types.
_Image: Final[Any] = nibabel.Nifti1Image


def encode_mask(labels: NDArray[np.uint8], grid: Grid) -> bytes:
    """`labels [i, j, k]` as the bytes of mask.nii.gz; the same mask gives the same bytes.

    The sform holds the affine exactly (as float32), the qform too where the axes are at right angles: it cannot hold
    others. A grid without orientation gets neither, as its input had neither. Raises `ValueError` where the shapes
    differ.
    """
    image = _on_grid(labels, grid)
    image.header["descrip"] = b"NeuroGate mask. Research use only."
    return gzip.compress(image.to_bytes(), _COMPRESSION, mtime=0)


def encode_shown(picture: NDArray[np.uint8], grid: Grid) -> bytes:
    """`picture [i, j, k]`, one sequence as it is shown, as the bytes of a .nii.gz, placed as the mask is.

    cal_min and cal_max tell viewers to show black as 0 and white as 255. Raises `ValueError` where the shapes differ.
    """
    image = _on_grid(picture, grid)
    image.header["descrip"] = b"NeuroGate display values. Research use only."
    image.header["cal_max"] = _WHITE
    return gzip.compress(image.to_bytes(), _SHOWN_COMPRESSION, mtime=0)


def _on_grid(voxels: NDArray[np.uint8], grid: Grid) -> Any:
    if voxels.shape != grid.shape:
        raise ValueError(f"voxels {voxels.shape} are not on the grid {grid.shape}")
    image = _Image(voxels.astype(np.uint8, copy=False), grid.affine)
    code = _SCANNER if grid.oriented else _UNKNOWN
    rigid = grid.shear_deg <= _RIGHT_ANGLES_DEG
    image.set_sform(grid.affine, code=code)
    image.set_qform(grid.affine, code=code if rigid else _UNKNOWN)
    image.header.set_xyzt_units("mm")
    return image
