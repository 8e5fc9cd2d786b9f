"""Small sets and predictions by hand: 64 x 64 pictures, squares as tumors, every figure known."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.store import SegmenterPredictions
from service_kit.inference.preprocessing import Preprocessing

SIDE = 64
IDENTITY = Preprocessing(size=SIDE, crop_head=False)
"""Pictures of 64 x 64 are the model's grid themselves: a plane is the mask's own grid."""


def square(top: int, left: int, height: int, width: int | None = None, value: int = 1) -> NDArray[np.uint8]:
    """A rectangle of `value` on an empty grid."""
    grid = np.zeros((SIDE, SIDE), np.uint8)
    grid[top : top + height, left : left + (width or height)] = value
    return grid


@dataclass(frozen=True)
class Made:
    """One made slice: where it belongs, its truth, and the probability (0..255) that a network is said to give."""

    group: str
    fold: int
    label: str
    truth: NDArray[np.uint8]
    plane: NDArray[np.uint8]
    view: str = "axial"
    source: str = "cheng"


def write_t1(root: Path, slices: Sequence[Made]) -> None:
    """`t1_slices` with one picture a slice, named 0.png, 1.png and so on."""
    folder = root / "t1_slices"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    columns = ("image", "mask", "tumor_class", "view", "source", "group", "original_width", "original_height")
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        for number, made in enumerate(slices):
            mask = f"masks/{number}.png" if made.truth.any() else ""
            cv2.imwrite(str(folder / f"images/{number}.png"), 60 + 120 * made.truth)
            if mask:
                cv2.imwrite(str(folder / mask), made.truth * 255)
            values = (f"images/{number}.png", mask, made.label, made.view, made.source, made.group, SIDE, SIDE)
            writer.writerow(dict(zip(columns, values, strict=True)))


def write_lgg(root: Path, slices: Sequence[Made]) -> None:
    """`lgg` with one slice after the other of each patient; the lone 256 x 256 grid of that set is filled by fours."""
    folder = root / "lgg"
    folder.mkdir(parents=True)
    columns = ("slice", "mask", "patient", "index", "tumor_px", "flair_empty")
    with (folder / "index.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        for number, made in enumerate(slices):
            truth = np.kron(made.truth, np.ones((4, 4), np.uint8))
            mask = f"{number}-mask.png" if truth.any() else ""
            cv2.imwrite(str(folder / f"{number}.png"), np.tile(60 + 120 * truth, (1, 3)))
            if mask:
                cv2.imwrite(str(folder / mask), truth * 255)
            values = (f"{number}.png", mask, made.group, number, int(truth.sum()), 0)
            writer.writerow(dict(zip(columns, values, strict=True)))


def predictions(slices: Sequence[Made], name: str = "seg-t1", **variants: NDArray[np.uint8]) -> SegmenterPredictions:
    """What is stored of the made slices; `variants` are further planes `[N, S, S]`."""
    return SegmenterPredictions(
        name=name,
        keys=np.array([f"{number}.png" for number in range(len(slices))]),
        groups=np.array([made.group for made in slices]),
        sources=np.array([made.source for made in slices]),
        views=np.array([made.view for made in slices]),
        labels=np.array([made.label for made in slices]),
        folds=np.array([made.fold for made in slices], np.int64),
        planes={"full": np.stack([made.plane for made in slices]), **variants},
    )
