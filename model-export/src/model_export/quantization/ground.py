"""What a network is calibrated and judged on: fold 0's two sides, on the network's grid."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.clinical import empty_record, read_clinical
from model_export.datasets.copies import copied_in_training
from model_export.datasets.film_set import film_set
from model_export.datasets.slices import fold_slices
from model_export.datasets.split import Fold, GroupSplit, members
from model_export.datasets.tumor_set import tumor_pictures, tumor_samples
from model_export.datasets.view_set import view_pictures, view_samples
from model_export.engine import OnnxModel
from model_export.evaluation.ground import GroundSlice, ground_lgg, ground_t1
from model_export.training.clinical import encode, fitted_columns
from service_kit.contracts.common import TUMOR_LABELS, VIEW_LABELS
from service_kit.inference.manifest import VIEW_FEATURES, ModelManifest
from service_kit.inference.preprocessing import Preprocessing

FOLD = Fold(0)
Inputs = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Ground:
    """N slices: `inputs` by name `[N, ...]`, the key, group and source of each, and the positions of the two sides.

    `train` and `test` share no group. `classes [N]` is the truth of a classifier; `outlines` reads the published
    outline of a slice under its key for a segmenter.
    """

    inputs: Inputs
    keys: tuple[str, ...]
    groups: tuple[str, ...]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    classes: NDArray[np.int64] | None = None
    outlines: dict[str, GroundSlice] | None = None

    def __post_init__(self) -> None:
        shared = {self.groups[at] for at in self.train} & {self.groups[at] for at in self.test}
        if shared:
            raise ValueError(f"{len(shared)} groups are on both sides: what is judged must not calibrate")

    def rows(self, positions: NDArray[np.int64]) -> Inputs:
        """The inputs at positions."""
        return {name: array[positions] for name, array in self.inputs.items()}

    def calibration(self, count: int, seed: int) -> NDArray[np.int64]:
        """Up to `count` positions of the training side, sorted: one of each group, further ones when groups end."""
        order = np.random.default_rng(seed).permutation(self.train)
        turn: dict[str, int] = {}
        turns = []
        for at in order:
            turns.append(turn.setdefault(self.groups[at], 0))
            turn[self.groups[at]] += 1
        return np.sort(order[np.argsort(turns, kind="stable")][:count])

    def feeds(self, positions: NDArray[np.int64]) -> Iterator[Inputs]:
        """Single runs, one a position."""
        for at in positions:
            yield {name: array[at : at + 1] for name, array in self.inputs.items()}


def ground_for(manifest: ModelManifest, root: Path, cache: Path, view: Callable[[], OnnxModel]) -> Ground:
    """The slices that a published model was trained and is judged on.

    Args:
        manifest: the model's; its stage, inputs and grid decide.
        root: the development sets.
        cache: of model-export; placed pictures are kept in it.
        view: opens the view network that a tumor network's features come from.

    Raises:
        FileNotFoundError: a set is absent.
        ValueError: the model's inputs are none that these sets can fill.
    """
    preprocessing, pictures = manifest.preprocessing, cache / "pictures"
    shapes = {spec.name: spec.shape for spec in manifest.inputs}
    if preprocessing is None or "image" not in shapes:
        raise ValueError(f"{manifest.name} reads no picture: there is nothing to quantize")
    if manifest.stage == "view":
        ground = _view(root, pictures, preprocessing)
    elif "clinical" in shapes:
        ground = _film(root, pictures, preprocessing)
    else:
        ground = _t1(manifest, root, pictures, preprocessing, view)
    found = {name: (-1, *array.shape[1:]) for name, array in ground.inputs.items()}
    if found != shapes:
        raise ValueError(f"{manifest.name} takes {shapes}, the sets give {found}")
    return ground


def _view(root: Path, pictures: Path, preprocessing: Preprocessing) -> Ground:
    samples, split = view_samples(root, FOLD)
    images = view_pictures(samples, preprocessing, pictures).images
    truth = np.array([VIEW_LABELS.index(sample.plane) for sample in samples])
    keys, groups = [sample.key for sample in samples], [sample.group for sample in samples]
    return _ground({"image": images}, keys, groups, split, _without_copies(root, keys), classes=truth)


def _t1(
    manifest: ModelManifest,
    root: Path,
    pictures: Path,
    preprocessing: Preprocessing,
    view: Callable[[], OnnxModel],
) -> Ground:
    """Tumor type or outline: both networks were trained on the tumor set, and are judged on its `t1_slices`."""
    samples, split = tumor_samples(root, FOLD)
    inputs: Inputs = {"image": tumor_pictures(samples, preprocessing, pictures).images}
    keys, groups = [sample.key for sample in samples], [sample.group for sample in samples]
    judged = np.array([sample.main for sample in samples]) & _without_copies(root, keys)
    if manifest.stage == "segmentation":
        return _ground(inputs, keys, groups, split, judged, outlines=ground_t1(root))
    if any(spec.name == VIEW_FEATURES for spec in manifest.inputs):
        network = view()
        side = network.inputs()[0].shape[-1]
        small = tumor_pictures(samples, Preprocessing(size=side), pictures).images
        inputs[VIEW_FEATURES] = network.run({"image": small})["features"]
    truth = np.array([TUMOR_LABELS.index(sample.label) for sample in samples])
    return _ground(inputs, keys, groups, split, judged, classes=truth)


def _without_copies(root: Path, keys: list[str]) -> NDArray[np.bool_]:
    """All slices but those of which a copy is trained on."""
    copied = copied_in_training(*fold_slices(root, FOLD))
    return np.array([key not in copied for key in keys])


def _film(root: Path, pictures: Path, preprocessing: Preprocessing) -> Ground:
    """Every slice with its patient's record, encoded as it was fitted on the training side."""
    found = film_set(root, preprocessing, pictures, FOLD)
    table = read_clinical(root)
    seen = sorted({found.patients[at] for at in members(found.groups, found.split.train)} & set(table))
    columns = fitted_columns(np.array([table[patient] for patient in seen]))
    vectors = encode(np.array([table.get(patient, empty_record()) for patient in found.patients]), columns)
    inputs: Inputs = {"image": found.pictures.images, "clinical": vectors}
    keys = [item.picture.name for item in found.lgg]
    keys += [f"{group}/{at}" for at, group in enumerate(found.groups) if at >= len(found.lgg)]
    return _ground(inputs, keys, found.groups, found.split, found.is_lgg, outlines=ground_lgg(root))


def _ground(
    inputs: Inputs,
    keys: list[str],
    groups: list[str],
    split: GroupSplit,
    judged: NDArray[np.bool_],
    *,
    classes: NDArray[np.int64] | None = None,
    outlines: dict[str, GroundSlice] | None = None,
) -> Ground:
    train = np.array(members(groups, split.train), np.int64)
    test = np.array(members(groups, split.test), np.int64)
    return Ground(inputs, tuple(keys), tuple(groups), train, test[judged[test]], classes, outlines)
