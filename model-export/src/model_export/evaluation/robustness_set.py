"""The few hundred test slices on which distortions are tried: drawn by seed, by class and view, read once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.copies import copied_in_training
from model_export.datasets.film_set import film_split
from model_export.datasets.lgg import LggSlice, read_lgg, read_outline, read_sequences
from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import fold_slices, read_mask
from model_export.datasets.split import Fold

_LGG_QUANTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class T1Slice:
    """One slice of T1: `pixels [rows, columns]`, its truth 0/1 or None, class, view (None where unknown), group."""

    key: str
    pixels: NDArray[np.uint8]
    truth: NDArray[np.uint8] | None
    label: str
    view: str | None
    group: str


@dataclass(frozen=True)
class LggPictures:
    """One tumor slice of a patient: its three sequences by name, and its truth 0/1."""

    key: str
    pictures: dict[str, NDArray[np.uint8]]
    truth: NDArray[np.uint8]
    group: str


def t1_sample(root: Path, fold: Fold, count: int) -> list[T1Slice]:
    """About `count` test slices of a fold: of each class and view their share (at least three), drawn by the seed."""
    records, split = fold_slices(root, fold)
    copied = copied_in_training(records, split)
    test = [record for record in records if record.group in split.test and record.image.name not in copied]
    chosen = stratified([f"{r.tumor_class}/{r.view}" for r in test], count, fold.seed)
    return [
        T1Slice(r.image.name, read_gray(r.image), read_mask(r), r.tumor_class, r.view, r.group)
        for r in (test[position] for position in chosen)
    ]


def lgg_sample(root: Path, fold: Fold) -> list[LggPictures]:
    """Three tumor slices of each test patient of a fold: at the quarters of the tumor's extent along z."""
    test = film_split(root, fold).test
    of_patient: dict[str, list[LggSlice]] = {}
    for item in read_lgg(root):
        if item.patient in test and item.tumor_px:
            of_patient.setdefault(item.patient, []).append(item)
    places = [
        items[at]
        for _, items in sorted(of_patient.items())
        for at in sorted({round(share * (len(items) - 1)) for share in _LGG_QUANTILES})
    ]
    return [LggPictures(i.picture.name, read_sequences(i), read_outline(i), i.patient) for i in places]


def stratified(strata: Sequence[str], count: int, seed: int, least: int = 3) -> list[int]:
    """Positions of about `count` members, in order: each stratum gives its share, but at least `least`."""
    random = np.random.default_rng(seed)
    array, chosen = np.asarray(strata), []
    for stratum in np.unique(array):
        members = np.flatnonzero(array == stratum)
        wanted = min(len(members), max(least, round(count * len(members) / len(array))))
        chosen += random.choice(members, wanted, replace=False).tolist()
    return sorted(chosen)
