"""Whose outlines a boundary band is fitted on: patients whose volumes have a spacing, answered out of fold.

LGG's slices carry none, so that no millimeter of theirs is known: they are left out. BraTS cases are there for both
kinds of network; seg-flair-film has them among its patients, in the same folds.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.catalog import MODEL_SETS
from model_export.datasets.brats import brats_cases, truth_of
from model_export.datasets.film_set import film_split
from model_export.datasets.split import Fold
from model_export.datasets.volumes import VolumeCase
from model_export.evaluation.outline_pairs import OutlinePair, measure_pair
from model_export.evaluation.predictions import PublishedModel, cut, film_probabilities
from model_export.evaluation.volume_predictions import FULL, read_volume_predictions
from service_kit.inference.manifest import Postprocessing

SOURCE = "brats"
_SLICED = "seg-flair-film"


def banded_models() -> tuple[str, ...]:
    """The models whose outlines of volumes can be judged in millimeters."""
    return (_SLICED, *MODEL_SETS["volumes"])


def outline_pairs(
    name: str, root: Path, cache: Path, folds: Sequence[Fold], rule: Postprocessing, threads: int = 2
) -> list[OutlinePair]:
    """Every BraTS case that one of `folds` tested, with all sequences and without a clinical record.

    Args:
        name: one of `banded_models`.
        root: the development sets.
        cache: predictions of a 3D network; the folds' exported networks of seg-flair-film, which answer here.
        folds: those that may be at hand.
        rule: the published cut of seg-flair-film; 3D networks were cut when they answered.
        threads: CPU threads of a network.

    Raises:
        FileNotFoundError: no fold was predicted; the message names the command that does it.
        ValueError: there are no volumes with a spacing to judge this model on.
    """
    if name not in banded_models():
        raise ValueError(
            f"{name}: no volumes with a spacing to judge its outlines on; there are for {', '.join(banded_models())}"
        )
    if name != _SLICED:
        return list(_volume_pairs(name, root, cache, folds))
    return list(_film_pairs(name, root, cache, folds, rule, threads))


def _volume_pairs(name: str, root: Path, cache: Path, folds: Sequence[Fold]) -> Iterator[OutlinePair]:
    predictions = read_volume_predictions(cache, name, folds)
    for case in _opened(root, predictions.folds):
        truth, found = truth_of(case) > 0, predictions.maps[FULL][case.group] > 0
        x, y, z = case.voxel_mm
        # [x, y, z] as a stack of axial slices.
        yield measure_pair(case.group, SOURCE, predictions.folds[case.group], truth.T, found.T, (z, y, x))


def _film_pairs(
    name: str, root: Path, cache: Path, folds: Sequence[Fold], rule: Postprocessing, threads: int
) -> Iterator[OutlinePair]:
    tested = 0
    for fold in folds:
        models = cache / "folds" / str(fold.index)
        if fold.index is None or not (models / name / "manifest.json").exists():
            continue
        model = PublishedModel.open(models, name, threads)
        for case in _opened(root, film_split(root, fold).test):
            tested += 1
            yield _film_pair(model, case, fold.index, rule)
    if tested == 0:
        raise FileNotFoundError(
            f"no fold's network of {name}: model-export train {name} --fold folds, then model-export predict {name}"
        )


def _film_pair(model: PublishedModel, case: VolumeCase, fold: int, rule: Postprocessing) -> OutlinePair:
    """As served: slice by slice, the empty record, the published cut."""
    depth = case.depth("axial")

    def loader(index: int) -> Callable[[], dict[str, NDArray[np.uint8]]]:
        return lambda: {sequence: case.slice(sequence, "axial", index) for sequence in model.manifest.sequences}

    vector = np.array(model.manifest.clinical_default, np.float32)
    planes = film_probabilities(model, [loader(index) for index in range(depth)], vector)
    found = np.stack([cut(plane, placement, rule) for plane, placement in planes]) > 0
    truth = np.stack([case.slice("seg", "axial", index) for index in range(depth)]) > 0
    x, y, z = case.voxel_mm
    # Slices were brought to square pixels, those of the finer side.
    return measure_pair(case.group, SOURCE, fold, truth, found, (z, min(x, y), min(x, y)))


def _opened(root: Path, names: Collection[str]) -> Iterator[VolumeCase]:
    """Each case opened anew: its arrays are let go when the next one comes."""
    for case in brats_cases(root):
        if case.group in names:
            yield VolumeCase(case.path)
