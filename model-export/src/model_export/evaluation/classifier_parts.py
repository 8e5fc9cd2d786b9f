"""The view and tumor chapters of the report."""

from functools import partial

from model_export.datasets.split import FOLDS, Fold
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.classification import ClassifierResult, CvFigure
from model_export.evaluation.classifier_charts import (
    draw_confusion,
    draw_coverage,
    draw_curves,
    draw_reliability,
    draw_risk,
)
from model_export.evaluation.classifier_tables import (
    binnings,
    classes_table,
    errors_table,
    figures_table,
    kinds_table,
    leaky_table,
    sets_table,
)
from model_export.evaluation.classifiers import judge_classifier
from model_export.evaluation.hardest import write_hardest
from model_export.evaluation.sections import CardFigures, Chart, Part, Place, Section, Target
from model_export.evaluation.store import read_classifier
from model_export.evaluation.style import named

_TITLES = {"view": "View: which plane", "tumor": "Tumor: which type, or none"}
_ECE_LIMIT = 0.03


def measure_classifier(name: str, place: Place) -> ClassifierResult:
    """Judge the out-of-fold answers of `name`, the leaky arm beside where it was trained."""
    predictions = read_classifier(place.cache, name)
    try:
        leaky = read_classifier(place.cache, name, [Fold(0, leaky=True)])
    except FileNotFoundError:
        place.report(f"{name}: no leaky arm (model-export train {_trained(name)} --fold leaky)")
        leaky = None
    write_hardest(predictions, place)
    return judge_classifier(predictions, leaky)


def render_classifier(result: ClassifierResult) -> Section:
    """The chapter of one classifier."""
    name = _TITLES.get(result.name, result.name)
    charts = [
        Chart(f"{named(result.name)}: confusion", partial(draw_confusion, result), "Confusion matrix, all folds."),
        Chart(f"{named(result.name)}: curves", partial(draw_curves, result), "Precision-recall and ROC curves."),
        Chart(
            f"{named(result.name)}: reliability",
            partial(draw_reliability, result),
            "Accuracy over confidence before and after temperature scaling.",
        ),
        Chart(
            f"{named(result.name)}: coverage of the 95 % sets",
            partial(draw_coverage, result),
            "Empirical coverage with intervals; the aimed-at band of 93 to 97 % is shaded.",
        ),
        Chart(f"{named(result.name)}: abstaining", partial(draw_risk, result), "Error over the share answered."),
    ]
    tables = [figures_table(result), classes_table(result), kinds_table(result)]
    if result.leaky:
        tables.append(leaky_table(result.leaky))
    tables += [errors_table(result), sets_table(result)]
    return Section(
        title=name,
        intro=_intro(result),
        tables=tuple(tables),
        charts=tuple(charts),
        targets=_targets(result),
        cards={result.name: card_figures(result)},
        notes=()
        if result.leaky
        else (f"{result.name}: no leaky arm yet (`model-export train {_trained(result.name)} --fold leaky`).",),
    )


def _trained(name: str) -> str:
    """The network whose training makes this model."""
    return "t1" if name == "tumor" else name


def _intro(result: ClassifierResult) -> tuple[str, ...]:
    some = f"Folds {', '.join(str(fold) for fold in result.folds)} of a five-fold"
    text = (
        f"{'Five-fold' if len(result.folds) == FOLDS else some} cross-validation by whole patients: {result.slices} "
        f"slices of {result.groups} groups, "
        "each answered by a network that saw no slice of its group. Figures are means over the folds; intervals come "
        "from 1,000 bootstrap resamples of whole groups within their folds. Rows by class, view and source pool the "
        "folds."
    )
    return (
        text,
        "**Calibration is cross-fitted**: temperature and thresholds that judge a fold are fitted on the other folds' "
        "out-of-fold answers. A prediction set holds every label whose probability reaches its class' threshold, the "
        "finite-sample quantile of that class (nothing is drawn at random). An empty or a mixed set is no answer: it "
        "goes to review. Thresholds count every slice once: coverage is stated for slices as they come. Patients, not "
        "slices, are exchangeable, so coverage varies more from hospital to hospital than the count of slices "
        "suggests: the rows by source show how much. In the last column the thresholds count each patient once.",
    )


def _targets(result: ClassifierResult) -> tuple[Target, ...]:
    after = max(result.calibration.errors[f"{how}, after"].value for how in binnings(result))
    found = [
        Target(
            name=f"{result.name}: calibration error, worse binning",
            measured=after,
            limit=_ECE_LIMIT,
            relation="at most",
        )
    ]
    for row in result.calibration.classes:
        label = f"{result.name}: coverage of the 95 % sets, {named(row.label)}"
        found.append(Target(name=label, measured=row.coverage, limit=0.93, ceiling=0.97))
    if result.name == "view":
        return (Target(name="view: accuracy", measured=result.accuracy.mean, limit=0.985, reach=0.99), *found)
    if result.binary is None:
        return tuple(found)
    return (
        Target(name="tumor or not: accuracy", measured=result.binary.accuracy.mean, limit=0.98, reach=0.99),
        Target(name="tumor or not: sensitivity", measured=result.binary.sensitivity.mean, limit=0.98),
        Target(name="tumor: macro-F1 of four classes", measured=result.macro_f1.mean, limit=0.94, reach=0.96),
        Target(name="tumor: ROC-AUC, one against the rest", measured=result.roc_auc.mean, limit=0.985),
        *found,
    )


def card_figures(result: ClassifierResult) -> CardFigures:
    """What the model's card says of it."""
    figures: dict[str, CvFigure] = {
        "accuracy": result.accuracy,
        "balanced accuracy": result.balanced_accuracy,
        "macro-F1": result.macro_f1,
        "ROC-AUC": result.roc_auc,
    }
    if result.binary:
        figures["tumor or not: accuracy"] = result.binary.accuracy
        figures["tumor or not: sensitivity"] = result.binary.sensitivity
        figures["tumor or not: specificity"] = result.binary.specificity
        figures["tumor or not: ROC-AUC"] = result.binary.roc_auc
    summary: dict[str, Estimate | float] = {label: figure.mean for label, figure in figures.items()}
    calibration = result.calibration
    summary["calibration error (equal mass)"] = calibration.errors["equal mass, after"]
    summary["calibration error (equal width)"] = calibration.errors["equal width, after"]
    summary["coverage of the 95 % sets"] = calibration.overall.coverage
    summary["mean size of the sets"] = calibration.mean_size
    covered = {row.label: row for row in calibration.classes}
    by_class = tuple(
        {
            "label": row.label,
            "support": row.support,
            "precision": row.precision.value,
            "recall": row.recall.value,
            "F1": row.f1.value,
            "specificity": row.specificity.value,
            "ROC-AUC": row.roc_auc.value,
            "coverage": covered[row.label].coverage.value,
        }
        for row in result.classes
    )
    kinds = {"source": result.sources, "other set": result.other_sets}
    if result.name != "view":
        kinds = {"view": result.views, **kinds}
    tables = {"by class": by_class}
    for kind, rows in kinds.items():
        tables[f"by {kind}"] = tuple(
            {"label": row.label, "slices": row.share.slices, "groups": row.share.groups, "accuracy": row.share.value}
            for row in rows
        )
    leaky: dict[str, Estimate | float] = {}
    if result.leaky:
        leaky = {"accuracy": result.leaky.accuracy, "macro-F1": result.leaky.macro_f1}
    folds = f"Folds judged: {', '.join(str(fold) for fold in result.folds)} of five."
    return CardFigures(summary=summary, tables=tables, leaky=leaky, notes=(folds,))


PARTS = tuple(
    Part(key=name, result=ClassifierResult, measure=partial(measure_classifier, name), render=render_classifier)
    for name in ("view", "tumor")
)
