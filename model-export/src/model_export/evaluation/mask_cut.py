"""How probabilities become a mask: threshold and least area, fitted on out-of-fold planes.

The published cut is fitted on all of them. For an honest figure a patient's own slices have no say: the cut that judges
fold k is fitted on the other folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.ground import GroundSlice, ground_of
from model_export.evaluation.overlap import Counts, dice_scores, overlap_counts
from model_export.evaluation.store import SegmenterPredictions
from service_kit.inference.components import find_components
from service_kit.inference.manifest import Postprocessing
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Placement, Preprocessing

Objective = Literal["slice", "patient"]
_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_COMPONENTS_PX: dict[Objective, tuple[int, ...]] = {"slice": (0, 16, 32, 64), "patient": (0, 32, 64, 100, 160)}
_EMPTY_WEIGHT = 0.05
"""What a clean no-tumor slice counts beside the Dice of a tumor slice; the tumor model is asked before the cut."""


@dataclass(frozen=True)
class CutCounts:
    """What every candidate cut does to every slice: `counts [N, rules, 3]` (TP, FP, FN).

    `groups`, `folds` and `pixels` (the picture's size) are `[N]`.
    """

    rules: tuple[Postprocessing, ...]
    counts: Counts
    groups: NDArray[np.str_]
    folds: NDArray[np.int64]
    pixels: NDArray[np.int64]

    @property
    def has_tumor(self) -> NDArray[np.bool_]:
        """Which slices `[N]` show a tumor."""
        return np.asarray(self.counts[:, 0, 0] + self.counts[:, 0, 2] > 0, np.bool_)

    def published(self, objective: Objective) -> Postprocessing:
        """The rule that all slices choose: what is published."""
        return self.rules[best_rule(self, np.ones(len(self.counts), np.bool_), objective)]

    def chosen(self, rules: NDArray[np.int64]) -> Counts:
        """The counts `[N, 3]` under one rule a slice."""
        return self.counts[np.arange(len(self.counts)), rules]


def candidate_rules(objective: Objective) -> tuple[Postprocessing, ...]:
    """Every cut that is tried."""
    pairs = product(_THRESHOLDS, _COMPONENTS_PX[objective])
    return tuple(Postprocessing(threshold=threshold, min_component_px=area) for threshold, area in pairs)


def restored(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities of a stored plane (255 is 1)."""
    return plane.astype(np.float32) / np.float32(255)


def count_cuts(
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
    rules: Sequence[Postprocessing],
    variant: str = "full",
) -> CutCounts:
    """Cut every plane by every rule, as the service does, on the picture's own grid.

    Raises:
        KeyError: the variant was not predicted.
        ValueError: a key of the predictions is no slice of the set.
    """
    planes = predictions.planes[variant]
    counts, sizes = np.zeros((len(planes), len(rules), 3), np.int64), np.zeros(len(planes), np.int64)
    for position, key in enumerate(predictions.keys):
        pixels, truth = ground_of(ground, str(key)).load()
        counts[position] = _cut_one(restored(planes[position]), preprocessing.place(pixels), truth, rules)
        sizes[position] = truth.size
    return CutCounts(tuple(rules), counts, predictions.groups, predictions.folds, sizes)


def _cut_one(
    plane: NDArray[np.float32], placement: Placement, truth: NDArray[np.uint8], rules: Sequence[Postprocessing]
) -> Counts:
    """Counts `[rules, 3]`. Two rules that keep the same components make the same mask, which is cut once."""
    found: dict[tuple[float, int], Counts] = {}
    areas: dict[float, NDArray[np.intp]] = {}
    out = []
    for rule in rules:
        if rule.threshold not in areas:
            areas[rule.threshold] = find_components(plane >= np.float32(rule.threshold)).areas_px
        kept = int((areas[rule.threshold] >= rule.min_component_px).sum())
        key = (rule.threshold, kept)
        if key not in found:
            found[key] = overlap_counts(postprocess(plane, placement, rule), truth)
        out.append(found[key])
    return np.stack(out)


def best_rule(counts: CutCounts, members: NDArray[np.bool_], objective: Objective) -> int:
    """The rule that the slices `members [N]` choose.

    `slice`: the mean Dice of tumor slices, clean no-tumor slices counting a twentieth. `patient`: the mean Dice of
    patients' volumes. Raises `ValueError` where no member has a tumor.
    """
    chosen, has_tumor = counts.counts[members], counts.has_tumor[members]
    if not has_tumor.any():
        raise ValueError("a mask cut cannot be fitted without a tumor slice")
    if objective == "slice":
        score = dice_scores(chosen[has_tumor]).mean(axis=0)
        if not has_tumor.all():
            score = score + _EMPTY_WEIGHT * (chosen[~has_tumor][:, :, 1] == 0).mean(axis=0)
    else:
        score = dice_scores(volume_counts(chosen, counts.groups[members])[1]).mean(axis=0)
    return int(np.argmax(score))


def volume_counts(counts: Counts, groups: NDArray[np.str_]) -> tuple[NDArray[np.str_], Counts]:
    """Sums over each patient's slices: names `[P]` and counts `[P, ...]` of `counts [N, ...]`."""
    names, member = np.unique(groups, return_inverse=True)
    summed = np.zeros((len(names), *counts.shape[1:]), np.int64)
    np.add.at(summed, member, counts)
    return names, summed


def fit_cut(
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
    objective: Objective,
) -> Postprocessing:
    """The cut to publish: fitted on the out-of-fold planes of all patients.

    Args:
        predictions: out of fold, by networks of the published recipe.
        ground: `ground_t1(root)` or `ground_lgg(root)`.
        preprocessing: the model's.
        objective: `slice` for seg-t1, `patient` for seg-flair-film.
    """
    return count_cuts(predictions, ground, preprocessing, candidate_rules(objective)).published(objective)


def cross_fitted(counts: CutCounts, objective: Objective) -> NDArray[np.int64]:
    """For each slice `[N]` the rule that the patients of the other folds choose.

    Where one fold alone is at hand its groups are halved, and each half is judged by the other's choice.
    """
    parts = counts.folds if len(np.unique(counts.folds)) > 1 else _halves(counts.groups)
    rules = np.zeros(len(parts), np.int64)
    for part in np.unique(parts):
        rules[parts == part] = best_rule(counts, parts != part, objective)
    return rules


def _halves(groups: NDArray[np.str_]) -> NDArray[np.int64]:
    names, member = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(0).permutation(len(names))
    return np.asarray(order[member] % 2, np.int64)
