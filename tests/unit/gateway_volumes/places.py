"""Affines of every kind, and arrays stored in every orientation."""

import math
from typing import Any

import nibabel
import numpy as np
from nibabel.orientations import axcodes2ornt, ornt_transform
from numpy.typing import NDArray

from gateway.grid import Grid

Affine = NDArray[np.float64]
ORIGIN_MM = (-31.0, -40.0, -25.0)
ORIENTATIONS = ("RAS", "LAS", "LPS", "PSR", "SAL", "IRP")


def rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """Rotation about x, then y, then z."""
    a, b, c = (math.radians(angle) for angle in degrees)
    about_x = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    about_y = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    about_z = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def affine_of(
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    degrees: tuple[float, float, float] = (0.0, 0.0, 0.0),
    origin_mm: tuple[float, float, float] = ORIGIN_MM,
) -> Affine:
    """RAS axes with `spacing_mm`, turned by `degrees`."""
    affine = np.eye(4)
    affine[:3, :3] = rotation(degrees) @ np.diag(spacing_mm)
    affine[:3, 3] = origin_mm
    return affine


def stored_as(codes: str, voxels: NDArray[Any], affine: Affine) -> tuple[NDArray[Any], Affine]:
    """A RAS array and its affine as they are when the axes are stored as `codes`: reordered by nibabel, not by us."""
    image = nibabel.Nifti1Image(voxels, affine)
    turned = image.as_reoriented(ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes)))
    return np.ascontiguousarray(turned.dataobj), np.asarray(turned.affine)


def grid_of(voxels: NDArray[Any], affine: Affine) -> Grid:
    i, j, k = voxels.shape
    return Grid((i, j, k), affine)
