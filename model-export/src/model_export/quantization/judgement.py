"""What a variant loses against its fp32 model, on slices of groups that neither trained nor calibrated it."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model_export.engine import OnnxModel
from model_export.evaluation.bootstrap import Estimate, group_bootstrap
from model_export.evaluation.ground import ground_of
from model_export.evaluation.metrics import macro_f1, softmax
from model_export.evaluation.overlap import Counts, dice_scores, overlap_counts
from model_export.quantization.ground import Ground
from service_kit.inference.manifest import ModelManifest, Postprocessing
from service_kit.inference.postprocessing import postprocess

Metric = Literal["accuracy", "dice"]
LIMITS: dict[Metric, float] = {"accuracy": 0.005, "dice": 0.005}
"""The most that a published variant may lose."""
_BATCH = 16


class Judgement(BaseModel):
    """Both models on the same slices.

    `loss` is the fp32 figure minus the variant's, with the interval over groups drawn together for both. The figure
    is the share of right answers, or the mean Dice over tumor slices (over patients' volumes where a patient has
    many slices). `agreement` is how far the two answer alike, right or wrong: share of slices, or mean Dice between
    the masks. `others` are further figures as `(fp32, variant)`.
    """

    model_config = ConfigDict(frozen=True)

    metric: Metric
    fp32: float
    variant: float
    loss: Estimate
    limit: float
    agreement: float
    max_probability_difference: float
    others: dict[str, tuple[float, float]] = {}

    @property
    def passed(self) -> bool:
        """Whether the loss is within its limit."""
        return self.loss.value <= self.limit


def judge(manifest: ModelManifest, fp32: OnnxModel, variant: OnnxModel, ground: Ground) -> Judgement:
    """Run both on the test side of `ground`.

    Args:
        manifest: of the fp32 model; its postprocessing cuts the masks of both.
        fp32: the model as it was trained.
        variant: the same in 8 bits.
        ground: where both are judged.

    Raises:
        ValueError: the test side is empty.
    """
    if not len(ground.test):
        raise ValueError(f"{manifest.name}: no slice to judge on")
    if ground.classes is not None:
        return _classes(fp32, variant, ground, ground.classes[ground.test])
    return _outlines(manifest, fp32, variant, ground)


def compare_answers(
    left: NDArray[Any], right: NDArray[Any], truth: NDArray[np.int64], groups: Sequence[str]
) -> Judgement:
    """Two classifiers' logits `[N, C]` on the same slices of known class `[N]`."""
    answers = [logits.argmax(axis=1) for logits in (left, right)]
    hits = [(answer == truth).astype(np.float64) for answer in answers]
    classes = left.shape[1]
    return Judgement(
        metric="accuracy",
        fp32=float(hits[0].mean()),
        variant=float(hits[1].mean()),
        loss=group_bootstrap(groups, lambda at: float((hits[0][at] - hits[1][at]).mean())),
        limit=LIMITS["accuracy"],
        agreement=float((answers[0] == answers[1]).mean()),
        max_probability_difference=float(np.abs(softmax(left) - softmax(right)).max()),
        others={"macro_f1": (macro_f1(truth, answers[0], classes), macro_f1(truth, answers[1], classes))},
    )


def _classes(fp32: OnnxModel, variant: OnnxModel, ground: Ground, truth: NDArray[np.int64]) -> Judgement:
    rows = ground.rows(ground.test)
    left, right = (model.run(rows, _BATCH)["logits"] for model in (fp32, variant))
    return compare_answers(left, right, truth, [ground.groups[at] for at in ground.test])


def _outlines(manifest: ModelManifest, fp32: OnnxModel, variant: OnnxModel, ground: Ground) -> Judgement:
    rule, preprocessing = manifest.postprocessing or Postprocessing(), manifest.preprocessing
    if ground.outlines is None or preprocessing is None:
        raise ValueError(f"{manifest.name}: no outlines to judge on")
    counts: tuple[list[Counts], ...] = ([], [], [])
    worst = 0.0
    for start in range(0, len(ground.test), _BATCH):
        part = ground.test[start : start + _BATCH]
        rows = ground.rows(part)
        planes = [model.run(rows, _BATCH)["probabilities"][:, 0] for model in (fp32, variant)]
        worst = max(worst, float(np.abs(planes[0] - planes[1]).max()))
        for at, left, right in zip(part, *planes, strict=True):
            picture, truth = ground_of(ground.outlines, ground.keys[at]).load()
            placement = preprocessing.place(picture)
            masks = [postprocess(plane, placement, rule) for plane in (left, right)]
            for found, pair in zip(counts, ((masks[0], truth), (masks[1], truth), (masks[1], masks[0])), strict=True):
                found.append(overlap_counts(*pair))
    groups = [ground.groups[at] for at in ground.test]
    return _mask_loss([np.stack(part) for part in counts], groups, _by_volume(ground), worst)


def _by_volume(ground: Ground) -> bool:
    """Whether the judged slices are stacks of patients, so that a patient's Dice is that of the volume."""
    outlines = ground.outlines or {}
    return any(outlines[ground.keys[at]].index for at in ground.test)


def _mask_loss(counts: list[Counts], groups: list[str], by_volume: bool, worst: float) -> Judgement:
    """From counts `[N, 3]` of fp32 against truth, variant against truth, and variant against fp32."""
    left, right, between = counts
    others = {}
    if by_volume:
        names = np.unique(groups)
        left, right, between = (_summed(part, groups, names) for part in counts)
        groups = [str(name) for name in names]
    tumor = left[:, 0] + left[:, 2] > 0
    if not by_volume:
        marked = [float((part[~tumor, 1] > 0).mean()) if (~tumor).any() else 0.0 for part in (left, right)]
        others["empty slices marked"] = (marked[0], marked[1])
    dices = [dice_scores(part[tumor]) for part in (left, right)]
    others["median dice"] = (float(np.median(dices[0])), float(np.median(dices[1])))
    return Judgement(
        metric="dice",
        fp32=float(dices[0].mean()),
        variant=float(dices[1].mean()),
        loss=group_bootstrap(
            [group for group, judged in zip(groups, tumor, strict=True) if judged],
            lambda at: float((dices[0][at] - dices[1][at]).mean()),
        ),
        limit=LIMITS["dice"],
        agreement=float(dice_scores(between[tumor]).mean()),
        max_probability_difference=worst,
        others=others,
    )


def _summed(counts: Counts, groups: list[str], names: NDArray[np.str_]) -> Counts:
    return np.stack([counts[np.asarray(groups) == name].sum(axis=0) for name in names])
