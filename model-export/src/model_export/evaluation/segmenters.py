"""The segmentation models on their test groups: Dice on the picture's own grid, cut as the service cuts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.clinical import empty_record, read_clinical
from model_export.datasets.film_set import film_split
from model_export.datasets.lgg import read_lgg, read_outline, read_sequences
from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import read_mask, read_slices, split_slices
from model_export.datasets.volumes import VolumeCase, read_volumes
from model_export.evaluation.bootstrap import group_bootstrap
from model_export.evaluation.fitting import patients
from model_export.evaluation.metrics import dice
from model_export.evaluation.predictions import PublishedModel, cut, film_probabilities, t1_probabilities
from model_export.evaluation.results import DiceRow, SegFilmResult, SegT1Result
from model_export.training.clinical import encode
from service_kit.inference.manifest import ClinicalColumn, Postprocessing

_LARGE_SHARE = 0.01
_BRATS_STEP = 2


def dice_row(label: str, values: Sequence[float], groups: list[str]) -> DiceRow:
    """Mean with its interval, median, and every value."""
    array = np.array(values)
    return DiceRow(
        label=label,
        mean=group_bootstrap(groups, lambda at: float(array[at].mean())),
        median=float(np.median(array)),
        values=tuple(round(float(v), 4) for v in values),
    )


def evaluate_seg_t1(root: Path, models: Path, seed: int) -> SegT1Result:
    """Dice of each tumor slice; on no-tumor slices how often anything (or more than 1 % of the picture) is marked."""
    model = PublishedModel.open(models, "seg-t1")
    rule = _rule(model)
    records = read_slices(root)
    split = split_slices(records, seed)
    test = [r for r in records if r.group in split.test]
    found = t1_probabilities(model, [lambda p=r.image: read_gray(p) for r in test])  # type: ignore[misc]
    scored, empty = [], []
    for record, (plane, placement) in zip(test, found, strict=True):
        mask, truth = cut(plane, placement, rule), read_mask(record)
        if truth is None:
            empty.append((record.group, float(mask.mean())))
        else:
            scored.append((record, dice(mask, truth)))

    def row(label: str, chosen: list[int]) -> DiceRow:
        return dice_row(label, [scored[i][1] for i in chosen], [scored[i][0].group for i in chosen])

    by_class: dict[str, list[int]] = {}
    by_view: dict[str, list[int]] = {}
    for position, (record, _) in enumerate(scored):
        by_class.setdefault(record.tumor_class, []).append(position)
        by_view.setdefault(record.view or "unknown", []).append(position)
    shares = np.array([share for _, share in empty])
    return SegT1Result(
        overall=row("all", list(range(len(scored)))),
        classes=tuple(row(label, by_class[label]) for label in sorted(by_class)),
        views=tuple(row(label, by_view[label]) for label in sorted(by_view)),
        false_positive_rate=group_bootstrap([g for g, _ in empty], lambda at: float((shares[at] > 0).mean())),
        false_positive_large_rate=float((shares > _LARGE_SHARE).mean()),
    )


def evaluate_seg_film(root: Path, models: Path, seed: int, columns: tuple[ClinicalColumn, ...]) -> SegFilmResult:
    """Dice of each test patient's volume with all sequences and the record, without either, and on BraTS cases."""
    model = PublishedModel.open(models, "seg-flair-film")
    rule, split, table = _rule(model), film_split(root, seed), read_clinical(root)
    nothing = encode(np.array([empty_record()]), columns)[0]
    of_patient = patients(read_lgg(root), split.test)
    names = list(of_patient)
    scores: dict[str, list[float]] = {key: [] for key in ("full", "empty", "flair", "flair_empty")}
    slice_dices, false_positives = [], []
    for name in names:
        slices = of_patient[name]
        loaders = [lambda s=s: read_sequences(s) for s in slices]
        truth = np.stack([read_outline(s) for s in slices])
        vector = encode(np.array([table.get(name, empty_record())]), columns)[0]
        variants = {
            "full": (vector, ("t1", "flair", "t1ce")),
            "empty": (nothing, ("t1", "flair", "t1ce")),
            "flair": (vector, ("flair",)),
            "flair_empty": (nothing, ("flair",)),
        }
        for key, (used, sequences) in variants.items():
            mask = _volume(model, loaders, used, sequences, rule)
            scores[key].append(dice(mask, truth))
            if key == "full":
                slice_dices += [dice(m, t) for m, t in zip(mask, truth, strict=True) if t.any()]
                false_positives += [bool(m.any()) for m, t in zip(mask, truth, strict=True) if not t.any()]
    cases = [case for case in read_volumes(root, "brats") if case.group in split.test]
    brats = [_brats_dice(model, case, nothing, rule) for case in cases]
    return SegFilmResult(
        full=dice_row("all sequences, record", scores["full"], names),
        empty_record=dice_row("all sequences, empty record", scores["empty"], names),
        flair_only=dice_row("FLAIR alone, record", scores["flair"], names),
        flair_only_empty_record=dice_row("FLAIR alone, empty record", scores["flair_empty"], names),
        slice_mean=float(np.mean(slice_dices)),
        empty_slice_false_positive_rate=float(np.mean(false_positives)),
        brats=dice_row("BraTS whole tumor", brats, [case.group for case in cases]),
    )


def _volume(
    model: PublishedModel,
    loaders: Sequence[object],
    vector: NDArray[np.float32],
    sequences: Sequence[str],
    rule: Postprocessing,
) -> NDArray[np.uint8]:
    found = film_probabilities(model, loaders, vector, sequences)  # type: ignore[arg-type]
    return np.stack([cut(plane, placement, rule) for plane, placement in found])


def _brats_dice(model: PublishedModel, case: VolumeCase, vector: NDArray[np.float32], rule: Postprocessing) -> float:
    """Whole-tumor Dice of every second axial slice of one case."""
    indexes = list(range(0, case.depth("axial"), _BRATS_STEP))
    inner = [i for i in indexes if case.slice("flair", "axial", i).any()]

    def load(index: int) -> dict[str, NDArray[np.uint8]]:
        return {name: case.slice(name, "axial", index) for name in ("t1", "flair", "t1ce")}

    mask = _volume(model, [lambda i=i: load(i) for i in inner], vector, ("t1", "flair", "t1ce"), rule)
    return dice(mask, np.stack([case.slice("seg", "axial", i) > 0 for i in inner]))


def _rule(model: PublishedModel) -> Postprocessing:
    if model.manifest.postprocessing is None:
        raise ValueError(f"{model.manifest.name} has no postprocessing")
    return model.manifest.postprocessing
