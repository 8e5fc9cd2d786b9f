"""A glioma's nested regions and the labels that its voxels get, as in BraTS (Menze et al. 2015)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

REGIONS = ("whole_tumor", "tumor_core", "enhancing_tumor")
"""Each lies in the one before: what a network with overlapping outputs answers, and what is judged."""
NECROTIC_CORE, EDEMA, ENHANCING = 1, 2, 3
VOXEL_LABELS = {"necrotic_core": NECROTIC_CORE, "edema": EDEMA, "enhancing_tumor": ENHANCING}
"""The values of a label map; 0 is no tumor."""


def label_map(regions: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Regions `[3, ...]` -> labels `[...]`. A core outside the whole tumor is none, nor is enhancement outside it."""
    whole, core, enhancing = regions
    labels = np.where(whole, np.uint8(EDEMA), np.uint8(0))
    labels[whole & core] = NECROTIC_CORE
    labels[whole & core & enhancing] = ENHANCING
    return labels


def regions_of(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Labels `[...]` (4 is read as 3: BraTS before 2023) -> regions `[3, ...]`."""
    enhancing = (labels == ENHANCING) | (labels == 4)
    core = enhancing | (labels == NECROTIC_CORE)
    return np.stack([core | (labels == EDEMA), core, enhancing])
