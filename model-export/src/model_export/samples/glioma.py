"""A ring-enhancing glioma in a drawn brain: a dark core, an enhancing rim, edema along the white matter around it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model_export.samples.brain import Brain
from model_export.samples.solids import Field, Points, Waves, vector

LABELS: Final = {1: "necrotic_core", 2: "edema", 3: "enhancing_tumor"}
"""BraTS's, with its numbers."""
_CENTER_MM = vector((30, 6, 28))
_HALF_AXES_MM = vector((17.5, 20.5, 17))
_CORE, _EDEMA = 0.62, 1.6
_SHARP, _GRADUAL = 0.035, 0.11
_PUSH, _PUSH_REACH_MM = 0.28, 32.0


@dataclass(frozen=True, slots=True, eq=False)
class Glioma:
    """How much of each voxel it takes, in shares of 0..1."""

    core: Field
    rim: Field
    edema: Field

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The true outline, in the numbers of `LABELS`, 0 elsewhere."""
        shares = np.stack([self.core, self.edema, self.rim])
        rest = 1 - shares.sum(axis=0)
        return np.asarray(np.argmax(np.concatenate([rest[None], shares]), axis=0), np.uint8)


def pushed(points: Points) -> Points:
    """Where what lies at the points lay before the tumor grew and pushed it outward."""
    offset = points - _CENTER_MM
    reach = np.sum((offset / _PUSH_REACH_MM) ** 2, axis=-1, keepdims=True)
    return np.asarray(points - offset * np.float32(_PUSH) * np.exp(-reach), np.float32)


def draw_glioma(points: Points, brain: Brain, random: np.random.Generator) -> Glioma:
    """The tumor at `points [..., 3]`, RAS millimeters, in the `brain` that is there."""
    far = np.linalg.norm((points - _CENTER_MM) / _HALF_AXES_MM, axis=-1)
    far = far / (1 + 0.11 * Waves(random, 26.0)(points) + 0.04 * Waves(random, 11.0)(points))
    within = _below(far, 1.0, _SHARP) * brain.inside
    core = within * _below(far + 0.09 * Waves(random, 12.0)(points), _CORE, _SHARP)
    fingers = _below(far + 0.22 * Waves(random, 20.0)(points), _EDEMA, _GRADUAL)
    # Edema runs along white matter and leaves fluid and most of the cortex free.
    edema = fingers * (brain.white + 0.4 * brain.gray + 0.5 * brain.nuclei) * (1 - within)
    return Glioma(core, within - core, edema)


def _below(field: Field, limit: float, softness: float) -> Field:
    return np.asarray(1 / (1 + np.exp(np.clip((field - limit) / softness, -30, 30))), np.float32)
