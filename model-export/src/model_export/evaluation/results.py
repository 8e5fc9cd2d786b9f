"""What an evaluation found, typed: written as `evaluation.json`, drawn by the report."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.metrics import confusion, recall_precision_f1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ClassRow(_Frozen):
    """One class: how many slices it has, and how well it is told from the others."""

    label: str
    slices: int
    recall: float
    precision: float
    f1: float


class SourceRow(_Frozen):
    """One source of slices: accuracy on it alone."""

    source: str
    slices: int
    groups: int
    accuracy: float


class ClassifierResult(_Frozen):
    """A classifier on its test groups."""

    labels: tuple[str, ...]
    accuracy: Estimate
    macro_f1: Estimate
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassRow, ...]
    sources: tuple[SourceRow, ...]
    calibration_error: float
    coverage: dict[str, float]
    mean_set_size: float
    single_sets: float


class ViewResult(_Frozen):
    """The view model: its own test groups, and the external set."""

    grouped: ClassifierResult
    external: Estimate
    external_confusion: tuple[tuple[int, ...], ...]
    external_sequences: dict[str, float]
    other_sources: tuple[SourceRow, ...]


class LeakageStudy(_Frozen):
    """One recipe, two splits: by group (honest) and by slice (patients on both sides)."""

    epochs: int
    size: int
    grouped_accuracy: Estimate
    grouped_macro_f1: Estimate
    leaky_accuracy: Estimate
    leaky_macro_f1: Estimate


class EvidenceResult(_Frozen):
    """Where the map of the true class lies, against the outlines."""

    pointing: Estimate
    inside: Estimate
    chance: float


class TumorResult(_Frozen):
    """The tumor model: four classes, tumor or not, its extras, shortcut probes, and the leaky arm."""

    grouped: ClassifierResult
    binary_accuracy: Estimate
    binary_auc: Estimate
    binary_sensitivity: float
    binary_specificity: float
    extras: tuple[SourceRow, ...]
    evidence: EvidenceResult
    probes: dict[str, float]
    leaky: LeakageStudy | None


class DiceRow(_Frozen):
    """Dice over one kind of slice or patient."""

    label: str
    mean: Estimate
    median: float
    values: tuple[float, ...]


class SegT1Result(_Frozen):
    """seg-t1: Dice a tumor slice, and how often an empty slice gets a mask."""

    overall: DiceRow
    classes: tuple[DiceRow, ...]
    views: tuple[DiceRow, ...]
    false_positive_rate: Estimate
    false_positive_large_rate: float


class SegFilmResult(_Frozen):
    """seg-flair-film: Dice a patient's volume, in full and with less known."""

    full: DiceRow
    empty_record: DiceRow
    flair_only: DiceRow
    flair_only_empty_record: DiceRow
    slice_mean: float
    empty_slice_false_positive_rate: float
    brats: DiceRow


class ClinicalResult(_Frozen):
    """The clinical model: what comes out for every patient, known or hidden."""

    records: int
    largest_difference: float
    lowest: float
    highest: float
    imputed: dict[str, float]
    missing_share: dict[str, float]


class EvaluationResults(_Frozen):
    """Everything, with the hashes of what was judged."""

    seed: int
    protocol: str
    sha256: dict[str, str]
    groups_sha256: dict[str, str]
    seconds: dict[str, float]
    view: ViewResult | None = None
    tumor: TumorResult | None = None
    seg_t1: SegT1Result | None = None
    seg_flair_film: SegFilmResult | None = None
    clinical: ClinicalResult | None = None


def class_rows(truth: NDArray[np.int64], predicted: NDArray[np.int64], labels: tuple[str, ...]) -> tuple[ClassRow, ...]:
    """One row a label."""
    matrix = confusion(truth, predicted, len(labels))
    recall, precision, f1 = recall_precision_f1(matrix)
    return tuple(
        ClassRow(
            label=label,
            slices=int(matrix[i].sum()),
            recall=float(recall[i]),
            precision=float(precision[i]),
            f1=float(f1[i]),
        )
        for i, label in enumerate(labels)
    )


def source_rows(right: NDArray[np.bool_], sources: list[str], groups: list[str]) -> tuple[SourceRow, ...]:
    """One row a source."""
    rows = []
    for source in sorted(set(sources)):
        chosen = [i for i, name in enumerate(sources) if name == source]
        rows.append(
            SourceRow(
                source=source,
                slices=len(chosen),
                groups=len({groups[i] for i in chosen}),
                accuracy=float(right[chosen].mean()),
            )
        )
    return tuple(rows)


def nested(matrix: NDArray[Any]) -> tuple[tuple[int, ...], ...]:
    """A matrix of counts as tuples."""
    return tuple(tuple(int(value) for value in row) for row in matrix)
