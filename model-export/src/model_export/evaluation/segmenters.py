"""seg-t1 out of fold: each slice's mask on the picture's own grid, cut as the service cuts it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.evaluation.ground import GroundSlice, ground_of, ground_t1
from model_export.evaluation.mask_cut import (
    CutCounts,
    candidate_rules,
    count_cuts,
    cross_fitted,
    restored,
)
from model_export.evaluation.mean_interval import group_mean
from model_export.evaluation.overlap import SCORES, Counts, dice_scores, hd95_px
from model_export.evaluation.segmentation import EmptyRow, MaskRow, T1Segmentation
from model_export.evaluation.store import SegmenterPredictions
from service_kit.inference.manifest import Postprocessing
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Preprocessing

EXPERTS = {"glioma": 0.73, "meningioma": 0.92, "pituitary": 0.83}
"""Mean Dice of two expert annotations of the same slices (Cheng's and BRISC's), as the sets' description states it."""
_LARGE_SHARE = 0.01
_GATED = "tumor model asked first"


def evaluate_t1(
    predictions: SegmenterPredictions,
    root: Path,
    preprocessing: Preprocessing,
    *,
    asked: dict[str, bool] | None = None,
    leaky: SegmenterPredictions | None = None,
) -> T1Segmentation:
    """Everything that is said of seg-t1.

    Args:
        predictions: out of fold.
        root: the development sets.
        preprocessing: the model's.
        asked: by key, whether the tumor model lets the slice be outlined; None leaves the gated rows out.
        leaky: the same recipe split by slice, cut by the published rule.

    Raises:
        ValueError: predictions and sets do not belong together, or there is no tumor slice.
    """
    ground, groups = ground_t1(root), predictions.groups
    counts = count_cuts(predictions, ground, preprocessing, candidate_rules("slice"))
    chosen = cross_fitted(counts, "slice")
    rules = [counts.rules[rule] for rule in chosen]
    found = counts.chosen(chosen)
    tumor, pixels, published = counts.has_tumor, counts.pixels, counts.published("slice")
    distances = border_distances(predictions, ground, preprocessing, rules)

    def rows(values: NDArray[np.str_]) -> tuple[MaskRow, ...]:
        labels = [str(label) for label in np.unique(values[tumor])]
        return tuple(
            mask_row(label or "view unknown", found, distances, groups, tumor & (values == label), EXPERTS)
            for label in labels
        )

    allowed = None if asked is None else np.array([asked[str(key)] for key in predictions.keys])
    return T1Segmentation(
        cut=published,
        cuts=cuts_by_fold(counts, chosen),
        overall=mask_row("all", found, distances, groups, tumor, {}),
        classes=rows(predictions.labels),
        views=rows(predictions.views),
        sources=rows(predictions.sources),
        folds=by_fold(dice_scores(found), predictions.folds, tumor),
        empty=empty_row("seg-t1 alone", found, pixels, groups, ~tumor),
        empty_gated=None if allowed is None else empty_row(_GATED, found * allowed[:, None], pixels, groups, ~tumor),
        gated_missed=None if allowed is None else group_mean(groups[tumor], ~allowed[tumor]),
        leaky=None if leaky is None else _leaky(leaky, ground, preprocessing, published),
    )


def mask_row(
    label: str,
    counts: Counts,
    distances_px: NDArray[np.float64],
    groups: NDArray[np.str_],
    members: NDArray[np.bool_],
    experts: dict[str, float],
) -> MaskRow:
    """Scores of the tumor slices `members [N]`, from `counts [N, 3]` and `distances_px [N]` (NaN: none).

    Raises:
        ValueError: there is no member.
    """
    chosen, of, away = counts[members], groups[members], distances_px[members]
    scores = {name: score(chosen) for name, score in SCORES.items()}
    both = np.isfinite(away)
    return MaskRow(
        label=label,
        **{name: group_mean(of, values) for name, values in scores.items()},
        median_dice=float(np.median(scores["dice"])),
        hd95_px=group_mean(of[both], away[both]) if both.any() else None,
        median_hd95_px=float(np.median(away[both])) if both.any() else None,
        missed=group_mean(of, chosen[:, 0] + chosen[:, 1] == 0),
        experts=experts.get(label),
        values=tuple(round(float(value), 4) for value in scores["dice"]),
    )


def empty_row(
    label: str, counts: Counts, pixels: NDArray[np.int64], groups: NDArray[np.str_], members: NDArray[np.bool_]
) -> EmptyRow | None:
    """How often the slices `members [N]`, which show no tumor, are marked; `pixels [N]` are the pictures' sizes.

    None where there is no such slice.
    """
    if not members.any():
        return None
    marked = counts[members, 1]
    return EmptyRow(
        label=label,
        marked=group_mean(groups[members], marked > 0),
        marked_large=group_mean(groups[members], marked > _LARGE_SHARE * pixels[members]),
    )


def border_distances(
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
    rules: Sequence[Postprocessing],
) -> NDArray[np.float64]:
    """Each slice's HD95 `[N]` in pixels of the picture, NaN where the mask or the truth is empty."""
    distances = np.full(len(rules), np.nan)
    for position, (key, rule) in enumerate(zip(predictions.keys, rules, strict=True)):
        picture, truth = ground_of(ground, str(key)).load()
        if truth.any():
            plane = restored(predictions.planes["full"][position])
            distances[position] = hd95_px(postprocess(plane, preprocessing.place(picture), rule), truth)
    return distances


def cuts_by_fold(counts: CutCounts, chosen: NDArray[np.int64]) -> dict[str, Postprocessing]:
    """The rule (or the first of two, where one fold is halved) under which each fold was judged."""
    return {str(fold): counts.rules[int(chosen[counts.folds == fold][0])] for fold in np.unique(counts.folds)}


def by_fold(
    values: NDArray[np.float64], folds: NDArray[np.int64], members: NDArray[np.bool_] | None = None
) -> dict[str, float]:
    """The mean of each fold."""
    used = np.ones(len(values), np.bool_) if members is None else members
    mean: Callable[[int], float] = lambda fold: float(values[used & (folds == fold)].mean())  # noqa: E731
    return {str(fold): mean(fold) for fold in np.unique(folds[used])}


def _leaky(
    predictions: SegmenterPredictions,
    ground: dict[str, GroundSlice],
    preprocessing: Preprocessing,
    rule: Postprocessing,
) -> MaskRow:
    counts = count_cuts(predictions, ground, preprocessing, [rule])
    distances = border_distances(predictions, ground, preprocessing, [rule] * len(counts.counts))
    found = counts.counts[:, 0]
    return mask_row("split by slice (leaky)", found, distances, predictions.groups, counts.has_tumor, {})
