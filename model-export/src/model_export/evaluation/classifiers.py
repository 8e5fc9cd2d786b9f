"""The view and tumor models on their test groups."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.pictures import read_gray
from model_export.datasets.tumor_set import TumorSample, tumor_samples
from model_export.datasets.view_set import view_samples
from model_export.evaluation.bootstrap import group_bootstrap
from model_export.evaluation.calibration import prediction_sets
from model_export.evaluation.evidence import evaluate_evidence
from model_export.evaluation.leakage import evaluate_leakage
from model_export.evaluation.metrics import (
    accuracy,
    calibration_error,
    confusion,
    macro_f1,
    roc_auc,
    softmax,
)
from model_export.evaluation.predictions import PublishedModel, classify_tumors, classify_views
from model_export.evaluation.results import (
    ClassifierResult,
    TumorResult,
    ViewResult,
    class_rows,
    nested,
    source_rows,
)
from service_kit.contracts.common import TUMOR_LABELS, VIEW_LABELS
from service_kit.inference.manifest import Calibration

_MAIN_SOURCES = frozenset({"cheng", "brisc"})
_NO_TUMOR = TUMOR_LABELS.index("no_tumor")


def judge_classifier(
    logits: NDArray[np.float32],
    truth: NDArray[np.int64],
    labels: tuple[str, ...],
    groups: list[str],
    sources: list[str],
    calibration: Calibration,
) -> ClassifierResult:
    """Everything that is said of a classifier on one set of slices."""
    probabilities = softmax(logits, calibration.temperature)
    predicted = probabilities.argmax(axis=1)
    sets = prediction_sets(probabilities, calibration)
    covered = sets[np.arange(len(truth)), truth]
    coverage = {label: float(covered[truth == i].mean()) for i, label in enumerate(labels) if (truth == i).any()}
    return ClassifierResult(
        labels=labels,
        accuracy=group_bootstrap(groups, lambda at: accuracy(truth[at], predicted[at])),
        macro_f1=group_bootstrap(groups, lambda at: macro_f1(truth[at], predicted[at], len(labels))),
        confusion=nested(confusion(truth, predicted, len(labels))),
        classes=class_rows(truth, predicted, labels),
        sources=source_rows(truth == predicted, sources, groups),
        calibration_error=calibration_error(probabilities, truth),
        coverage={"all": float(covered.mean()), **coverage},
        mean_set_size=float(sets.sum(axis=1).mean()),
        single_sets=float((sets.sum(axis=1) == 1).mean()),
    )


def evaluate_view(root: Path, models: Path, seed: int) -> ViewResult:
    """On the test groups of `t1_slices`, on those of the other sets, and on all of `views64` (never trained on)."""
    model = PublishedModel.open(models, "view")
    if model.manifest.calibration is None:
        raise ValueError("view has no calibration")
    samples, split = view_samples(root, seed)
    test = [s for s in samples if s.group in split.test]
    logits, _ = classify_views(model, [s.load for s in test])
    truth = np.array([VIEW_LABELS.index(s.plane) for s in test])
    is_main = np.array([s.source in _MAIN_SOURCES for s in test])
    main = np.flatnonzero(is_main)
    others = np.flatnonzero(~is_main)
    right = logits.argmax(axis=1) == truth
    external = _views64(root)
    external_logits, _ = classify_views(model, [lambda p=path: read_gray(p) for path, _, _ in external])  # type: ignore[misc]
    external_truth = np.array([VIEW_LABELS.index(view) for _, view, _ in external])
    external_predicted = external_logits.argmax(axis=1)
    notes = np.array([note for _, _, note in external])
    return ViewResult(
        grouped=judge_classifier(
            logits[main],
            truth[main],
            VIEW_LABELS,
            [test[i].group for i in main],
            [test[i].source for i in main],
            model.manifest.calibration,
        ),
        external=group_bootstrap(
            [path.name for path, _, _ in external],
            lambda at: accuracy(external_truth[at], external_predicted[at]),
        ),
        external_confusion=nested(confusion(external_truth, external_predicted, len(VIEW_LABELS))),
        external_sequences={
            str(note): accuracy(external_truth[notes == note], external_predicted[notes == note])
            for note in np.unique(notes)
        },
        other_sources=source_rows(right[others], [test[i].source for i in others], [test[i].group for i in others]),
    )


def _views64(root: Path) -> list[tuple[Path, str, str]]:
    folder = root / "views64"
    with (folder / "index.csv").open(newline="", encoding="utf-8") as stream:
        return [(folder / row["image"], row["view"], row["note"]) for row in csv.DictReader(stream)]


def evaluate_tumor(root: Path, models: Path, seed: int, cache: Path) -> TumorResult:
    """On the test groups of `t1_slices`; extras, probes and the leaky arm beside."""
    view, tumor = PublishedModel.open(models, "view"), PublishedModel.open(models, "tumor")
    if tumor.manifest.calibration is None:
        raise ValueError("tumor has no calibration")
    samples, split = tumor_samples(root, seed)
    test = [s for s in samples if s.main and s.group in split.test]
    extras = [s for s in samples if not s.main and s.group in split.test]
    logits, truth = classify_tumors(view, tumor, [s.load for s in test]), _truth(test)
    groups = [s.group for s in test]
    probabilities = softmax(logits, tumor.manifest.calibration.temperature)
    present, has_tumor = 1.0 - probabilities[:, _NO_TUMOR], truth != _NO_TUMOR
    called = present >= 0.5
    extra_right = classify_tumors(view, tumor, [s.load for s in extras]).argmax(axis=1) == _truth(extras)
    return TumorResult(
        grouped=judge_classifier(
            logits, truth, TUMOR_LABELS, groups, [s.source for s in test], tumor.manifest.calibration
        ),
        binary_accuracy=group_bootstrap(groups, lambda at: float((called[at] == has_tumor[at]).mean())),
        binary_auc=group_bootstrap(groups, lambda at: roc_auc(present[at], has_tumor[at])),
        binary_sensitivity=float(called[has_tumor].mean()),
        binary_specificity=float((~called[~has_tumor]).mean()),
        extras=source_rows(extra_right, [f"{s.source}, {s.label}" for s in extras], [s.group for s in extras]),
        evidence=evaluate_evidence(view, tumor, test),
        probes=_probes(view, tumor, test, truth),
        leaky=evaluate_leakage(samples, split, view, cache),
    )


def _truth(samples: list[TumorSample]) -> NDArray[np.int64]:
    return np.array([TUMOR_LABELS.index(s.label) for s in samples], np.int64)


def _probes(
    view: PublishedModel, tumor: PublishedModel, test: list[TumorSample], truth: NDArray[np.int64]
) -> dict[str, float]:
    """Macro-F1 when only a rim is left (a sixth of each side): what the picture's source alone gives away."""

    def rim(sample: TumorSample) -> NDArray[np.uint8]:
        pixels = sample.load().copy()
        rows, columns = pixels.shape
        pixels[rows // 6 : -rows // 6, columns // 6 : -columns // 6] = 0
        return pixels

    predicted = classify_tumors(view, tumor, [lambda s=s: rim(s) for s in test]).argmax(axis=1)  # type: ignore[misc]
    right = (predicted != _NO_TUMOR) == (truth != _NO_TUMOR)
    return {
        "rim_only_macro_f1": macro_f1(truth, predicted, len(TUMOR_LABELS)),
        "rim_only_binary_accuracy": float(right.mean()),
        "always_tumor_binary_accuracy": float((truth != _NO_TUMOR).mean()),
    }
