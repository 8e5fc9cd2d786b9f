"""The colors of pictures and reports: told apart by color-blind eyes, visible on gray."""

import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]

OUTLINE: Color = (0, 209, 255)
DIAMETER: Color = (255, 200, 0)
HALO: Color = (0, 0, 0)
STRIP: Color = (17, 20, 24)
TEXT: Color = (236, 239, 242)
QUIET_TEXT: Color = (150, 158, 168)

LABELS: dict[str, Color] = {
    "edema": OUTLINE,
    "enhancing_tumor": (255, 112, 67),
    "necrotic_core": (214, 150, 255),
}
"""Of the labels that are told apart, from the outermost to the innermost; any other label is `OUTLINE`."""

# Polynomial fit of the "inferno" color map of matplotlib (CC0), one row a power, one column a channel.
_INFERNO = np.array(
    [
        [0.0002189403691192265, 0.001651004631001012, -0.01948089843709184],
        [0.1065134194856116, 0.5639564367884091, 3.932712388889277],
        [11.60249308247187, -3.972853965665698, -15.9423941062914],
        [-41.70399613139459, 17.43639888205313, 44.35414519872813],
        [77.162935699427, -33.40235894210092, -81.80730925738993],
        [-71.31942824499214, 32.62606426397723, 73.20951985803202],
        [25.13112622477341, -12.24266895238567, -23.07032500287172],
    ],
    np.float32,
)


def inferno(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The perceptually uniform color, `[..., 3]` in 0..255, of `values [...]` in 0..1."""
    x = np.clip(values, 0.0, 1.0)[..., None]
    color = np.zeros((*values.shape, 3), np.float32)
    for row in _INFERNO[::-1]:
        color = color * x + row
    return np.clip(color, 0.0, 1.0) * np.float32(255)
