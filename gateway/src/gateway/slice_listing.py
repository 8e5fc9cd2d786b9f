"""What a viewer must know of a volume before it asks for slices."""

from typing import get_args

import numpy as np

from gateway.slices import SliceStack
from gateway.volume_findings import VolumeFindings
from gateway.volume_schemas import KeySlice, VolumeSchema
from service_kit.contracts.classification import ViewLabel
from service_kit.contracts.common import Sequence


class PlaneListing(VolumeSchema):
    """The slices of one plane.

    `spacing_mm` is between neighboring (slices, rows, columns); `outlined_px` is, for each slice, how many of its
    pixels are in the outline: null where nothing was outlined.
    """

    slices: int
    rows: int
    columns: int
    spacing_mm: tuple[float, float, float]
    outlined_px: tuple[int, ...] | None


class SliceListing(VolumeSchema):
    """The planes of a volume, its sequences (the classified one first), the outline's labels, and the key slice.

    `path` is where the slices are, with {plane} and {number} to fill in. `oriented` is false where the file does not
    say left and right: the planes are then named after the array's axes alone.
    """

    planes: dict[ViewLabel, PlaneListing]
    sequences: tuple[Sequence, ...]
    labels: tuple[str, ...]
    key_slice: KeySlice | None
    oriented: bool
    path: str


def list_slices(findings: VolumeFindings) -> SliceListing:
    """The listing; counts the outline's pixels in every slice."""
    planes: tuple[ViewLabel, ...] = get_args(ViewLabel)
    others = tuple(name for name in findings.pictures if name != findings.primary)
    return SliceListing(
        planes={plane: _plane(findings, plane) for plane in planes},
        sequences=(findings.primary, *others),
        labels=() if findings.labels is None else tuple(findings.names.values()),
        key_slice=findings.analysis.key_slice,
        oriented=findings.grid.oriented,
        path=f"/v1/analyses/{findings.analysis.id}/slices/{{plane}}/{{number}}.png",
    )


def _plane(findings: VolumeFindings, plane: ViewLabel) -> PlaneListing:
    stack = SliceStack(findings.grid, plane)
    slices, rows, columns = stack.shape
    outlined = None
    if findings.labels is not None:
        outlined = tuple(int(count) for count in np.count_nonzero(stack.take(findings.labels), axis=(1, 2)))
    return PlaneListing(slices=slices, rows=rows, columns=columns, spacing_mm=stack.spacing_mm, outlined_px=outlined)
