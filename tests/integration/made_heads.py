"""Studies of `tests.bench.volume` in two sizes, as parts of a form."""

import numpy as np

from tests.bench.volume import SHAPE, files, study

Parts = list[tuple[str, tuple[str, bytes, str]]]
_BALL_VX = np.array([25, 20, 10])  # from the middle of the whole grid
_BALL_RADIUS_VX = 18.0


class Heads:
    """`small` is every second voxel as one of 1 mm, one tile of the published 3D model; `large` all of them.

    Attributes:
        small_center_mm: of the ball in `small`, RAS.
        small_ball_ml: its volume.
    """

    def __init__(self) -> None:
        volumes = study()
        self.large: Parts = files(volumes)
        self.small: Parts = files({name: voxels[::2, ::2, ::2].copy() for name, voxels in volumes.items()})
        middle = (np.array(SHAPE) / 2 + _BALL_VX) / 2
        self.small_center_mm = middle * np.array([-1.0, -1.0, 1.0])
        self.small_ball_ml = 4 / 3 * np.pi * (_BALL_RADIUS_VX / 2) ** 3 / 1000
