"""From a model's probabilities to a mask in the picture's grid. One function, used in evaluation and in serving."""

import numpy as np
from numpy.typing import NDArray

from service_kit.inference.components import find_components
from service_kit.inference.manifest import Postprocessing
from service_kit.inference.preprocessing import Placement

_ROUNDING = 1e-5


def postprocess(
    probabilities: NDArray[np.float32], placement: Placement, postprocessing: Postprocessing
) -> NDArray[np.uint8]:
    """Probabilities `[S, S]` on the model's grid -> mask `[rows, columns]` of 0 and 1 on the picture's.

    Components (8-connected, of pixels at or above the threshold) with fewer than `min_component_px` pixels on the
    model's grid are dropped; what is left is brought back by `Placement.restore` and cut at the threshold there.
    """
    threshold = np.float32(postprocessing.threshold)
    above = probabilities >= threshold
    if above.any() and postprocessing.min_component_px > 1:
        components = find_components(above)
        small = components.smaller_than(postprocessing.min_component_px)
        if small.any():
            # Zero on the model's grid stays below the threshold after interpolation: its neighbors are below it too.
            probabilities = np.where(small, np.float32(0), probabilities)
            above = above & ~small
    if not above.any():
        return np.zeros((placement.rows, placement.columns), np.uint8)
    return (placement.restore(probabilities) >= threshold).view(np.uint8)


def are_probabilities(values: NDArray[np.float32]) -> bool:
    """Whether all lie in 0..1, but for the rounding of an engine's sigmoid; NaN does not."""
    return float(values.min()) >= -_ROUNDING and float(values.max()) <= 1.0 + _ROUNDING
