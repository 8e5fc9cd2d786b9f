"""What the analysis of a series or a volume leaves behind, beside its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.findings import Saliency
from gateway.grid import Grid
from gateway.schemas import FinishedAnalysis
from service_kit.contracts.common import Sequence


@dataclass(frozen=True, slots=True, eq=False)
class VolumeFindings:
    """An analysis with its arrays, all of them `[i, j, k]` on `grid`, which is the first input's.

    Attributes:
        pictures: each sequence as it is shown, uint8: its gray values between the half percent at either end.
        primary: the sequence that was classified.
        labels: uint8, 0 = background; None where nothing was outlined.
        names: what each label is.
        saliency: the heat map of the key slice (`analysis.key_slice`), in that slice's rows and columns.
    """

    analysis: FinishedAnalysis
    grid: Grid
    pictures: Mapping[Sequence, NDArray[np.uint8]]
    primary: Sequence
    labels: NDArray[np.uint8] | None
    names: Mapping[int, str]
    saliency: Saliency | None = None
