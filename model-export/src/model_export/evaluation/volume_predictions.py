"""What the 3D networks answer for cases that they never saw: label maps on the cases' own voxels, kept on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.brats import SEQUENCES, brats_cases, brats_split, case_input
from model_export.datasets.split import Fold
from model_export.datasets.volumes import VolumeCase
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.store import predictions_path
from service_kit.inference.manifest import Postprocessing
from service_kit.inference.tiling import slide
from service_kit.inference.tumor_regions import label_map
from service_kit.inference.volume import VolumePreprocessing

FULL = "full"
VARIANTS = {FULL: SEQUENCES} | {
    f"without-{name}": tuple(other for other in SEQUENCES if other != name) for name in SEQUENCES
}
"""Which sequences the network is shown, by the variant's name."""
LabelMaps = dict[str, NDArray[np.uint8]]
"""A label map `[x, y, z]` by case."""


@dataclass(frozen=True)
class VolumePredictions:
    """Label maps of one network by variant and case, and the fold in which each case was tested."""

    name: str
    folds: dict[str, int]
    maps: dict[str, LabelMaps]


def segment_case(
    model: PublishedModel, case: VolumeCase, sequences: Sequence[str], sliding: VolumePreprocessing | None = None
) -> NDArray[np.uint8]:
    """The label map `[x, y, z]` of a case of which `sequences` are at hand, as the manifest (or `sliding`) says.

    Raises:
        ValueError: the model reads no volumes.
    """
    preprocessing = sliding or model.manifest.volume
    if preprocessing is None:
        raise ValueError(f"{model.manifest.name} reads no volumes")
    volume, present, placement = case_input(case, preprocessing, sequences)

    def infer(patches: NDArray[np.float32]) -> NDArray[np.float32]:
        flags = np.repeat(present[None], len(patches), axis=0)
        return model.model.run({"volume": patches, "present": flags}, len(patches))["probabilities"]

    regions = slide(volume, infer, preprocessing.patch_voxels, step=preprocessing.step, mirrored=preprocessing.mirrored)
    rule = model.manifest.postprocessing or Postprocessing()
    return label_map(np.stack([placement.restore(region) >= rule.threshold for region in regions]))


def predict_volumes(model: PublishedModel, root: Path, fold: Fold) -> VolumePredictions:
    """The fold's test cases, with all sequences and with each one left out."""
    test = brats_split(root, fold).test
    maps: dict[str, LabelMaps] = {variant: {} for variant in VARIANTS}
    for case in brats_cases(root):
        if case.group in test:
            for variant, sequences in VARIANTS.items():
                maps[variant][case.group] = segment_case(model, case, sequences)
    folds = dict.fromkeys(maps[FULL], -1 if fold.index is None else fold.index)
    return VolumePredictions(model.manifest.name, folds, maps)


def save_volumes(path: Path, predictions: VolumePredictions) -> None:
    """Write one fold's answers; whole or not at all."""
    arrays: dict[str, Any] = {
        f"{variant}/{case}": labels for variant, maps in predictions.maps.items() for case, labels in maps.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp.npz")
    np.savez_compressed(temporary, **arrays)
    temporary.replace(path)


def read_volume_predictions(cache: Path, name: str, folds: Sequence[Fold]) -> VolumePredictions:
    """The answers of those of `folds` that were predicted, pooled.

    Raises:
        FileNotFoundError: there are none; the message names the command that makes them.
    """
    maps: dict[str, LabelMaps] = {}
    of_case: dict[str, int] = {}
    for fold in folds:
        path = predictions_path(cache, name, fold)
        if fold.index is None or not path.exists():
            continue
        with np.load(path, allow_pickle=False) as stored:
            for key in stored.files:
                variant, case = key.split("/", 1)
                maps.setdefault(variant, {})[case] = stored[key]
                of_case[case] = fold.index
    if not maps:
        raise FileNotFoundError(
            f"no predictions of {name}: model-export train {name} --fold 0, then model-export predict {name} --fold 0"
        )
    return VolumePredictions(name, of_case, maps)
