"""What a scanner adds: a smooth warp of the anatomy, a bias field, Rician noise."""

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.samples.template import SIDE, Plane, warp


def random_shape(random: np.random.Generator, strength_px: float = 4.0) -> Plane:
    """A smooth displacement `[256, 256, 2]` in pixels, so that no two samples have one outline."""
    field = [cv2.GaussianBlur(random.normal(size=(SIDE, SIDE)).astype(np.float32), (0, 0), 28.0) for _ in range(2)]
    return np.stack([f / np.abs(f).max() * strength_px for f in field], axis=-1).astype(np.float32)


def scanned(head: Plane, flow: Plane, random: np.random.Generator) -> NDArray[np.uint8]:
    """The picture `[256, 256]` that a scanner would make of the warped head."""
    moved = warp(head, flow)
    coarse = random.uniform(-0.12, 0.12, (3, 3)).astype(np.float32)
    bias = np.exp(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    grain = cv2.GaussianBlur(random.normal(size=(2, SIDE, SIDE)).astype(np.float32).transpose(1, 2, 0), (0, 0), 0.6)
    noisy = np.hypot(moved * bias + 0.02 * grain[..., 0], 0.02 * grain[..., 1])
    return np.asarray(np.clip(np.rint(noisy * 235.0), 0, 255), np.uint8)


def warped_mask(mask: NDArray[np.uint8], flow: Plane) -> NDArray[np.uint8]:
    """The mask of 0 and 1 after the same warp."""
    return (warp(mask.astype(np.float32), flow) >= 0.5).astype(np.uint8)
