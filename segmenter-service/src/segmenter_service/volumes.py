"""What is segmented in three dimensions: the same volume in one or more sequences."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from segmenter_service.stack import SEQUENCES
from service_kit.errors import InvalidRequest, PayloadTooLarge
from service_kit.inference.pixels import Voxels, refuse_others, take_voxels
from service_kit.inference.volume import VoxelSize
from service_kit.tensors import Envelope

_LEAST_MM, _MOST_MM = 0.01, 100.0


@dataclass(frozen=True, slots=True)
class VolumeSequences:
    """Voxels `[x, y, z]` by sequence: at least one, all of one shape; `voxel_mm` along x, y, z."""

    sequences: Mapping[str, Voxels]
    voxel_mm: VoxelSize

    @property
    def shape(self) -> tuple[int, int, int]:
        """(x, y, z) of every sequence."""
        x, y, z = next(iter(self.sequences.values())).shape
        return x, y, z


def read_volumes(envelope: Envelope, *, max_voxels: int) -> VolumeSequences:
    """The sequences among the arrays, and the metadata `voxel_mm`.

    Raises:
        InvalidRequest: none is there, their shapes differ, voxels that are none, or a voxel size that cannot be.
        PayloadTooLarge: a sequence has more than `max_voxels`, or more cubic millimeters.
    """
    refuse_others(envelope, SEQUENCES)
    found: dict[str, Voxels] = {name: take_voxels(envelope, name) for name in SEQUENCES if name in envelope.arrays}
    if not found:
        raise InvalidRequest(f"no volume was sent: name each array by its sequence, one of {', '.join(SEQUENCES)}")
    if len({voxels.shape for voxels in found.values()}) > 1:
        shapes = ", ".join(f"{name} {list(voxels.shape)}" for name, voxels in found.items())
        raise InvalidRequest(f"the sequences must have one shape, on one grid; they have {shapes}")
    volumes = VolumeSequences(found, _voxel_mm(envelope.metadata.get("voxel_mm")))
    if math.prod(volumes.shape) > max_voxels:
        raise PayloadTooLarge(f"a sequence has {math.prod(volumes.shape)} voxels, at most {max_voxels} are taken")
    # What the voxels' size makes of them counts too: models work on voxels of about a millimeter.
    extent_mm = [size * of_voxel for size, of_voxel in zip(volumes.shape, volumes.voxel_mm, strict=True)]
    if math.prod(extent_mm) > max_voxels:
        sides = " x ".join(f"{side:.0f}" for side in extent_mm)
        raise PayloadTooLarge(
            f"by voxel_mm the volume has {sides} mm, at most {max_voxels} cubic millimeters are taken: "
            "correct voxel_mm, or crop the volume to the head"
        )
    return volumes


def _voxel_mm(text: str | None) -> VoxelSize:
    advice = f"the metadata voxel_mm must be a JSON list [x, y, z] of millimeters, {_LEAST_MM:g} to {_MOST_MM:g} each"
    try:
        sizes = json.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(advice) from error
    match sizes:
        case [int() | float() as x, int() | float() as y, int() | float() as z] if all(
            _LEAST_MM <= size <= _MOST_MM for size in (x, y, z)
        ):
            return float(x), float(y), float(z)
    raise InvalidRequest(advice)
