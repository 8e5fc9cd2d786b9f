"""`volumes/brats` (four sequences, labels) and `volumes/normal` (brains without a tumor), read slice by slice."""

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

PLANES = ("axial", "coronal", "sagittal")


@dataclass(frozen=True)
class VolumeCase:
    """One zip. Arrays are `[x, y, z]`, RAS+ up to the tilt of the affine; `voxel_mm` are the sizes of x, y, z."""

    path: Path

    @property
    def group(self) -> str:
        """The case: all of its slices stay on one side of a split."""
        return self.path.stem

    @cached_property
    def arrays(self) -> dict[str, NDArray[np.uint8]]:
        """Each sequence by name, 8-bit, and `seg` (labels) where the case has one."""
        with zipfile.ZipFile(self.path) as archive:
            case = json.loads(archive.read("case.json"))
            width, height, depth = case["shape"]
            found = {name: np.zeros((width, height, depth), np.uint8) for name in case["sequences"]}
            if case["labels"]:
                found["seg"] = np.zeros((width, height, depth), np.uint8)
            names = set(archive.namelist())
            for z in range(depth):
                row = _picture(archive.read(f"z/{z:03d}.webp"))
                for position, name in enumerate(case["sequences"]):
                    found[name][:, :, z] = row[:, position * width : (position + 1) * width].T
                if f"seg/{z:03d}.png" in names:
                    found["seg"][:, :, z] = _picture(archive.read(f"seg/{z:03d}.png")).T
        return found

    @cached_property
    def voxel_mm(self) -> tuple[float, float, float]:
        """Voxel sizes along x, y, z in millimeters."""
        with zipfile.ZipFile(self.path) as archive:
            affine = np.array(json.loads(archive.read("case.json"))["affine"], np.float64)
        x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    def slice(self, sequence: str, plane: str, index: int) -> NDArray[np.uint8]:
        """One slice `[rows, columns]`, upright as radiologists see it, resampled to square pixels."""
        volume = self.arrays[sequence]
        x, y, z = self.voxel_mm
        if plane == "axial":
            picture, tall, wide = volume[::-1, ::-1, index].T, y, x
        elif plane == "coronal":
            picture, tall, wide = volume[::-1, index, ::-1].T, z, x
        else:
            picture, tall, wide = volume[index, ::-1, ::-1].T, z, y
        fine = min(tall, wide)
        rows, columns = round(picture.shape[0] * tall / fine), round(picture.shape[1] * wide / fine)
        method = cv2.INTER_NEAREST if sequence == "seg" else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(np.ascontiguousarray(picture), (columns, rows), interpolation=method), np.uint8)

    def depth(self, plane: str) -> int:
        """How many slices the case has in a plane."""
        first = next(iter(self.arrays.values()))
        return int(first.shape[{"axial": 2, "coronal": 1, "sagittal": 0}[plane]])


def _picture(content: bytes) -> NDArray[np.uint8]:
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if decoded is None:
        raise ValueError("a slice of the volume is no picture")
    return np.asarray(decoded, np.uint8)


def read_volumes(root: Path, kind: str) -> list[VolumeCase]:
    """The cases of `root/volumes/<kind>` (`brats` or `normal`), sorted; opened when they are first used."""
    return [VolumeCase(path) for path in sorted((root / "volumes" / kind).glob("*.zip"))]
