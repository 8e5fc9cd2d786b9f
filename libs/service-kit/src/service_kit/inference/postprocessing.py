"""From a model's probabilities to a mask in the picture's grid. One function, used in evaluation and in serving."""

import cv2
import numpy as np
from numpy.typing import NDArray

from service_kit.inference.manifest import Postprocessing
from service_kit.inference.preprocessing import Placement


def postprocess(
    probabilities: NDArray[np.float32], placement: Placement, postprocessing: Postprocessing
) -> NDArray[np.uint8]:
    """Probabilities `[S, S]` on the model's grid -> mask `[rows, columns]` of 0 and 1 on the picture's.

    Components (8-connected, of pixels at or above the threshold) with fewer than `min_component_px` pixels on the
    model's grid are dropped; what is left is brought back by `Placement.restore` and cut at the threshold there.
    """
    threshold = np.float32(postprocessing.threshold)
    above = probabilities >= threshold
    if not above.any():
        return np.zeros((placement.rows, placement.columns), np.uint8)
    if postprocessing.min_component_px > 1:
        small = _small_components(above.view(np.uint8), postprocessing.min_component_px)
        if small is not None:
            # Zero on the model's grid stays below the threshold after interpolation: its neighbors are below it too.
            probabilities = np.where(small, np.float32(0), probabilities)
    return (placement.restore(probabilities) >= threshold).view(np.uint8)


def _small_components(above: NDArray[np.uint8], min_component_px: int) -> NDArray[np.bool_] | None:
    """Which pixels belong to a component under `min_component_px`; None where there is no such component."""
    count, components, statistics, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    small = statistics[:, cv2.CC_STAT_AREA] < min_component_px
    small[0] = False
    if not small[:count].any():
        return None
    return np.asarray(small[components], dtype=np.bool_)
