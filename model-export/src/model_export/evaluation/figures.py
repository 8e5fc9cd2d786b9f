"""The report's pictures: plots only, never a patient's slice."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.results import ClassifierResult, DiceRow

_BLUE, _ORANGE, _INK, _GRAY = "#2f6f9f", "#d9822b", "#222222", "#8a8f98"
_COLORS = ("#2f6f9f", "#d9822b", "#4f9d69", "#8e5ea2")
mpl.use("Agg")
mpl.rcParams.update(
    {
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "figure.dpi": 130,
        "savefig.bbox": "tight",
    }
)


def draw_confusion(axes: Axes, counts: Sequence[Sequence[int]], labels: Sequence[str], title: str) -> None:
    """Counts with the share of each true class as shade."""
    matrix = np.array(counts)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    names = [label.replace("_", " ") for label in labels]
    axes.set_xticks(range(len(names)), names, rotation=25, ha="right")
    axes.set_yticks(range(len(names)), names)
    for (row, column), count in np.ndenumerate(matrix):
        color = "white" if share[row, column] > 0.55 else _INK
        axes.text(column, row, f"{count}\n{share[row, column]:.0%}", ha="center", va="center", color=color, fontsize=9)
    axes.set_xlabel("answered")
    axes.set_ylabel("true")
    axes.set_title(title)
    for side in axes.spines.values():
        side.set_visible(False)


def save_confusion(path: Path, panels: Sequence[tuple[Sequence[Sequence[int]], Sequence[str], str]]) -> None:
    """One panel beside the other."""
    figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 4.0), squeeze=False)
    for place, (counts, labels, title) in zip(axes[0], panels, strict=True):
        draw_confusion(place, counts, labels, title)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def save_dice(path: Path, rows: Sequence[DiceRow], title: str, unit: str) -> None:
    """A histogram of Dice a row, mean and median marked."""
    figure, axes = plt.subplots(1, len(rows), figsize=(3.3 * len(rows), 2.9), squeeze=False, sharex=True)
    for place, row, color in zip(axes[0], rows, _COLORS * 3, strict=False):
        place.hist(row.values, bins=np.linspace(0, 1, 21).tolist(), color=color, alpha=0.85, edgecolor="white")
        place.axvline(row.mean.value, color=_INK, linewidth=1.4, label=f"mean {row.mean.value:.2f}")
        place.axvline(row.median, color=_INK, linewidth=1.4, linestyle=":", label=f"median {row.median:.2f}")
        place.set_title(f"{row.label} (n = {len(row.values)})")
        place.set_xlabel("Dice")
        place.legend(frameon=False, fontsize=8, loc="upper left")
    axes[0][0].set_ylabel(unit)
    figure.suptitle(title, fontsize=12, x=0.01, ha="left", fontweight="bold")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def save_intervals(path: Path, rows: Sequence[tuple[str, Estimate, bool]], title: str) -> None:
    """Figures with their 95 % intervals, one a line; the flag marks what must not be trusted."""
    figure, axes = plt.subplots(figsize=(7.6, 0.42 * len(rows) + 1.1))
    for position, (_, estimate, doubtful) in enumerate(rows):
        color = _ORANGE if doubtful else _BLUE
        axes.plot([estimate.low, estimate.high], [position, position], color=color, linewidth=2.6, alpha=0.5)
        axes.plot(estimate.value, position, "o", color=color, markersize=7)
        axes.annotate(
            f"{estimate.value:.3f}", (1.01, position), xycoords=("axes fraction", "data"), va="center", color=color
        )
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.invert_yaxis()
    lowest = min(estimate.low for _, estimate, _ in rows)
    axes.set_xlim(max(0.0, np.floor(lowest * 20) / 20 - 0.02), 1.0)
    axes.grid(axis="x", color=_GRAY, alpha=0.25)
    axes.set_title(title, loc="left")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def save_coverage(path: Path, results: Sequence[tuple[str, ClassifierResult]], nominal: float) -> None:
    """Empirical coverage of the prediction sets, per class, against the nominal one."""
    figure, axes = plt.subplots(1, len(results), figsize=(4.4 * len(results), 2.9), squeeze=False, sharey=True)
    for place, (title, result) in zip(axes[0], results, strict=True):
        names = list(result.coverage)
        place.bar(range(len(names)), [result.coverage[n] for n in names], color=[_INK] + [_BLUE] * (len(names) - 1))
        place.axhline(nominal, color=_ORANGE, linestyle="--", label=f"nominal {nominal:.0%}")
        place.set_xticks(range(len(names)), [n.replace("_", " ") for n in names], rotation=25, ha="right")
        place.set_ylim(0.7, 1.005)
        place.set_title(f"{title}: one label in {result.single_sets:.0%} of sets")
        place.legend(frameon=False, fontsize=8, loc="lower right")
    axes[0][0].set_ylabel("true label in the set")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
