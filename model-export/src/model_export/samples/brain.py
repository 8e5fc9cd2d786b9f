"""A brain that is nobody's: drawn from solids and random waves, with lobes, folded cortex, ventricles and nuclei."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_export.samples.solids import Field, Points, Waves, ellipsoid, joined, on_both_sides, tube, vector

_CENTER_MM = vector((0, -8, 10))
_GLOBE_MM = vector((66, 84, 62))
"""The ellipsoid on which the pattern of folds lies; it is carried inward along rays from the center."""
_FOLD_MM, _CORTEX_MM, _FURROW_MM = 21.0, 3.4, 0.8
_CLEFT_MM = 9.0
_RIM_MM = 0.7
"""Of fluid around the brain."""
_EDGE_MM = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Brain:
    """What fills each voxel, as shares of 0..1 that add up to `inside`."""

    csf: Field
    gray: Field
    nuclei: Field
    white: Field
    vessels: Field

    @property
    def inside(self) -> Field:
        """Brain and fluid against the air around."""
        return self.csf + self.gray + self.nuclei + self.white + self.vessels


def draw_brain(points: Points, random: np.random.Generator) -> Brain:
    """The brain at `points [..., 3]`, RAS millimeters from its middle; without skull, as segmenters want it."""
    bent = points + 2.0 * np.stack([Waves(random, 70.0, 24)(points) for _ in range(3)], axis=-1)
    cerebrum, cerebellum, stem = _cerebrum(bent), _cerebellum(bent), _stem(bent)
    inside = _soft(_RIM_MM - np.minimum(cerebrum, np.minimum(cerebellum, stem)))
    cortex = np.minimum(-cerebrum, _furrows(bent, -cerebrum, random))
    leaves = np.minimum(-cerebellum, _clefts(bent, -cerebellum, random))
    # The stem has no cortex: white matter up to its surface.
    depth = np.maximum(np.maximum(cortex, leaves), np.where(stem < 0, _CORTEX_MM + 1.0 - 0.5 * stem, -9.0))
    hollow = _ventricles(bent)
    fluid = np.maximum(_soft(-depth), _soft(-hollow)) * inside
    nuclei = _soft(-_nuclei(bent)) * (inside - fluid)
    rest = inside - fluid - nuclei
    # White matter lines the ventricles too, so its depth is counted from the cortex alone.
    white = rest * _soft(depth - _CORTEX_MM)
    vessels = fluid * _soft(_vessels(bent, random)) * (hollow > _EDGE_MM)
    return Brain(csf=fluid - vessels, gray=rest - white, nuclei=nuclei, white=white, vessels=vessels)


def _soft(depth_mm: NDArray[np.floating]) -> Field:
    """1 inside, 0 outside, one half on the border."""
    return np.asarray(1 / (1 + np.exp(np.clip(-depth_mm * 4 / (2 * _EDGE_MM), -30, 30))), np.float32)


def _cerebrum(points: Points) -> Field:
    """Two hemispheres with frontal, temporal and occipital lobes."""
    lobes = [
        ((24.0, -6.0, 20.0), (38.0, 77.0, 48.0)),
        ((18.0, 34.0, 4.0), (32.0, 36.0, 28.0)),
        ((43.0, -6.0, -16.0), (21.0, 44.0, 20.0)),
        ((24.0, -58.0, 8.0), (28.0, 32.0, 30.0)),
        ((18.0, -10.0, 0.0), (28.0, 34.0, 22.0)),
    ]
    solid = ellipsoid(points, (0.0, -7.0, 18.0), (64.0, 82.0, 50.0))
    for center, axes in lobes:
        for side in on_both_sides(center):
            solid = joined(solid, ellipsoid(points, side, axes), 9.0)
    return solid


def _cerebellum(points: Points) -> Field:
    solid = np.full(points.shape[:-1], 99.0, np.float32)
    for side in on_both_sides((23.0, -54.0, -38.0)):
        solid = joined(solid, ellipsoid(points, side, (27.0, 26.0, 19.0)), 8.0)
    return solid


def _stem(points: Points) -> Field:
    return tube(points, ((0, -18, -8), (0, -22, -30), (0, -32, -56)), (13.0, 15.0, 9.0))


def _clefts(points: Points, depth_mm: Field, random: np.random.Generator) -> Field:
    """Distance to the fluid between the leaves of the cerebellum, which lie flat and fade out inside."""
    between = np.abs(Waves(random, 9.0)(points * vector((0.35, 0.8, 1.5)))) * np.float32(3.2) - np.float32(0.5)
    return np.asarray(between + np.float32(0.6) * np.maximum(depth_mm - _CLEFT_MM, 0), np.float32)


def _furrows(points: Points, depth_mm: Field, random: np.random.Generator) -> Field:
    """Distance to the fluid in the furrows: those of the cortex, between the hemispheres, above the temporal lobes."""
    x, y, z = np.moveaxis(points, -1, 0)
    core = -ellipsoid(points, (0.0, -8.0, -2.0), (60.0, 40.0, 28.0))
    between = np.hypot(x, np.maximum(core, 0)) - 1.1
    beyond = np.maximum(30.0 - np.abs(x), 0) ** 2 + np.maximum(np.abs(y + 4) - 30.0, 0) ** 2
    above_temporal = np.sqrt(beyond + ((z + 3.0 + 0.3 * y) * 0.95) ** 2) - 1.6
    folds = _folds(points, depth_mm, random)
    return np.asarray(np.minimum(folds, np.minimum(between, above_temporal)), np.float32)


def _folds(points: Points, depth_mm: Field, random: np.random.Generator) -> Field:
    """Distance to the furrows that follow the zero lines of random waves on the globe, down to a random depth."""
    offset = points - _CENTER_MM
    reach = np.maximum(np.linalg.norm(offset / _GLOBE_MM, axis=-1, keepdims=True), 0.05)
    globe = _CENTER_MM + offset / reach
    wander = 2.5 * np.stack([Waves(random, 30.0, 24)(points) for _ in range(3)], axis=-1)
    pattern = Waves(random, _FOLD_MM)
    slope = pattern.slope(globe + wander)
    outward = offset / np.maximum(np.linalg.norm(offset, axis=-1, keepdims=True), 1e-3)
    slope -= np.sum(slope * outward, axis=-1, keepdims=True) * outward
    beside = np.abs(pattern(globe + wander)) / np.maximum(np.linalg.norm(slope, axis=-1), 0.045) * reach[..., 0]
    bottom_mm = 16.0 + 4.0 * Waves(random, 45.0)(globe)
    # Near the center the rays meet, and the pattern would be a star.
    too_deep = np.maximum(np.maximum(depth_mm - bottom_mm, (0.62 - reach[..., 0]) * 70.0), 0)
    return np.asarray(np.hypot(beside, too_deep) - _FURROW_MM, np.float32)


def _vessels(points: Points, random: np.random.Generator) -> Field:
    """Depth in vessels, which are where two random fields are both nearly zero; only those in furrows are drawn."""
    return np.asarray(1.8 - 5.0 * np.hypot(Waves(random, 26.0)(points), Waves(random, 26.0)(points)), np.float32)


def _ventricles(points: Points) -> Field:
    """The two lateral ventricles with their horns, the third and the fourth."""
    mirrored = points.copy()
    mirrored[..., 0] = np.abs(mirrored[..., 0])
    body = ((7, 30, 8), (9, 18, 15), (10, -8, 22), (17, -32, 15), (22, -52, 5))
    lateral = tube(mirrored, body, (3.5, 6.0, 6.0, 7.0, 2.5))
    horn = tube(mirrored, ((19, -33, 12), (28, -28, -6), (31, -8, -16)), (5.0, 3.0, 2.0))
    third = ellipsoid(points, (0.0, -10.0, 0.0), (2.0, 14.0, 9.0))
    fourth = ellipsoid(points, (0.0, -40.0, -34.0), (5.0, 4.0, 8.0))
    return np.minimum(np.minimum(lateral, horn), np.minimum(third, fourth))


def _nuclei(points: Points) -> Field:
    """Caudate, lentiform nucleus and thalamus on both sides."""
    solid = np.full(points.shape[:-1], 99.0, np.float32)
    for center, axes in (
        ((15.0, 16.0, 9.0), (4.0, 14.0, 8.0)),
        ((25.0, 3.0, 1.0), (5.5, 16.0, 10.0)),
        ((11.5, -16.0, 5.0), (8.5, 13.0, 9.0)),
    ):
        for side in on_both_sides(center):
            solid = np.minimum(solid, ellipsoid(points, side, axes))
    return solid
