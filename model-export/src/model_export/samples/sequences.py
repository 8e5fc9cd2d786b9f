"""A drawn brain with its tumor as the four sequences show it: textbook contrasts, bias field, Rician noise."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_export.samples.brain import Brain
from model_export.samples.glioma import Glioma
from model_export.samples.solids import Field, Points, Waves

_BIAS, _MOTTLE, _NOISE_LEVELS = 0.05, 0.02, 3.0
_AIR_SHARE = 0.5


class Levels(NamedTuple):
    """Gray values of 0..255."""

    csf: float
    gray: float
    nuclei: float
    white: float
    vessels: float
    core: float
    rim: float
    edema: float


SEQUENCES: Final = {
    "t1": Levels(csf=42, gray=112, nuclei=132, white=165, vessels=60, core=72, rim=108, edema=112),
    "t1ce": Levels(csf=40, gray=108, nuclei=124, white=146, vessels=225, core=62, rim=232, edema=104),
    "t2": Levels(csf=228, gray=128, nuclei=112, white=92, vessels=60, core=205, rim=150, edema=182),
    "flair": Levels(csf=30, gray=128, nuclei=120, white=102, vessels=50, core=128, rim=168, edema=215),
}
"""How bright each tissue is: fluid is dark on T1 and FLAIR and bright on T2, edema bright on T2 and FLAIR, and the
rim and the vessels take up the contrast agent.
"""


def draw_sequence(
    levels: Levels, points: Points, brain: Brain, glioma: Glioma, random: np.random.Generator
) -> NDArray[np.uint8]:
    """One sequence on the grid of `points [i, j, k, 3]`; 0 outside the brain, as after skull stripping."""
    healthy = np.maximum(1 - glioma.core - glioma.rim - glioma.edema, 0)
    shares: dict[str, Field] = {
        "csf": brain.csf * healthy,
        "gray": brain.gray * healthy,
        "nuclei": brain.nuclei * healthy,
        "white": brain.white * healthy,
        "vessels": brain.vessels * healthy,
        "core": glioma.core,
        "rim": glioma.rim,
        "edema": glioma.edema,
    }
    clean = np.sum([share * np.float32(getattr(levels, name)) for name, share in shares.items()], axis=0)
    bias = np.exp(_BIAS * Waves(random, 160.0, 16)(points) + _MOTTLE * Waves(random, 9.0, 32)(points))
    grain = random.normal(0, _NOISE_LEVELS, (2, *clean.shape)).astype(np.float32)
    noisy = np.hypot(clean * bias + grain[0], grain[1])
    stripped = np.where(brain.inside > _AIR_SHARE, np.clip(np.rint(noisy), 1, 255), 0)
    return stripped.astype(np.uint8)
