"""Pictures to compare two engines on: made ones, and those that the importer was given."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.importing.faults import ImportFault
from model_export.importing.request import ImportRequest

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
_MOST = 32
_COARSE = 8


def made_pictures(request: ImportRequest, count: int, seed: int) -> NDArray[np.uint8]:
    """Smooth random pictures `[count, C, S, S]` with noise on them, from black to white."""
    random = np.random.default_rng(seed)
    planes = []
    for _ in range(count * request.picture_channels):
        coarse = random.integers(0, 256, (_COARSE, _COARSE)).astype(np.float32)
        smooth = cv2.resize(coarse, (request.size, request.size), interpolation=cv2.INTER_CUBIC)
        planes.append(np.clip(smooth + random.normal(0.0, 8.0, smooth.shape), 0, 255).astype(np.uint8))
    return np.stack(planes).reshape(count, request.picture_channels, request.size, request.size)


def given_pictures(request: ImportRequest, folder: Path | None) -> NDArray[np.uint8]:
    """The first 32 pictures of `folder` as the services would prepare them, `[N, C, S, S]`; none where it is None.

    Each is one gray slice, which stands for every channel.

    Raises:
        ImportFault: the folder holds no pictures, or one that cannot be read.
    """
    shape = (0, request.picture_channels, request.size, request.size)
    if folder is None:
        return np.zeros(shape, np.uint8)
    if not folder.is_dir():
        raise ImportFault(f"{folder.name}: no such folder of pictures")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)[:_MOST]
    if not paths:
        raise ImportFault(f"{folder.name}: no pictures in it ({', '.join(sorted(_SUFFIXES))})")
    found = []
    for path in paths:
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise ImportFault(f"{path.name}: cannot be read as a picture; remove it from the folder")
        found.append(request.preprocessing.apply(np.asarray(pixels, np.uint8))[0])
    return np.repeat(np.stack(found)[:, None], request.picture_channels, axis=1)
