"""Synthetic lesions with a known mask, drawn into a mean head as contrast-enhanced T1 shows them."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model_export.samples.template import SIDE, Plane


class Lesion(BaseModel):
    """Where and how large, in shares of the picture's side: `center` is (row, column), `radii` (rows, columns)."""

    model_config = ConfigDict(frozen=True)

    label: str
    center: tuple[float, float]
    radii: tuple[float, float]
    roughness: float
    tilt_deg: float = 0.0


def draw_lesion(head: Plane, lesion: Lesion, random: np.random.Generator) -> tuple[Plane, NDArray[np.uint8]]:
    """The head with the lesion, and the mask `[256, 256]` of 0 and 1."""
    depth = _depth(lesion, random)
    mask = (depth < 1.0).astype(np.uint8)
    soft = _soft(mask, 0.9)
    texture = _texture(random)
    pushed = _push(head, lesion)
    if lesion.label == "glioma":
        edema = np.clip(1.75 - depth / 1.05, 0.0, 1.0) * (1 - soft)
        pushed = pushed * (1.0 - 0.34 * _soft(edema, 2.0))
        core = 1.0 / (1.0 + np.exp(np.clip((depth - 0.68 - 0.06 * texture) / 0.05, -30.0, 30.0)))
        value = 0.90 + 0.06 * texture - core * (0.66 - 0.04 * texture)
    elif lesion.label == "meningioma":
        value = 0.90 + 0.03 * texture
        rim = _soft(((depth >= 1.0) & (depth < 1.13)).astype(np.uint8), 1.0)
        pushed = pushed * (1.0 - 0.4 * rim)
    else:
        value = 0.60 + 0.06 * texture
    return np.clip(pushed * (1 - soft) + value * soft, 0.0, 1.0).astype(np.float32), mask


def _depth(lesion: Lesion, random: np.random.Generator) -> Plane:
    """Distance from the center in units of the (wavy) border: below 1 is inside."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
    dy, dx = y - lesion.center[0], x - lesion.center[1]
    tilt = math.radians(lesion.tilt_deg)
    u = (dx * math.cos(tilt) + dy * math.sin(tilt)) / lesion.radii[1]
    v = (-dx * math.sin(tilt) + dy * math.cos(tilt)) / lesion.radii[0]
    angle = np.arctan2(v, u)
    border = np.ones_like(angle)
    for wave in range(2, 7):
        border += lesion.roughness / wave * random.normal() * np.cos(wave * angle + random.uniform(0, 2 * math.pi))
    return np.asarray(np.hypot(u, v) / border, np.float32)


def _push(head: Plane, lesion: Lesion) -> Plane:
    """Mass effect: what lies around the lesion is pushed outward a little."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    dy, dx = y - lesion.center[0] * SIDE, x - lesion.center[1] * SIDE
    reach = 1.6 * max(lesion.radii) * SIDE
    share = 0.28 * np.exp(-(dx**2 + dy**2) / (2 * reach**2))
    return np.asarray(cv2.remap(head, x - dx * share, y - dy * share, cv2.INTER_LINEAR), np.float32)


def _soft(plane: NDArray[np.generic], sigma: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane.astype(np.float32), (0, 0), sigma), np.float32)


def _texture(random: np.random.Generator) -> Plane:
    """Smooth noise of unit variance."""
    noise = _soft(random.normal(size=(SIDE, SIDE)), 2.5)
    return np.asarray(noise / noise.std(), np.float32)
