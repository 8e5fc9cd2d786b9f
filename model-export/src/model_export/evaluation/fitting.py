"""What is fitted on the calibration patients after training: temperature, thresholds, and how masks are cut."""

from itertools import product
from pathlib import Path

import numpy as np

from model_export.datasets.clinical import empty_record, read_clinical
from model_export.datasets.lgg import LggSlice, read_lgg, read_outline, read_sequences
from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import read_mask, read_slices, split_slices
from model_export.datasets.split import GroupSplit
from model_export.datasets.tumor_set import tumor_samples
from model_export.datasets.view_set import view_samples
from model_export.evaluation.calibration import calibrate
from model_export.evaluation.metrics import dice
from model_export.evaluation.predictions import (
    PublishedModel,
    classify_tumors,
    classify_views,
    cut,
    film_probabilities,
    t1_probabilities,
)
from model_export.training.clinical import encode
from service_kit.contracts.common import TUMOR_LABELS, VIEW_LABELS
from service_kit.inference.manifest import Calibration, ClinicalColumn, Postprocessing

_THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8)
_T1_COMPONENTS_PX = (0, 16, 32, 64)
_FILM_COMPONENTS_PX = (0, 32, 64, 100, 160)
_EMPTY_WEIGHT = 0.05
"""What a clean empty slice counts beside the Dice of a tumor slice; the tumor model is asked before the cut."""


def calibrate_view(model: PublishedModel, root: Path, seed: int) -> Calibration:
    """From the calibration groups' slices of `t1_slices` (the others are few)."""
    samples, split = view_samples(root, seed)
    chosen = [s for s in samples if s.group in split.calibration and s.source in {"cheng", "brisc"}]
    logits, _ = classify_views(model, [s.load for s in chosen])
    truth = np.array([VIEW_LABELS.index(s.plane) for s in chosen])
    return calibrate(logits, truth, VIEW_LABELS)


def calibrate_tumor(view: PublishedModel, tumor: PublishedModel, root: Path, seed: int) -> Calibration:
    """From the calibration groups' slices of `t1_slices`."""
    samples, split = tumor_samples(root, seed)
    chosen = [s for s in samples if s.main and s.group in split.calibration]
    logits = classify_tumors(view, tumor, [s.load for s in chosen])
    return calibrate(logits, np.array([TUMOR_LABELS.index(s.label) for s in chosen]), TUMOR_LABELS)


def fit_t1_cut(model: PublishedModel, root: Path, seed: int) -> Postprocessing:
    """The cut with the best Dice on calibration tumor slices, clean no-tumor slices counting a twentieth."""
    records = read_slices(root)
    split = split_slices(records, seed)
    chosen = [r for r in records if r.group in split.calibration]
    found = t1_probabilities(model, [lambda path=r.image: read_gray(path) for r in chosen])  # type: ignore[misc]
    scores = {rule: [[], []] for rule in _rules(_T1_COMPONENTS_PX)}  # type: dict[Postprocessing, list[list[float]]]
    for record, (plane, placement) in zip(chosen, found, strict=True):
        truth = read_mask(record)
        for rule, (tumor, empty) in scores.items():
            mask = cut(plane, placement, rule)
            if truth is None:
                empty.append(float(not mask.any()))
            else:
                tumor.append(dice(mask, truth))
    return max(scores, key=lambda r: float(np.mean(scores[r][0]) + _EMPTY_WEIGHT * np.mean(scores[r][1])))


def fit_film_cut(
    model: PublishedModel, root: Path, split: GroupSplit, columns: tuple[ClinicalColumn, ...]
) -> Postprocessing:
    """The cut with the best Dice a patient's volume over the calibration patients."""
    table = read_clinical(root)
    scores: dict[Postprocessing, list[float]] = {rule: [] for rule in _rules(_FILM_COMPONENTS_PX)}
    for patient, slices in patients(read_lgg(root), split.calibration).items():
        vector = encode(np.array([table.get(patient, empty_record())]), columns)[0]
        found = list(film_probabilities(model, [lambda s=s: read_sequences(s) for s in slices], vector))  # type: ignore[misc]
        truth = np.stack([read_outline(s) for s in slices])
        for rule, values in scores.items():
            values.append(dice(np.stack([cut(plane, placement, rule) for plane, placement in found]), truth))
    return max(scores, key=lambda rule: float(np.mean(scores[rule])))


def patients(slices: list[LggSlice], part: frozenset[str]) -> dict[str, list[LggSlice]]:
    """The slices of each patient in `part`, in order."""
    found: dict[str, list[LggSlice]] = {}
    for item in slices:
        if item.patient in part:
            found.setdefault(item.patient, []).append(item)
    return found


def _rules(components_px: tuple[int, ...]) -> list[Postprocessing]:
    return [Postprocessing(threshold=t, min_component_px=c) for t, c in product(_THRESHOLDS, components_px)]
