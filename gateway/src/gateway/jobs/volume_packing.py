"""Findings of a volume as one blob and back: pictures, labels and heat map, each deflated.

They go to the blob store, not to Redis: a study's pictures are tens of megabytes, and Redis keeps all it has in memory.
"""

import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.findings import Saliency
from gateway.grid import Grid
from gateway.schemas import FinishedAnalysis
from gateway.volume_findings import VolumeFindings
from service_kit import tensors

_FAST = 1
"""Noise holds no repetitions: runs of background, and gray values of unlike frequency, are all that can be saved."""
_PICTURE = "picture-"


def pack_volume(findings: VolumeFindings) -> bytes:
    """The arrays in one container. Takes seconds for a large study: call it in a thread."""
    arrays: dict[str, NDArray[Any]] = {
        _PICTURE + name: _deflated(picture) for name, picture in findings.pictures.items()
    }
    arrays["affine"] = findings.grid.affine
    about: dict[str, Any] = {
        "shape": findings.grid.shape,
        "oriented": findings.grid.oriented,
        "primary": findings.primary,
        "names": findings.names,
    }
    if findings.labels is not None:
        arrays["labels"] = _deflated(findings.labels)
    if findings.saliency is not None:
        arrays["heatmap"] = findings.saliency.values
        about["heatmap"] = {"extent": findings.saliency.extent, "label": findings.saliency.label}
    return tensors.encode(arrays, None, about=json.dumps(about))


def unpack_volume(document: bytes, packed: bytes) -> VolumeFindings:
    """What `pack_volume` packed, with the analysis of `document`. Call it in a thread."""
    envelope = tensors.decode(packed)
    about = json.loads(envelope.metadata["about"])
    i, j, k = about["shape"]
    grid = Grid((i, j, k), np.array(envelope.arrays["affine"]), oriented=about["oriented"])
    labels = envelope.arrays.get("labels")
    saliency = None
    if "heatmap" in envelope.arrays:
        top, left, height, width = about["heatmap"]["extent"]
        saliency = Saliency(envelope.arrays["heatmap"], (top, left, height, width), about["heatmap"]["label"])
    return VolumeFindings(
        analysis=FinishedAnalysis.model_validate_json(document),
        grid=grid,
        pictures={
            name.removeprefix(_PICTURE): _inflated(array, grid)  # type: ignore[misc]
            for name, array in envelope.arrays.items()
            if name.startswith(_PICTURE)
        },
        primary=about["primary"],
        labels=None if labels is None else _inflated(labels, grid),
        names={int(label): name for label, name in about["names"].items()},
        saliency=saliency,
    )


def _deflated(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    deflate = zlib.compressobj(_FAST, strategy=zlib.Z_RLE)
    return np.frombuffer(deflate.compress(np.ascontiguousarray(array).data) + deflate.flush(), np.uint8)


def _inflated(array: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.decompress(array.data), np.uint8).reshape(grid.shape)
