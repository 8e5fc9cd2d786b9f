"""Volumes with known content, and NIfTI files of them, made on the spot."""

import gzip
import struct
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid, Triple
from tests.unit.gateway_volumes.places import Affine, affine_of

SHAPE: Triple = (40, 36, 30)


def texture(shape: Triple = SHAPE, seed: int = 0, top: int = 1000) -> NDArray[np.int16]:
    """A smooth blob of many gray levels that no flip or turn of it equals."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    inside = x**2 + y**2 + z**2 < 0.9
    wave = 0.6 + 0.2 * np.sin(3 * x + seed) + 0.15 * np.cos(4 * y + 1) + 0.1 * np.sin(5 * z + 2)
    return np.asarray(np.rint(np.where(inside, wave, 0.0) * top), np.int16)


def sentinels(shape: Triple = SHAPE) -> tuple[NDArray[np.int16], dict[str, NDArray[np.intp]]]:
    """A dim blob with one bright voxel in each direction of the patient, and their RAS indices."""
    voxels = texture(shape, top=400)
    x, y, z = shape
    marks = {
        "left": (3, y // 2 + 2, z // 2 - 3), "right": (x - 5, y // 2 - 1, z // 2 + 1),
        "posterior": (x // 2 + 3, 4, z // 2 + 2), "anterior": (x // 2 - 2, y - 3, z // 2 - 1),
        "inferior": (x // 2 + 1, y // 2 - 3, 2), "superior": (x // 2 - 4, y // 2 + 3, z - 4),
    }  # fmt: skip
    for level, place in enumerate(marks.values()):
        voxels[place] = 900 + level
    return voxels, {name: np.array(place) for name, place in marks.items()}


def nifti(
    voxels: NDArray[Any], affine: Affine | None = None, *, kind: Any = nibabel.Nifti1Image, **fields: Any
) -> bytes:
    """A .nii file; `fields` overwrite header fields after the file was made, right or wrong."""
    content = bytearray(kind(voxels, affine_of() if affine is None else affine).to_bytes())
    header = kind.header_class(bytes(content[: 348 if kind is nibabel.Nifti1Image else 540]), check=False)
    for name, value in fields.items():
        header[name] = value
    content[: len(header.binaryblock)] = header.binaryblock
    return bytes(content)


def zipped(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def nifti_bomb(side: int = 2000) -> bytes:
    """A small .nii.gz whose header asks for far more than it holds."""
    return zipped(nifti(texture(), dim=[3, side, side, side, 1, 1, 1, 1]))


def gzip_bomb(inflated_bytes: int) -> bytes:
    """A .nii.gz with an honest header, and zeros without end behind its voxels."""
    return zipped(nifti(texture()) + bytes(inflated_bytes))


def analyze() -> bytes:
    """An Analyze 7.5 header, which NIfTI's grew out of."""
    return struct.pack("<i", 348) + bytes(344) + bytes(1000)


def ball(grid: Grid, center_mm: NDArray[np.float64], half_axes_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    """The voxels of `grid` whose centers lie in an ellipsoid with world-aligned axes."""
    indices = np.stack(np.meshgrid(*(np.arange(size) for size in grid.shape), indexing="ij"), axis=-1)
    places = (grid.to_mm(indices.astype(np.float64)) - center_mm) / np.array(half_axes_mm)
    return np.asarray((places**2).sum(axis=-1) <= 1.0)
