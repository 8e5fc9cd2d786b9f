"""seg-flair-film out of fold, a patient at a time: the volume's Dice, its size, and the slices it is made of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.bland_altman import bland_altman
from model_export.evaluation.ground import GroundSlice, ground_lgg, ground_of
from model_export.evaluation.mask_cut import candidate_rules, count_cuts, cross_fitted, restored, volume_counts
from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.overlap import (
    Counts,
    border_distances_px,
    dice_scores,
    directed_percentile_px,
    iou_scores,
    overlap_counts,
    precision_scores,
    recall_scores,
    tversky_scores,
)
from model_export.evaluation.segmentation import LggSegmentation, PatientRow
from model_export.evaluation.segmenters import by_fold, cuts_by_fold, empty_row
from model_export.evaluation.store import SegmenterPredictions
from service_kit.inference.manifest import Postprocessing
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Preprocessing

VARIANT_LABELS = {
    "full": "all sequences, true record",
    "shuffled": "all sequences, another patient's record",
    "none": "all sequences, empty record",
    "flair": "FLAIR alone, true record",
}
PatientDice = dict[str, float]
"""A patient's Dice by the patient."""


def evaluate_lgg(
    predictions: SegmenterPredictions,
    root: Path,
    preprocessing: Preprocessing,
    *,
    leaky: SegmenterPredictions | None = None,
) -> tuple[LggSegmentation, dict[str, PatientDice]]:
    """Everything that is said of seg-flair-film, and each patient's Dice by variant (`film_evidence` compares them).

    Args:
        predictions: out of fold; the variant `full` must be there, the others of `VARIANT_LABELS` may be.
        root: the development sets.
        preprocessing: the model's.
        leaky: the same recipe split by slice, cut by the published rule; a volume is then the slices tested.

    Raises:
        ValueError: predictions and sets do not belong together, or no patient has a tumor.
    """
    ground, groups = ground_lgg(root), predictions.groups
    counts = count_cuts(predictions, ground, preprocessing, candidate_rules("patient"))
    chosen = cross_fitted(counts, "patient")
    rules = [counts.rules[rule] for rule in chosen]
    found, tumor, published = counts.chosen(chosen), counts.has_tumor, counts.published("patient")
    names, volumes = volume_counts(found, groups)
    dices = {"full": patient_dice(found, groups)}
    for variant in predictions.planes:
        if variant != "full":
            dices[variant] = patient_dice(_cut(predictions, ground, preprocessing, rules, variant), groups)
    distances = _distances_px(predictions, ground, preprocessing, rules)
    away = list(distances.values())
    slice_dice = dice_scores(found[tumor])
    true_px, found_px = volumes[:, 0] + volumes[:, 2], volumes[:, 0] + volumes[:, 1]
    fold_of = dict(zip(groups.tolist(), predictions.folds.tolist(), strict=True))
    result = LggSegmentation(
        cut=published,
        cuts=cuts_by_fold(counts, chosen),
        volume=patient_row(VARIANT_LABELS["full"], dices["full"]),
        iou=group_mean(names, iou_scores(volumes)),
        tversky=group_mean(names, tversky_scores(volumes)),
        precision=group_mean(names, precision_scores(volumes)),
        recall=group_mean(names, recall_scores(volumes)),
        hd95_px=group_mean(list(distances), away) if away else None,
        median_hd95_px=float(np.median(away)) if away else None,
        slices_dice=group_mean(groups[tumor], slice_dice),
        median_slices_dice=float(np.median(slice_dice)),
        empty=empty_row("slices without a tumor", found, counts.pixels, groups, ~tumor),
        agreement_px=bland_altman(names, found_px, true_px, relative=False),
        agreement_percent=bland_altman(names, found_px, true_px, relative=True),
        folds=by_fold(dice_scores(volumes), np.array([fold_of[name] for name in names.tolist()], np.int64)),
        variants=tuple(patient_row(VARIANT_LABELS[v], values) for v, values in dices.items() if v in VARIANT_LABELS),
        leaky=None if leaky is None else _leaky(leaky, ground, preprocessing, published),
    )
    return result, dices


def patient_dice(counts: Counts, groups: NDArray[np.str_]) -> PatientDice:
    """The Dice of each patient's volume from `counts [N, 3]` of slices."""
    names, volumes = volume_counts(counts, groups)
    return dict(zip(names.tolist(), dice_scores(volumes).tolist(), strict=True))


def arm_dice(
    predictions: SegmenterPredictions,
    root: Path,
    preprocessing: Preprocessing,
    rules: dict[str, Postprocessing],
    variant: str = "full",
) -> PatientDice:
    """Each patient's Dice of another network, cut by the rules of `LggSegmentation.cuts` (by fold).

    A separately trained arm that has one fold alone cannot fit its own cut on other patients: it takes the default
    network's. Raises `ValueError` where a fold has no rule.
    """
    folds = [str(fold) for fold in predictions.folds]
    if unknown := set(folds) - set(rules):
        raise ValueError(f"{predictions.name}: no mask cut for fold {', '.join(sorted(unknown))}")
    chosen = [rules[fold] for fold in folds]
    return patient_dice(_cut(predictions, ground_lgg(root), preprocessing, chosen, variant), predictions.groups)


def patient_row(label: str, dices: PatientDice) -> PatientRow:
    """Mean with its interval, median, and every patient."""
    values = list(dices.values())
    return PatientRow(
        label=label,
        dice=group_mean(list(dices), values),
        median_dice=float(np.median(values)),
        values=tuple(round(value, 4) for value in values),
    )


def _cut(
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
    rules: Sequence[Postprocessing],
    variant: str,
) -> Counts:
    """Counts `[N, 3]`, one rule a slice."""
    counts = np.zeros((len(rules), 3), np.int64)
    for position, (key, rule) in enumerate(zip(predictions.keys, rules, strict=True)):
        pixels, truth = ground_of(ground, str(key)).load()
        plane = restored(predictions.planes[variant][position])
        counts[position] = overlap_counts(postprocess(plane, preprocessing.place(pixels), rule), truth)
    return counts


def _distances_px(
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
    rules: Sequence[Postprocessing],
) -> dict[str, float]:
    """Each patient's HD95 within slices: border distances of all slices that have both borders, taken together."""
    ways: dict[str, tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]] = {}
    for position, (key, rule) in enumerate(zip(predictions.keys, rules, strict=True)):
        pixels, truth = ground_of(ground, str(key)).load()
        if not truth.any():
            continue
        mask = postprocess(restored(predictions.planes["full"][position]), preprocessing.place(pixels), rule)
        if mask.any():
            there, back = border_distances_px(mask, truth)
            of_patient = ways.setdefault(str(predictions.groups[position]), ([], []))
            of_patient[0].append(there)
            of_patient[1].append(back)
    return {
        patient: directed_percentile_px(np.concatenate(there), np.concatenate(back))
        for patient, (there, back) in ways.items()
    }


def _leaky(
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
    rule: Postprocessing,
) -> PatientRow:
    counts = _cut(predictions, ground, preprocessing, [rule] * len(predictions.keys), "full")
    return patient_row("split by slice (leaky)", patient_dice(counts, predictions.groups))
