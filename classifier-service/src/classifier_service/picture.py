"""A picture on a model's grid."""

from collections.abc import Set as AbstractSet

import numpy as np
from numpy.typing import NDArray

from service_kit.errors import ModelInvalid
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.preprocessing import Pixels, Placement


def prepare(manifest: ModelManifest, pixels: Pixels) -> tuple[NDArray[np.uint8], Placement]:
    """Pixels `[rows, columns]` -> `image [1, 1, S, S]` for the model, and where they lie there.

    Raises:
        ModelInvalid: the manifest says nothing about preprocessing.
    """
    if manifest.preprocessing is None:
        raise ModelInvalid(f"{manifest.name}: a picture model needs preprocessing")
    grid, placement = manifest.preprocessing.apply(pixels)
    return grid[None, None], placement


def check_picture_model(manifest: ModelManifest, *, inputs: AbstractSet[str], outputs: AbstractSet[str]) -> None:
    """Refuse a model that does not read one gray picture, or misses an input or an output that the stage needs.

    Raises:
        ModelInvalid: naming the model and what is missing.
    """
    found = {spec.name: spec for spec in manifest.inputs}
    if found.keys() != inputs:
        raise ModelInvalid(f"{manifest.name}: its inputs must be {', '.join(sorted(inputs))}")
    missing = outputs - {spec.name for spec in manifest.outputs}
    if missing:
        raise ModelInvalid(f"{manifest.name}: it has no output {', '.join(sorted(missing))}")
    image = found["image"]
    if image.dtype != "UINT8" or len(image.shape) != 4 or image.shape[1] != 1:
        raise ModelInvalid(f"{manifest.name}: its input image must be UINT8 [-1, 1, S, S]")
