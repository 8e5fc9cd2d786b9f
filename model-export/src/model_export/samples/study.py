"""The sample study: four sequences of one drawn head as NIfTI files, with the tumor's true outline."""

import gzip
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
from numpy.typing import NDArray

from model_export.samples.brain import draw_brain
from model_export.samples.glioma import LABELS, draw_glioma, pushed
from model_export.samples.sequences import SEQUENCES, draw_sequence
from model_export.samples.solids import Points

VOXEL_MM: Final = 1.5
NAME: Final = "volume"
"""Of the folder; the true outline lies beside it, so that whoever sends the folder sends scans alone."""
_LOW_MM, _HIGH_MM = (-75.0, -96.0, -70.0), (75.0, 87.0, 76.5)
_SCANNER = 1
# nibabel's images have no types.
_Image: Final[Any] = nibabel.Nifti1Image


def write_study(out: Path, seed: int, voxel_mm: float = VOXEL_MM) -> tuple[list[Path], dict[str, object]]:
    """Write `volume/<sequence>.nii.gz` and `volume.mask.nii.gz` under `out`.

    Returns what was written, in order, and what a right answer is. The same seed gives the same bytes.
    """
    points = _grid(voxel_mm)
    before = pushed(points)
    brain = draw_brain(before, np.random.default_rng([seed, 0]))
    glioma = draw_glioma(points, brain, np.random.default_rng([seed, 1]))
    folder = out / NAME
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, (name, levels) in enumerate(SEQUENCES.items(), start=2):
        voxels = draw_sequence(levels, points, brain, glioma, np.random.default_rng([seed, number]))
        written.append(_write(folder / f"{name}.nii.gz", voxels, voxel_mm))
    labels = glioma.labels
    written.append(_write(out / f"{NAME}.mask.nii.gz", labels, voxel_mm))
    counts = {name: int(np.count_nonzero(labels == label)) for label, name in LABELS.items()}
    return written, {
        "files": {name: f"{NAME}/{name}.nii.gz" for name in SEQUENCES},
        "tumor_class": "glioma",
        "side": "right",
        "mask": f"{NAME}.mask.nii.gz",
        "labels": {str(label): name for label, name in LABELS.items()},
        "voxel_mm": voxel_mm,
        "volume_ml": {name: round(count * voxel_mm**3 / 1000, 2) for name, count in counts.items()},
    }


def _grid(voxel_mm: float) -> Points:
    axes = [np.arange(low, high, voxel_mm, dtype=np.float32) for low, high in zip(_LOW_MM, _HIGH_MM, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _write(path: Path, voxels: NDArray[np.uint8], voxel_mm: float) -> Path:
    """`voxels [x, y, z]`, closest to RAS, stored as scanners do: to the left, posterior and superior."""
    right, front = (low + voxel_mm * (size - 1) for low, size in zip(_LOW_MM[:2], voxels.shape[:2], strict=True))
    affine = np.diag([-voxel_mm, -voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = right, front, _LOW_MM[2]
    image = _Image(np.ascontiguousarray(voxels[::-1, ::-1]), affine)
    image.set_sform(affine, code=_SCANNER)
    image.set_qform(affine, code=_SCANNER)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"NeuroGate sample: synthetic, nobody's"
    path.write_bytes(gzip.compress(image.to_bytes(), 9, mtime=0))
    return path
