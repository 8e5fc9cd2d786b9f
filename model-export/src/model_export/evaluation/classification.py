"""What is said of a classifier: frozen, so that it goes as it is into the report, its JSON and the card."""

from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate
from service_kit.inference.manifest import Calibration


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class CvFigure(_Frozen):
    """A figure by cross-validation: mean over the folds with its interval, all slices in one pot, and each fold."""

    mean: Estimate
    pooled: float
    folds: dict[str, float]


class ClassRow(_Frozen):
    """One class against the others, all folds in one pot; `support` counts its slices."""

    label: str
    support: int
    groups: int
    recall: Estimate
    precision: Estimate
    f1: Estimate
    specificity: Estimate
    roc_auc: Estimate
    average_precision: Estimate


class ShareRow(_Frozen):
    """A share (say of right answers) of one kind of slice."""

    label: str
    share: Estimate


class SetRow(_Frozen):
    """Prediction sets of one kind of slice: the true label is in `coverage` of them."""

    label: str
    coverage: Estimate
    mean_size: float
    single: float
    empty: float


class Curve(_Frozen):
    """Points of a curve, thinned; `label` names it."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


class ReliabilityBin(_Frozen):
    """Slices of like confidence: what was promised and what came."""

    confidence: float
    accuracy: float
    slices: int


class BinaryResult(_Frozen):
    """Tumor or not, at a probability of .5 for all tumor classes together."""

    accuracy: CvFigure
    sensitivity: CvFigure
    specificity: CvFigure
    roc_auc: CvFigure
    average_precision: CvFigure
    sources: tuple[ShareRow, ...]
    roc: Curve


class CalibrationResult(_Frozen):
    """Probabilities and prediction sets, cross-fitted: each fold by what the other folds' patients say.

    `published` is fitted on all patients' out-of-fold answers. `errors` are expected calibration errors by name
    (equal mass or equal width, before or after). `by_patient` is the coverage of each class when the thresholds count
    each patient once. `answered` is the share of slices with a single label, `answered_right` the accuracy on them.
    """

    published: Calibration
    temperatures: dict[str, float]
    errors: dict[str, Estimate]
    reliability: dict[str, tuple[ReliabilityBin, ...]]
    overall: SetRow
    classes: tuple[SetRow, ...]
    views: tuple[SetRow, ...]
    sources: tuple[SetRow, ...]
    folds: tuple[SetRow, ...]
    other_sets: tuple[SetRow, ...]
    by_patient: dict[str, float]
    mean_size: Estimate
    answered: Estimate
    answered_right: Estimate
    risk_coverage: Curve
    area_under_risk: float


class LeakyResult(_Frozen):
    """The same recipe on the same slices split by slice: what a careless split would have claimed."""

    accuracy: Estimate
    macro_f1: Estimate
    binary_accuracy: Estimate | None
    grouped_accuracy: float
    grouped_macro_f1: float
    grouped_binary_accuracy: float | None


class ClassifierResult(_Frozen):
    """A classifier on patients of `t1_slices` that its network never saw; `other_sets` and `external` beside."""

    name: str
    labels: tuple[str, ...]
    folds: tuple[int, ...]
    slices: int
    groups: int
    accuracy: CvFigure
    balanced_accuracy: CvFigure
    macro_f1: CvFigure
    roc_auc: CvFigure
    average_precision: CvFigure
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassRow, ...]
    views: tuple[ShareRow, ...]
    sources: tuple[ShareRow, ...]
    class_sources: tuple[ShareRow, ...]
    other_sets: tuple[ShareRow, ...]
    precision_recall: tuple[Curve, ...]
    binary: BinaryResult | None
    calibration: CalibrationResult
    leaky: LeakyResult | None
