"""Charts of a classifier, drawn from its result alone."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.classification import ClassifierResult, SetRow
from model_export.evaluation.style import BLUE, COLORS, GRAY, INK, ORANGE, PALE, named, new_figure

_BAND = (0.93, 0.97)


def draw_confusion(result: ClassifierResult) -> Figure:
    """Counts, with the share of each true class as shade."""
    side = 1.5 + 0.75 * len(result.labels)
    figure, (axes,) = new_figure(width=side + 0.9, height=side)
    matrix = np.array(result.confusion)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15)
    names = [named(label) for label in result.labels]
    axes.set_xticks(range(len(names)), names, rotation=25, ha="right")
    axes.set_yticks(range(len(names)), names)
    for (row, column), count in np.ndenumerate(matrix):
        color = "white" if share[row, column] > 0.55 else INK
        text = f"{count}\n{share[row, column]:.1%}"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8.5)
    axes.set(xlabel="answered", ylabel="true")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def draw_curves(result: ClassifierResult) -> Figure:
    """Precision over recall of each class, and the ROC curve of tumor or not where there is one."""
    figure, panels = new_figure(2 if result.binary else 1, width=3.9, height=3.2)
    rows = {row.label: row for row in result.classes}
    for curve, color in zip(result.precision_recall, COLORS, strict=False):
        area = rows[curve.label].average_precision.value
        panels[0].plot(curve.x, curve.y, color=color, label=f"{named(curve.label)}, {area:.3f}")
    low = min(min(curve.y[: int(0.97 * len(curve.y))]) for curve in result.precision_recall)
    panels[0].set(xlabel="recall", ylabel="precision", ylim=(max(0.0, min(0.8, low - 0.05)), 1.01), xlim=(0, 1.01))
    panels[0].set_title("Precision and recall (average precision)")
    panels[0].legend(loc="lower left")
    if result.binary:
        roc = result.binary.roc
        panels[1].plot(roc.x, roc.y, color=BLUE)
        panels[1].plot([0, 1], [0, 1], color=GRAY, linewidth=0.8, linestyle=":")
        panels[1].set(xlabel="false alarms", ylabel="tumors found", xlim=(-0.01, 1), ylim=(0, 1.01))
        panels[1].set_title(f"Tumor or not (area {result.binary.roc_auc.mean.value:.4f})")
    return figure


def draw_reliability(result: ClassifierResult) -> Figure:
    """What was promised and what came, before and after the temperature: 15 bins of equally many slices."""
    figure, panels = new_figure(2, width=3.5, height=3.3)
    for axes, when in zip(panels, ("before", "after"), strict=True):
        bins = result.calibration.reliability[when]
        error = result.calibration.errors[f"equal mass, {when}"]
        axes.plot([0, 1], [0, 1], color=GRAY, linewidth=0.8, linestyle=":")
        axes.vlines(
            [b.confidence for b in bins],
            [min(b.confidence, b.accuracy) for b in bins],
            [max(b.confidence, b.accuracy) for b in bins],
            color=ORANGE,
            linewidth=2,
            alpha=0.7,
        )
        axes.plot([b.confidence for b in bins], [b.accuracy for b in bins], "o-", color=BLUE, markersize=4)
        low = max(0.0, min(min(b.confidence, b.accuracy) for b in bins) - 0.05)
        axes.set(xlabel="confidence", ylabel="accuracy", xlim=(low, 1.01), ylim=(low, 1.01))
        axes.set_title(f"{when.capitalize()} the temperature: error {error.value:.3f}")
    return figure


def draw_coverage(result: ClassifierResult) -> Figure:
    """How often the true label is in the 95 % set, by class, view, source and part, with the aimed-at band."""
    calibration = result.calibration
    kinds: Sequence[tuple[str, tuple[SetRow, ...]]] = [
        ("", (calibration.overall,)),
        ("class", calibration.classes),
        ("view", () if set(result.labels) <= {"axial", "coronal", "sagittal"} else calibration.views),
        ("source", calibration.sources),
        ("fold", calibration.folds),
        ("other sets", calibration.other_sets),
    ]
    rows = [(named(row.label), row.coverage, kind == "other sets") for kind, of in kinds for row in of]
    return draw_intervals(rows, band=_BAND, low=0.8, label="true label in the set")


def draw_intervals(
    rows: Sequence[tuple[str, Estimate, bool]],
    *,
    band: tuple[float, float] | None = None,
    low: float | None = None,
    label: str = "",
) -> Figure:
    """Figures with their 95 % intervals, a line each; flagged rows are orange. The axis starts at `low` or below."""
    figure, (axes,) = new_figure(width=6.6, height=0.27 * len(rows) + 0.8)
    if band:
        axes.axvspan(*band, color=PALE, zorder=0)
    _intervals(axes, rows)
    least = min(estimate.low for _, estimate, _ in rows)
    start = max(0.0, np.floor(least * 20) / 20 - 0.01)
    axes.set_xlim(start if low is None else max(0.0, min(low, start)), 1.005)
    axes.set_xlabel(label)
    return figure


def _intervals(axes: Axes, rows: Sequence[tuple[str, Estimate, bool]]) -> None:
    for position, (_, estimate, doubtful) in enumerate(rows):
        color = ORANGE if doubtful else BLUE
        axes.plot([estimate.low, estimate.high], [position, position], color=color, linewidth=2.4, alpha=0.45)
        axes.plot(estimate.value, position, "o", color=color, markersize=5)
        axes.annotate(
            f"{estimate.value:.3f}", (1.015, position), xycoords=("axes fraction", "data"), va="center", fontsize=8.5
        )
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="x", color=GRAY, alpha=0.2)
    axes.tick_params(axis="y", length=0)


def draw_risk(result: ClassifierResult) -> Figure:
    """The error among the answered slices, when the least confident ones are left to a person."""
    figure, (axes,) = new_figure(width=4.4, height=3.0)
    curve = result.calibration.risk_coverage
    axes.plot(curve.x, curve.y, color=BLUE)
    answered = result.calibration.answered.value
    error = 1 - result.calibration.answered_right.value
    axes.plot(answered, error, "o", color=ORANGE)
    axes.annotate(
        f"one label in the 95 % set:\n{answered:.1%} answered, {error:.2%} wrong",
        (answered, error),
        xytext=(-8, 14),
        textcoords="offset points",
        ha="right",
        fontsize=8.5,
    )
    axes.set(xlabel="share of slices answered", ylabel="error among them", xlim=(0, 1.01))
    axes.set_ylim(0, max(*curve.y, error) * 1.25 + 1e-3)
    return figure
