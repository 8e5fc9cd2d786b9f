"""What may be wrong with a picture: each distortion at known strength, the truth moved along where it moves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, np.random.Generator], Pixels]


@dataclass(frozen=True, slots=True)
class Distortion:
    """`change` distorts pixels `[rows, columns]`; `move` does to the truth (0/1) what happens to its place.

    `move` None: the truth stays where it is.
    """

    name: str
    kind: Literal["none", "geometry", "intensity", "resolution"]
    change: Change
    move: Callable[[Pixels], Pixels] | None = None

    def truth(self, mask: Pixels) -> Pixels:
        """The truth of the distorted picture."""
        return mask if self.move is None else self.move(mask)


def rotated(pixels: Pixels, degrees: float) -> Pixels:
    """Turned counterclockwise about the center on a larger canvas, so that nothing is cut off; black is added."""
    rows, columns = pixels.shape
    matrix = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), degrees, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    width, height = round(columns * cosine + rows * sine), round(columns * sine + rows * cosine)
    matrix[:, 2] += (width - columns) / 2, (height - rows) / 2
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR), np.uint8)


def with_gamma(pixels: Pixels, gamma: float) -> Pixels:
    """`255 (x / 255) ** gamma`: below 1 brightens."""
    table = np.rint(255.0 * (np.arange(256) / 255.0) ** gamma).astype(np.uint8)
    return np.asarray(table[pixels], np.uint8)


def with_rician_noise(pixels: Pixels, share: float, random: np.random.Generator) -> Pixels:
    """Magnitude noise as MRI has it: two channels of standard deviation `share` of the full range."""
    real = pixels + random.normal(0.0, share * 255.0, pixels.shape)
    imaginary = random.normal(0.0, share * 255.0, pixels.shape)
    return np.asarray(np.clip(np.rint(np.hypot(real, imaginary)), 0, 255), np.uint8)


def with_bias_field(pixels: Pixels, strength: float, random: np.random.Generator) -> Pixels:
    """A smooth multiplicative field between `exp(-strength)` and `exp(strength)`, from 3 x 3 random points."""
    coarse = random.uniform(-strength, strength, (3, 3)).astype(np.float32)
    field = cv2.resize(coarse, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(np.rint(pixels * np.exp(field)), 0, 255), np.uint8)


def with_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Encoded as JPEG at `quality` and decoded again. Raises `ValueError` where the codec refuses."""
    done, content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture cannot be encoded as JPEG")
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def shrunk(pixels: Pixels, side: int) -> Pixels:
    """The longer side reduced to `side` pixels."""
    scale = side / max(pixels.shape)
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _turn(name: str, degrees: float) -> Distortion:
    def move(mask: Pixels) -> Pixels:
        return (rotated(mask * np.uint8(255), degrees) > 127).astype(np.uint8)

    return Distortion(name, "geometry", lambda pixels, _: rotated(pixels, degrees), move)


def _exact(name: str, move: Callable[[Pixels], Pixels]) -> Distortion:
    return Distortion(name, "geometry", lambda pixels, _: move(pixels), move)


def _intensity(name: str, change: Change) -> Distortion:
    return Distortion(name, "intensity", change)


_ALL = (
    Distortion("none", "none", lambda pixels, _: pixels),
    _turn("rotated by 5 degrees", 5.0),
    _turn("rotated by 15 degrees", 15.0),
    _exact("rotated by 90 degrees", lambda pixels: np.ascontiguousarray(np.rot90(pixels))),
    _exact("upside down (180 degrees)", lambda pixels: np.ascontiguousarray(pixels[::-1, ::-1])),
    _exact("mirrored", lambda pixels: np.ascontiguousarray(pixels[:, ::-1])),
    _intensity("gamma 0.6", lambda pixels, _: with_gamma(pixels, 0.6)),
    _intensity("gamma 1.6", lambda pixels, _: with_gamma(pixels, 1.6)),
    _intensity("bias field 0.5", lambda pixels, random: with_bias_field(pixels, 0.5, random)),
    _intensity("noise 5 %", lambda pixels, random: with_rician_noise(pixels, 0.05, random)),
    _intensity("noise 10 %", lambda pixels, random: with_rician_noise(pixels, 0.10, random)),
    Distortion("blur, sigma 1.5 px", "resolution", lambda pixels, _: _blurred(pixels, 1.5)),
    Distortion("blur, sigma 3 px", "resolution", lambda pixels, _: _blurred(pixels, 3.0)),
    Distortion("JPEG quality 50", "resolution", lambda pixels, _: with_jpeg(pixels, 50)),
    Distortion("JPEG quality 15", "resolution", lambda pixels, _: with_jpeg(pixels, 15)),
    Distortion("64 px", "resolution", lambda pixels, _: shrunk(pixels, 64)),
)
DISTORTIONS: Mapping[str, Distortion] = MappingProxyType({distortion.name: distortion for distortion in _ALL})
"""By name, the undistorted picture first."""


def _blurred(pixels: Pixels, sigma_px: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma_px), np.uint8)
