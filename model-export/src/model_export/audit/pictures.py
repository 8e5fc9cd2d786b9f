"""One picture, read and reduced to what the audit compares: hash, size, and small pictures of it."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model_export.audit.content import content_hash
from model_export.audit.head import head_outline, upright

SIDE = 64
_WORKING_PX = 128
_COLOR_DIFFERENCE = 4.0
_CONSTANT_STD = 1.0
_WIDE_MODES = ("I", "F", "I;16", "I;16B", "I;16L")


class UnreadablePicture(ValueError):
    """A file that is missing, broken, cut short or no picture at all."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A readable picture.

    `plain [64, 64]` is the whole of it, `upright [64, 64]` the same turned and stretched to the head's own axes,
    `outline [64, 64]` 0/1 the head on the plain one (convex, with a margin). `mode` is the decoder's, with "gray" where
    all channels are equal. `is_constant`: all pixels are equal but for noise.
    """

    content: str
    width: int
    height: int
    mode: str
    is_constant: bool
    plain: NDArray[np.uint8]
    upright: NDArray[np.uint8]
    outline: NDArray[np.uint8]


def read_picture(path: Path) -> Picture:
    """Decode and reduce one file. Raises `UnreadablePicture` with the reason."""
    mode, gray, shown = _decode(path)
    height, width = gray.shape
    scale = min(1.0, _WORKING_PX / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    working = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
    outline = head_outline(working)
    return Picture(
        content=content_hash(shown),
        width=width,
        height=height,
        mode=mode,
        is_constant=float(gray.std()) < _CONSTANT_STD,
        plain=_square(working),
        upright=upright(working, outline, SIDE),
        outline=(_square(_wider(outline)) > 0).astype(np.uint8),
    )


def _square(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _wider(outline: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.dilate(outline, np.ones((5, 5), np.uint8)), np.uint8) * np.uint8(255)


def _decode(path: Path) -> tuple[str, NDArray[np.uint8], NDArray[np.generic]]:
    """Mode, gray picture `[rows, columns]` 0..255, and the pixels that the hash is of."""
    try:
        with Image.open(path) as image:
            image.load()
            if image.mode in _WIDE_MODES:
                wide = np.asarray(image).astype(np.float64)
                low, high = float(wide.min()), float(wide.max())
                scaled = (wide - low) * (255.0 / (high - low) if high > low else 0.0)
                return image.mode, scaled.astype(np.uint8), wide
            mode = image.mode
            gray = np.asarray(image.convert("L"), np.uint8)
            if mode in {"1", "L", "LA"}:
                return mode, gray, gray
            colored = np.asarray(image.convert("RGB"), np.uint8)
    except FileNotFoundError as error:
        raise UnreadablePicture("the file is missing") from error
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise UnreadablePicture(str(error).replace(str(path), path.name) or type(error).__name__) from error
    sparse = colored[::4, ::4].astype(np.int16)
    if float((sparse.max(axis=2) - sparse.min(axis=2)).mean()) < _COLOR_DIFFERENCE:
        return f"{mode}, gray", gray, gray
    return mode, gray, colored
