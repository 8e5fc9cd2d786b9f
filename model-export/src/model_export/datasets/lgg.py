"""`lgg`: axial slices of 94 patients (pre-contrast, FLAIR, post-contrast) with the outline of the FLAIR abnormality."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.pictures import Pictures, cached, place_mask, read_gray
from model_export.datasets.split import Fold, GroupSplit, split_groups
from service_kit.inference.preprocessing import Preprocessing

SEQUENCES = ("t1", "flair", "t1ce")
"""The order in the files and in the model's channels: pre-contrast, FLAIR, post-contrast."""
_SIDE = 256


@dataclass(frozen=True, slots=True)
class LggSlice:
    """One axial slice: its picture holds the three sequences side by side. `index` counts along z."""

    picture: Path
    mask: Path | None
    patient: str
    index: int
    tumor_px: int


def read_lgg(root: Path) -> list[LggSlice]:
    """The index of `root/lgg` without the slices whose FLAIR is blank, ordered by patient and position."""
    folder = root / "lgg"
    with (folder / "index.csv").open(newline="", encoding="utf-8") as stream:
        found = [
            LggSlice(
                picture=folder / row["slice"],
                mask=folder / row["mask"] if row["mask"] else None,
                patient=row["patient"],
                index=int(row["index"]),
                tumor_px=int(row["tumor_px"]),
            )
            for row in csv.DictReader(stream)
            if row["flair_empty"] == "0"
        ]
    return sorted(found, key=lambda item: (item.patient, item.index))


def lgg_groups(slices: list[LggSlice], fold: Fold) -> list[str]:
    """The group of each slice: its patient, or itself in the leaky arm."""
    return [s.picture.name if fold.leaky else s.patient for s in slices]


def split_lgg(slices: list[LggSlice], fold: Fold) -> GroupSplit:
    """By patient, stratified by the hospital that the patient's code names."""
    return split_groups(lgg_groups(slices, fold), [s.patient.split("_")[1][:1] for s in slices], fold)


def read_sequences(item: LggSlice) -> dict[str, NDArray[np.uint8]]:
    """The slice's three pictures `[256, 256]`."""
    row = read_gray(item.picture)
    return {name: row[:, n * _SIDE : (n + 1) * _SIDE] for n, name in enumerate(SEQUENCES)}


def read_outline(item: LggSlice) -> NDArray[np.uint8]:
    """The slice's mask `[256, 256]` 0/1, empty where there is no tumor."""
    if item.mask is None:
        return np.zeros((_SIDE, _SIDE), np.uint8)
    return (read_gray(item.mask) > 127).astype(np.uint8)


def stack_sequences(
    pictures: dict[str, NDArray[np.uint8]], mask: NDArray[np.uint8], preprocessing: Preprocessing
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The three channels `[3, S, S]`, placed as the FLAIR is and windowed each on its own, and the mask `[S, S]`."""
    placement = preprocessing.place(pictures["flair"])
    channels = [preprocessing.apply(pictures[name], placement)[0] for name in SEQUENCES]
    return np.stack(channels), place_mask(mask, placement, preprocessing.size)


def lgg_pictures(slices: list[LggSlice], preprocessing: Preprocessing, cache: Path) -> Pictures:
    """Every slice on the model's grid, with its mask."""

    def make(index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        item = slices[index]
        return stack_sequences(read_sequences(item), read_outline(item), preprocessing)

    return cached(cache, f"lgg-{preprocessing.size}", preprocessing, [s.picture.name for s in slices], make)
