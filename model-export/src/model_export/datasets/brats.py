"""`volumes/brats` as a 3D network reads it: standardized sequences on cubic voxels, labels on the same grid."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.split import Fold, GroupSplit, split_groups
from model_export.datasets.volumes import VolumeCase, read_volumes
from service_kit.inference.tumor_regions import label_map, regions_of
from service_kit.inference.volume import VolumePlacement, VolumePreprocessing, resample

SEQUENCES = ("t1", "t1ce", "t2", "flair")
"""The channels, in this order."""


@dataclass(frozen=True, slots=True)
class GridCase:
    """One case on the network's grid: `volume [4, x, y, z]` float16 (on disk), `labels [x, y, z]` uint8."""

    name: str
    volume: NDArray[np.float16]
    labels: NDArray[np.uint8]


def brats_cases(root: Path) -> list[VolumeCase]:
    """The cases, sorted. Raises `FileNotFoundError` where there are none."""
    cases = read_volumes(root, "brats")
    if not cases:
        raise FileNotFoundError("volumes/brats has no case: --data must name the folder of the development sets")
    return cases


def brats_split(root: Path, fold: Fold) -> GroupSplit:
    """By case; the same folds as those of seg-flair-film, which has BraTS cases among its patients."""
    names = [case.group for case in brats_cases(root)]
    return split_groups(names, ["brats"] * len(names), fold)


def truth_of(case: VolumeCase) -> NDArray[np.uint8]:
    """The labels `[x, y, z]` on the case's own voxels; BraTS wrote 4 for enhancing before 2023, here it is 3."""
    return label_map(regions_of(case.arrays["seg"]))


def case_input(
    case: VolumeCase, preprocessing: VolumePreprocessing, sequences: Sequence[str] = SEQUENCES
) -> tuple[NDArray[np.float32], NDArray[np.float32], VolumePlacement]:
    """Input `[4, *grid]`, flags `[4]` and placement of a case of which `sequences` are at hand."""
    return preprocessing.apply({name: case.arrays[name] for name in sequences}, SEQUENCES, case.voxel_mm)


def grid_labels(labels: NDArray[np.uint8], placement: VolumePlacement) -> NDArray[np.uint8]:
    """Labels `[x, y, z]` of the case's voxels on the network's grid: a region is where it covers half a voxel."""
    inside = regions_of(labels[placement.box]).astype(np.float32)
    covered = [resample(region, placement.grid, placement.ratio) >= 0.5 for region in inside]
    return label_map(np.stack(covered))


def grid_cases(cases: Sequence[VolumeCase], preprocessing: VolumePreprocessing, cache: Path) -> list[GridCase]:
    """Every case on the network's grid, from `cache` where it was made before with the same preprocessing.

    Volumes stay on disk and are read as far as they are used: the cases do not fit in memory beside a training.
    """
    return [_grid_case(case, preprocessing, cache) for case in cases]


def _grid_case(case: VolumeCase, preprocessing: VolumePreprocessing, cache: Path) -> GridCase:
    # The size of the patch and how it slides do not change the grid.
    recipe = f"{preprocessing.spacing_mm} {preprocessing.clip_sd} {case.path.stat().st_size}"
    stamp = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    folder = cache / f"brats-{preprocessing.spacing_mm:g}mm"
    volume_path, labels_path = (folder / f"{case.group}-{stamp}{end}.npy" for end in ("", "-labels"))
    if not volume_path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Opened anew, so that the case's arrays are let go with it.
        opened = VolumeCase(case.path)
        volume, _, placement = case_input(opened, preprocessing)
        _save(labels_path, grid_labels(truth_of(opened), placement))
        _save(volume_path, volume.astype(np.float16))
    return GridCase(case.group, np.load(volume_path, mmap_mode="r"), np.load(labels_path))


def _save(path: Path, array: NDArray[np.float16] | NDArray[np.uint8]) -> None:
    temporary = path.with_suffix(".tmp.npy")
    np.save(temporary, array)
    temporary.replace(path)
