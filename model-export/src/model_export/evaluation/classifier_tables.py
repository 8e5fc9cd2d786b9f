"""Tables of a classifier's chapter."""

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.classification import ClassifierResult, LeakyResult, SetRow
from model_export.evaluation.sections import Table
from model_export.evaluation.style import named


def figures_table(result: ClassifierResult) -> Table:
    """Every figure: mean over the folds, in one pot, and fold by fold."""
    rows = [
        ("accuracy", result.accuracy),
        ("balanced accuracy", result.balanced_accuracy),
        ("macro-F1", result.macro_f1),
        ("ROC-AUC, one against the rest", result.roc_auc),
        ("average precision, mean of the classes", result.average_precision),
    ]
    if result.binary:
        rows += [
            ("tumor or not: accuracy", result.binary.accuracy),
            ("tumor or not: sensitivity", result.binary.sensitivity),
            ("tumor or not: specificity", result.binary.specificity),
            ("tumor or not: ROC-AUC", result.binary.roc_auc),
            ("tumor or not: average precision", result.binary.average_precision),
        ]
    folds = tuple(f"fold {fold}" for fold in result.folds)
    return Table(
        columns=("figure", "mean over the folds", "in one pot", *folds),
        rows=tuple((label, f.mean, f.pooled, *f.folds.values()) for label, f in rows),
        title="Figures",
    )


def classes_table(result: ClassifierResult) -> Table:
    """Each class against the others."""
    return Table(
        columns=(
            "class",
            "support",
            "precision",
            "recall",
            "F1",
            "specificity",
            "ROC-AUC",
            "average precision",
        ),
        rows=tuple(
            (
                named(row.label),
                row.support,
                row.precision,
                row.recall,
                row.f1,
                row.specificity,
                row.roc_auc,
                row.average_precision,
            )
            for row in result.classes
        ),
        title="By class",
    )


def kinds_table(result: ClassifierResult) -> Table:
    """Right answers by view, source and other set."""
    kinds = [("source", result.sources), ("class and source", result.class_sources), ("other set", result.other_sets)]
    if result.name != "view":
        kinds.insert(0, ("view", result.views))
    return Table(
        columns=("kind", "slices", "groups", "accuracy"),
        rows=tuple(
            (f"{kind}: {named(row.label)}", row.share.slices, row.share.groups, row.share)
            for kind, rows in kinds
            for row in rows
        ),
        title="By view and source: share of right answers",
        note="Other sets are other scanners, sequences and skull-stripped volumes of patients that the network did not "
        "see; views64 was never trained on and is answered by every fold's network. A source holds mostly one class "
        "(no tumor: br35h, sartaj), so a gap between sources is one between classes too.",
    )


def leaky_table(leaky: LeakyResult) -> Table:
    """The careless split beside the grouped one."""
    rows: list[tuple[str, float, Estimate]] = [
        ("accuracy", leaky.grouped_accuracy, leaky.accuracy),
        ("macro-F1", leaky.grouped_macro_f1, leaky.macro_f1),
    ]
    if leaky.binary_accuracy is not None and leaky.grouped_binary_accuracy is not None:
        rows.append(("tumor or not: accuracy", leaky.grouped_binary_accuracy, leaky.binary_accuracy))
    return Table(
        columns=("figure", "by patient (fold 0)", "by slice: leaky", "difference"),
        rows=tuple((label, honest, flawed, f"{flawed.value - honest:+.3f}") for label, honest, flawed in rows),
        title="What a careless split would have claimed",
        note="The same recipe, one network each; split by slice, slices of a patient are on both sides. The leaky "
        "figure measures nothing that a hospital would see; its interval draws slices, as careless papers do. The two "
        "are judged on different test slices.",
    )


def errors_table(result: ClassifierResult) -> Table:
    """Expected calibration error before and after the temperature."""
    errors = result.calibration.errors
    temperatures = list(result.calibration.temperatures.values())
    return Table(
        columns=("expected calibration error, 15 bins", "before", "after"),
        rows=tuple((f"{how} bins", errors[f"{how}, before"], errors[f"{how}, after"]) for how in binnings(result)),
        title="Calibration",
        note=f"Published temperature {result.calibration.published.temperature:.3f}; those that judged the folds lie "
        f"between {min(temperatures):.3f} and {max(temperatures):.3f}. The interval of an error of this kind lies a "
        "little high: resampling adds noise to every bin.",
    )


def binnings(result: ClassifierResult) -> list[str]:
    """The ways of binning of which there is an error."""
    return sorted({name.split(",")[0] for name in result.calibration.errors})


def sets_table(result: ClassifierResult) -> Table:
    """Coverage and size of the prediction sets."""
    calibration = result.calibration
    kinds: list[tuple[str, tuple[SetRow, ...]]] = [
        ("class", calibration.classes),
        ("source", calibration.sources),
        ("", calibration.folds),
        ("other set", calibration.other_sets),
    ]
    if result.name != "view":
        kinds.insert(1, ("view", calibration.views))
    rows = [_set_row("all", calibration.overall, None)]
    rows += [
        _set_row(
            f"{kind}: {named(row.label)}" if kind else named(row.label), row, calibration.by_patient.get(row.label)
        )
        for kind, of in kinds
        for row in of
    ]
    return Table(
        columns=("slices", "n", "coverage", "mean size", "one label", "none", "coverage, patients counted once"),
        rows=tuple(rows),
        title=f"Prediction sets at a nominal {calibration.published.coverage:.0%}",
        note=f"One label in {calibration.answered.value:.1%} of the sets, right in "
        f"{calibration.answered_right.value:.1%} of those; area under the error-over-answered curve "
        f"{calibration.area_under_risk:.4f}.",
    )


def _set_row(label: str, row: SetRow, by_patient: float | None) -> tuple[str | int | float | Estimate | None, ...]:
    return (label, row.coverage.slices, row.coverage, row.mean_size, row.single, row.empty, by_patient)
