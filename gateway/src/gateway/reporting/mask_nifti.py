"""A mask as a NIfTI file on the grid and with the affine of the input."""

import gzip
from typing import Any, Final

import nibabel
import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid

_SCANNER, _UNKNOWN = 1, 0
_RIGHT_ANGLES_DEG = 0.05
_COMPRESSION = 6
# nibabel's images have no types.
_Image: Final[Any] = nibabel.Nifti1Image


def encode_mask(labels: NDArray[np.uint8], grid: Grid) -> bytes:
    """`labels [i, j, k]` as the bytes of mask.nii.gz; the same mask gives the same bytes.

    The sform holds the affine exactly (as float32), the qform too where the axes are at right angles: it cannot hold
    others. A grid without orientation gets neither, as its input had neither. Raises `ValueError` where the shapes
    differ.
    """
    if labels.shape != grid.shape:
        raise ValueError(f"labels {labels.shape} are not on the grid {grid.shape}")
    image = _Image(labels.astype(np.uint8, copy=False), grid.affine)
    code = _SCANNER if grid.oriented else _UNKNOWN
    rigid = grid.shear_deg <= _RIGHT_ANGLES_DEG
    image.set_sform(grid.affine, code=code)
    image.set_qform(grid.affine, code=code if rigid else _UNKNOWN)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"NeuroGate mask. Research use only."
    return gzip.compress(image.to_bytes(), _COMPRESSION, mtime=0)
