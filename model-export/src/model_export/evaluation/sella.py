"""Where pituitary tumors lie in the head, plane by plane: measured on the published outlines."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import SliceRecord, read_mask, read_slices
from service_kit.contracts.classification import ViewLabel
from service_kit.contracts.common import VIEW_LABELS
from service_kit.inference.agreement import Place, head_box, mask_place
from service_kit.inference.region import Region

MARGIN = 0.05
"""What the region is widened by on each side, in shares of the head's box: its own uncertainty, and other heads."""


class SellaRegion(BaseModel):
    """The region of one plane. `outside` counts the outlines it was measured on that lie outside all the same.

    `other_outside` is the share of gliomas and meningiomas in this plane whose outline lies outside: what the check
    could find; `mirrored_outside` the same where nobody knows which side is the front.
    """

    model_config = ConfigDict(frozen=True)

    region: Region
    outlines: int
    outside: int
    other_outlines: int
    other_outside: float
    mirrored_outside: float


def measure_sella(root: Path, alarm_rate: float) -> dict[ViewLabel, SellaRegion]:
    """The regions of all planes from the outlines of `t1_slices` whose plane is known.

    A region leaves out at most `alarm_rate` of the outlines' centers, half of it on each side of each axis, before it
    is widened by `MARGIN`.

    Raises:
        FileNotFoundError: the set is absent.
        ValueError: a plane has no pituitary tumor.
    """
    records = [record for record in read_slices(root) if record.mask is not None and record.view is not None]
    return {view: _measure([r for r in records if r.view == view], view, alarm_rate) for view in _views()}


def _views() -> Iterable[ViewLabel]:
    return VIEW_LABELS  # type: ignore[return-value]


def _measure(records: list[SliceRecord], view: str, alarm_rate: float) -> SellaRegion:
    places = [(record.tumor_class, place) for record in records if (place := _place(record)) is not None]
    own = np.array([place for label, place in places if label == "pituitary"])
    other = [place for label, place in places if label != "pituitary"]
    if not len(own):
        raise ValueError(f"t1_slices has no pituitary tumor in the {view} plane")
    region = bounding_region(own, alarm_rate)
    mirrored = region.mirrored()
    return SellaRegion(
        region=region,
        outlines=len(own),
        outside=sum(not region.holds((float(row), float(column))) for row, column in own),
        other_outlines=len(other),
        other_outside=_outside(region, other),
        mirrored_outside=_outside(mirrored, other),
    )


def bounding_region(places: NDArray[np.float64], alarm_rate: float) -> Region:
    """The box around `places [N, 2]` (row, column) without their farthest parts, widened by `MARGIN`."""
    tail = alarm_rate / 4
    low, high = np.quantile(places, tail, axis=0) - MARGIN, np.quantile(places, 1 - tail, axis=0) + MARGIN
    low, high = np.clip(np.round(low, 3), 0, 1), np.clip(np.round(high, 3), 0, 1)
    return Region(top=float(low[0]), bottom=float(high[0]), left=float(low[1]), right=float(high[1]))


def _place(record: SliceRecord) -> Place | None:
    mask = read_mask(record)
    return None if mask is None else mask_place(mask > 0, head_box(read_gray(record.image)))


def _outside(region: Region, places: list[Place]) -> float:
    return round(float(np.mean([not region.holds(place) for place in places])), 4) if places else 0.0
