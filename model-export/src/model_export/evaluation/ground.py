"""The published outlines by the keys under which predictions are stored."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.lgg import LggSlice, read_lgg, read_outline, read_sequences
from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import SliceRecord, read_mask, read_slices


@dataclass(frozen=True, slots=True)
class GroundSlice:
    """One slice. `load` reads what places it on the model's grid, `[rows, columns]`, and its truth 0/1 (maybe empty).

    `group` is the patient, `index` the position along z (0 for a lone slice).
    """

    group: str
    index: int
    load: Callable[[], tuple[NDArray[np.uint8], NDArray[np.uint8]]]


def ground_t1(root: Path) -> dict[str, GroundSlice]:
    """`t1_slices` by the picture's file name. Raises `FileNotFoundError` where the set is absent."""

    def load(record: SliceRecord) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        pixels, truth = read_gray(record.image), read_mask(record)
        return pixels, np.zeros(pixels.shape, np.uint8) if truth is None else truth

    return {r.image.name: GroundSlice(r.group, 0, lambda r=r: load(r)) for r in read_slices(root)}  # type: ignore[misc]


def ground_lgg(root: Path) -> dict[str, GroundSlice]:
    """`lgg` by the picture's file name; the FLAIR places a slice. Raises `FileNotFoundError` where it is absent."""

    def load(item: LggSlice) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return read_sequences(item)["flair"], read_outline(item)

    return {s.picture.name: GroundSlice(s.patient, s.index, lambda s=s: load(s)) for s in read_lgg(root)}  # type: ignore[misc]


def ground_of(ground: dict[str, GroundSlice], key: str) -> GroundSlice:
    """The slice under a key. Raises `ValueError` naming the key where predictions and sets do not belong together."""
    if key not in ground:
        raise ValueError(f"{key}: predicted, but no slice of this set; predict again with these sets")
    return ground[key]
