"""Pictures on a model's grid, ready to train on: made once by the serving code's own preprocessing, then cached."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from service_kit.inference.preprocessing import Placement, Preprocessing


def read_gray(path: Path) -> NDArray[np.uint8]:
    """An 8-bit picture `[rows, columns]`. Raises `ValueError` where it cannot be read."""
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise ValueError(f"{path.name}: no picture")
    return np.asarray(pixels, np.uint8)


def place_mask(mask: NDArray[np.uint8], placement: Placement, size: int) -> NDArray[np.uint8]:
    """A mask `[rows, columns]` 0/1 on the model's grid `[size, size]`, 0..255: how much of each pixel it covers."""
    y, x, h, w = placement.source
    top, left, height, width = placement.target
    shrinks = height < h or width < w
    inner = (mask[y : y + h, x : x + w] > 0).astype(np.uint8) * np.uint8(255)
    grid = np.zeros((size, size), np.uint8)
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    grid[top : top + height, left : left + width] = cv2.resize(inner, (width, height), interpolation=method)
    return grid


@dataclass(frozen=True, slots=True)
class Pictures:
    """`images [N, C, S, S]` uint8 with, where there are any, `masks [N, S, S]` uint8 (0..255)."""

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.images)


Maker = Callable[[int], tuple[NDArray[np.uint8], NDArray[np.uint8] | None]]


def cached(folder: Path, name: str, preprocessing: Preprocessing, keys: Sequence[str], make: Maker) -> Pictures:
    """Pictures `make(index)` for every key, from `folder` when they were made before with the same preprocessing."""
    stamp = hashlib.sha256("\n".join([preprocessing.model_dump_json(), *keys]).encode()).hexdigest()[:12]
    images_path, masks_path = folder / f"{name}-{stamp}.npy", folder / f"{name}-{stamp}-masks.npy"
    if not images_path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = [make(index) for index in range(len(keys))]
        size = preprocessing.size
        masks = [np.zeros((size, size), np.uint8) if mask is None else mask for _, mask in made]
        if any(mask is not None for _, mask in made):
            np.save(masks_path, np.stack(masks))
        np.save(images_path, np.stack([image for image, _ in made]))
    masks_found = np.load(masks_path) if masks_path.exists() else None
    return Pictures(np.load(images_path), masks_found)
