"""The 3D networks judged case by case, on the cases' own 1 mm voxels and labels, as BraTS does it.

A region that is in neither truth nor answer counts as found (Dice 1), one that is in the answer alone as wrong
(Dice 0): BraTS's convention for cases without enhancement. Distances are left out where one of the two is empty, and
counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from model_export.datasets.brats import brats_cases, truth_of
from model_export.datasets.volumes import VolumeCase
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.film import paired_difference
from model_export.evaluation.lgg_patients import patient_row
from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.overlap import dice_scores, overlap_counts
from model_export.evaluation.segmentation import FilmDifference, PatientRow
from model_export.evaluation.volume_distance import hd95_mm
from model_export.evaluation.volume_predictions import FULL, VolumePredictions
from service_kit.inference.tumor_regions import REGIONS, regions_of

_MM3_PER_ML = 1000.0


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class RegionRow(_Frozen):
    """One region over all cases. `no_distance` cases have an empty truth or answer; volumes are found minus true."""

    region: str
    dice: PatientRow
    empty_truth: int
    marked_though_empty: int
    dice_where_present: Estimate | None
    hd95_mm: Estimate | None
    median_hd95_mm: float | None
    no_distance: int
    volume_bias_ml: Estimate
    volume_error_ml: Estimate
    mean_true_ml: float


class VariantRow(_Frozen):
    """Dice of each region when the network is shown `sequences` (all, or all but one), in the order of `REGIONS`."""

    variant: str
    dice: tuple[Estimate, ...]


class BratsResult(_Frozen):
    """One network on cases that it never saw."""

    name: str
    cases: int
    folds: tuple[int, ...]
    regions: tuple[RegionRow, ...]
    variants: tuple[VariantRow, ...]


class BratsEvaluation(_Frozen):
    """The networks, and their paired differences on the cases that both judged: the others minus the first."""

    networks: tuple[BratsResult, ...]
    differences: tuple[FilmDifference, ...]


@dataclass(frozen=True)
class CaseScores:
    """One case: Dice, HD95 in mm (NaN: none) and volumes in ml of each region, in the order of `REGIONS`."""

    dice: tuple[float, ...]
    hd95_mm: tuple[float, ...]
    found_ml: tuple[float, ...]
    true_ml: tuple[float, ...]


def score_case(case: VolumeCase, predictions: VolumePredictions, variant: str, *, distances: bool) -> CaseScores:
    """Judge one case's label map. Without `distances` HD95 is NaN throughout (it costs the most)."""
    truth, found = regions_of(truth_of(case)), regions_of(predictions.maps[variant][case.group])
    voxel_ml = float(np.prod(case.voxel_mm)) / _MM3_PER_ML
    counts = np.stack([overlap_counts(mask, of_truth) for mask, of_truth in zip(found, truth, strict=True)])
    away = (
        tuple(hd95_mm(mask, of_truth, case.voxel_mm) for mask, of_truth in zip(found, truth, strict=True))
        if distances
        else (float("nan"),) * len(REGIONS)
    )
    return CaseScores(
        dice=tuple(dice_scores(counts).tolist()),
        hd95_mm=away,
        found_ml=tuple((found.sum(axis=(1, 2, 3)) * voxel_ml).tolist()),
        true_ml=tuple((truth.sum(axis=(1, 2, 3)) * voxel_ml).tolist()),
    )


def evaluate_brats(root: Path, predicted: Mapping[str, VolumePredictions]) -> BratsEvaluation:
    """Everything that is said of the 3D networks.

    Args:
        root: the development sets.
        predicted: out of fold, by network; the first is compared with the others.

    Raises:
        ValueError: there is no network, or two share no case.
    """
    if not predicted:
        raise ValueError("no network to judge")
    scores = {name: _scores(root, predictions) for name, predictions in predicted.items()}
    first, *others = predicted
    full = {name: of_variant[FULL] for name, of_variant in scores.items()}
    return BratsEvaluation(
        networks=tuple(_result(predicted[name], scores[name]) for name in predicted),
        differences=tuple(
            paired_difference(
                other,
                first,
                {case: found.dice[at] for case, found in full[other].items()},
                {case: found.dice[at] for case, found in full[first].items()},
                {name: f"{name}: {region}" for name in predicted},
            )
            for other in others
            for at, region in enumerate(REGIONS)
        ),
    )


def _scores(root: Path, predictions: VolumePredictions) -> dict[str, dict[str, CaseScores]]:
    found: dict[str, dict[str, CaseScores]] = {variant: {} for variant in predictions.maps}
    for case in brats_cases(root):
        if case.group in predictions.folds:
            # Opened anew: a case's arrays are let go when the next one comes.
            opened = VolumeCase(case.path)
            for variant in predictions.maps:
                found[variant][case.group] = score_case(opened, predictions, variant, distances=variant == FULL)
    return found


def _result(predictions: VolumePredictions, scores: dict[str, dict[str, CaseScores]]) -> BratsResult:
    full = scores[FULL]
    return BratsResult(
        name=predictions.name,
        cases=len(full),
        folds=tuple(sorted(set(predictions.folds.values()))),
        regions=tuple(_region(at, region, full) for at, region in enumerate(REGIONS)),
        variants=tuple(
            VariantRow(
                variant=variant,
                dice=tuple(
                    group_mean(list(of_case), [found.dice[at] for found in of_case.values()])
                    for at in range(len(REGIONS))
                ),
            )
            for variant, of_case in scores.items()
        ),
    )


def _region(at: int, region: str, full: dict[str, CaseScores]) -> RegionRow:
    names = list(full)
    dice = {name: full[name].dice[at] for name in names}
    true, found = (np.array([getattr(full[name], kind)[at] for name in names]) for kind in ("true_ml", "found_ml"))
    present = [name for name, volume in zip(names, true, strict=True) if volume > 0]
    away = {name: full[name].hd95_mm[at] for name in names if np.isfinite(full[name].hd95_mm[at])}
    return RegionRow(
        region=region,
        dice=patient_row(region, dice),
        empty_truth=len(names) - len(present),
        marked_though_empty=int(((true == 0) & (found > 0)).sum()),
        dice_where_present=group_mean(present, [dice[name] for name in present]) if present else None,
        hd95_mm=group_mean(list(away), list(away.values())) if away else None,
        median_hd95_mm=float(np.median(list(away.values()))) if away else None,
        no_distance=len(names) - len(away),
        volume_bias_ml=group_mean(names, found - true),
        volume_error_ml=group_mean(names, np.abs(found - true)),
        mean_true_ml=float(true.mean()),
    )
