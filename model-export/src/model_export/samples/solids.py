"""Solids in space by their signed distance in millimeters, negative inside, and smooth random fields.

Points are `[..., 3]` in RAS millimeters. The distances of ellipsoids are first-order estimates, exact on the surface.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Field = NDArray[np.float32]
Place = tuple[float, float, float]


def vector(place: Place) -> Points:
    """The place, or three lengths, as an array."""
    return np.array(place, np.float32)


def ellipsoid(points: Points, center: Place, half_axes_mm: Place) -> Field:
    """Distance to an ellipsoid along the axes."""
    offset, axes = points - vector(center), vector(half_axes_mm)
    scaled = np.linalg.norm(offset / axes, axis=-1)
    slope = np.linalg.norm(offset / axes**2, axis=-1)
    return np.asarray(scaled * (scaled - 1) / np.maximum(slope, 1e-6), np.float32)


def tube(points: Points, path: tuple[Place, ...], radii_mm: tuple[float, ...]) -> Field:
    """Distance to a bent tube through `path`, as wide at each of its places as `radii_mm` says."""
    nearest = np.full(points.shape[:-1], np.inf, np.float32)
    for (start, end), (first, last) in zip(pairwise(path), pairwise(radii_mm), strict=True):
        along = vector(end) - vector(start)
        share = np.clip((points - vector(start)) @ along / (along @ along), 0, 1)
        distance = np.linalg.norm(points - vector(start) - share[..., None] * along, axis=-1)
        nearest = np.minimum(nearest, distance - (first + (last - first) * share))
    return nearest


def joined(one: Field, other: Field, rounding_mm: float) -> Field:
    """The union of two solids, its inner edges rounded off (a polynomial smooth minimum)."""
    near = np.clip(0.5 + 0.5 * (other - one) / rounding_mm, 0, 1)
    return np.asarray(other + (one - other) * near - rounding_mm * near * (1 - near), np.float32)


def on_both_sides(place: Place) -> tuple[Place, Place]:
    """The place and its mirror image."""
    x, y, z = place
    return place, (-x, y, z)


class Waves:
    """A random field of mean 0 and deviation 1 that varies over `wavelength_mm`: a sum of plane waves."""

    def __init__(self, random: np.random.Generator, wavelength_mm: float, count: int = 48) -> None:
        directions = random.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lengths = 2 * math.pi / wavelength_mm * random.uniform(0.8, 1.2, (count, 1))
        self._vectors = (directions * lengths).astype(np.float32)
        self._phases = random.uniform(0, 2 * math.pi, count).astype(np.float32)
        self._scale = np.float32(math.sqrt(2 / count))

    def __call__(self, points: Points) -> Field:
        """The field at the points."""
        total = np.zeros(points.shape[:-1], np.float32)
        for vector, phase in zip(self._vectors, self._phases, strict=True):
            total += np.cos(points @ vector + phase)
        return total * self._scale

    def slope(self, points: Points) -> Points:
        """The field's gradient per millimeter."""
        total = np.zeros(points.shape, np.float32)
        for vector, phase in zip(self._vectors, self._phases, strict=True):
            total -= np.sin(points @ vector + phase)[..., None] * vector
        return total * self._scale
