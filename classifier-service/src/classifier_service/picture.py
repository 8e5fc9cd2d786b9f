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


def check_picture_model(
    manifest: ModelManifest, *, outputs: AbstractSet[str], also_reads: AbstractSet[str] = frozenset()
) -> None:
    """Refuse a model that does not read one gray picture, or misses an output that the stage needs.

    `also_reads` are inputs beside the picture that it may have.

    Raises:
        ModelInvalid: naming the model and what is missing.
    """
    found = {spec.name: spec for spec in manifest.inputs}
    if "image" not in found or not found.keys() <= {"image", *also_reads}:
        wanted = " and, if it needs more, ".join(["image", *sorted(also_reads)])
        raise ModelInvalid(f"{manifest.name}: its inputs must be {wanted}")
    image = found["image"]
    if image.dtype != "UINT8" or len(image.shape) != 4 or image.shape[1] != 1:
        raise ModelInvalid(f"{manifest.name}: its input image must be UINT8 [-1, 1, S, S]")
    answers = {spec.name: spec for spec in manifest.outputs}
    missing = outputs - answers.keys()
    if missing:
        raise ModelInvalid(f"{manifest.name}: it has no output {', '.join(sorted(missing))}")
    for name in {"logits", "cam"} & answers.keys():
        if answers[name].shape[1:2] != (len(manifest.labels),):
            raise ModelInvalid(f"{manifest.name}: its output {name} must have one channel for each of its labels")


def gives(manifest: ModelManifest, output: str) -> bool:
    """Whether the model has an output of this name."""
    return any(spec.name == output for spec in manifest.outputs)
