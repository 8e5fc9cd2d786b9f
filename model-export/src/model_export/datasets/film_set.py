"""What seg-flair-film learns from: LGG's patients, and BraTS cases (same sequences, no clinical record)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.lgg import LggSlice, lgg_groups, lgg_pictures, read_lgg, split_lgg, stack_sequences
from model_export.datasets.pictures import Pictures, cached
from model_export.datasets.split import Fold, GroupSplit, merge_splits, split_groups
from model_export.datasets.volumes import VolumeCase, read_volumes
from service_kit.inference.preprocessing import Preprocessing

_BRATS_SLICES = 24


@dataclass(frozen=True, slots=True)
class FilmSet:
    """Slices on the model's grid with whole-tumor masks; `is_lgg` tells the two sets apart.

    `patients` names the patient or case of each slice; `groups` is the same but in the leaky arm.
    """

    pictures: Pictures
    groups: list[str]
    patients: list[str]
    is_lgg: NDArray[np.bool_]
    split: GroupSplit
    lgg: list[LggSlice]


def film_split(root: Path, fold: Fold) -> GroupSplit:
    """LGG by patient and BraTS by case, in one split."""
    cases = [case.group for case in read_volumes(root, "brats")]
    return merge_splits([split_lgg(read_lgg(root), fold), split_groups(cases, ["brats"] * len(cases), fold)])


def film_set(root: Path, preprocessing: Preprocessing, cache: Path, fold: Fold) -> FilmSet:
    """Read, place and cache everything."""
    lgg = read_lgg(root)
    of_lgg = lgg_pictures(lgg, preprocessing, cache)
    pairs = [(case, index) for case in read_volumes(root, "brats") for index in _axial(case)]

    def make(position: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        case, index = pairs[position]
        pictures = {name: case.slice(name, "axial", index) for name in ("t1", "flair", "t1ce")}
        whole = (case.slice("seg", "axial", index) > 0).astype(np.uint8)
        return stack_sequences(pictures, whole, preprocessing)

    keys = [f"{case.group}/{index}" for case, index in pairs]
    of_brats = cached(cache, f"brats-{preprocessing.size}", preprocessing, keys, make)
    if of_lgg.masks is None or of_brats.masks is None:
        raise ValueError("the segmentation sets have no masks")
    both = Pictures(np.concatenate([of_lgg.images, of_brats.images]), np.concatenate([of_lgg.masks, of_brats.masks]))
    cases = [case.group for case, _ in pairs]
    groups, patients = lgg_groups(lgg, fold) + cases, [item.patient for item in lgg] + cases
    return FilmSet(both, groups, patients, np.arange(len(groups)) < len(lgg), film_split(root, fold), lgg)


def _axial(case: VolumeCase) -> list[int]:
    depth = case.depth("axial")
    return sorted({int(i) for i in np.linspace(0.1 * depth, 0.92 * depth, _BRATS_SLICES)})
