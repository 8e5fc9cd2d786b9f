"""Charts of the segmentation models. Plots only, never a patient's slice."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.segmentation import BlandAltman, FilmDifference, MaskRow, PatientRow
from model_export.evaluation.style import BLUE, COLORS, GRAY, INK, ORANGE, named, new_figure

_BINS = np.linspace(0, 1, 21)
_TITLE_WIDTH = 30


def draw_dice(rows: Sequence[MaskRow | PatientRow], unit: str) -> Figure:
    """A histogram of Dice a row; mean, median and (where known) the experts' agreement are lines."""
    figure, axes = new_figure(len(rows), width=3.1, height=2.9)
    for panel, row, color in zip(axes, rows, COLORS * 2, strict=False):
        panel.hist(row.values, bins=_BINS.tolist(), color=color, alpha=0.8, edgecolor="white")
        panel.axvline(row.dice.value, color=INK, linewidth=1.5, label=f"mean {row.dice.value:.2f}")
        panel.axvline(row.median_dice, color=INK, linewidth=1.5, linestyle=":", label=f"median {row.median_dice:.2f}")
        experts = row.experts if isinstance(row, MaskRow) else None
        if experts is not None:
            panel.axvline(experts, color=GRAY, linewidth=1.8, linestyle="--", label=f"two experts {experts:.2f}")
        panel.set_title(f"{textwrap.fill(named(row.label), _TITLE_WIDTH)}\nn = {len(row.values)}")
        panel.set_xlabel("Dice")
        panel.set_xlim(0, 1)
        panel.legend(loc="upper left")
    axes[0].set_ylabel(unit)
    return figure


def draw_forest(
    rows: Sequence[tuple[str, Estimate]],
    label: str,
    *,
    zero: bool = False,
    marks: Sequence[float | None] = (),
    mark_label: str = "",
) -> Figure:
    """Figures with their 95 % intervals, one a line; `zero` draws the line of no difference, `marks` crosses beside."""
    figure, (axes,) = new_figure(1, width=7.2, height=0.34 * len(rows) + 1.0)
    forest(axes, [name for name, _ in rows], [estimate for _, estimate in rows], zero=zero)
    shown = [(mark, at) for at, mark in enumerate(marks) if mark is not None]
    if shown:
        axes.plot([m for m, _ in shown], [at for _, at in shown], "D", color=ORANGE, markersize=6, label=mark_label)
        axes.legend(loc="lower left")
    axes.set_xlabel(label)
    return figure


def forest(axes: Axes, names: Sequence[str], estimates: Sequence[Estimate], *, zero: bool = False) -> None:
    """Points with intervals on given axes, first row at the top."""
    at = np.arange(len(names))
    for place, estimate in zip(at, estimates, strict=True):
        axes.plot([estimate.low, estimate.high], [place, place], color=BLUE, linewidth=2.4, alpha=0.5)
        axes.plot(estimate.value, place, "o", color=BLUE, markersize=6)
        text = f"{estimate.value:+.3f}" if zero else f"{estimate.value:.3f}"
        axes.annotate(text, (1.01, float(place)), xycoords=("axes fraction", "data"), va="center", color=INK)
    if zero:
        axes.axvline(0.0, color=INK, linewidth=1.0)
    axes.set_yticks(at, [named(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color=GRAY, alpha=0.25)


def draw_bland_altman(panels: Sequence[BlandAltman]) -> Figure:
    """Difference against mean of found and true volume, with bias and limits of agreement."""
    figure, axes = new_figure(len(panels), width=5.0, height=3.4)
    for panel, found in zip(axes, panels, strict=True):
        panel.scatter(found.means, found.differences, s=18, color=BLUE, alpha=0.75, edgecolor="white", linewidth=0.4)
        panel.axhline(0.0, color=GRAY, linewidth=0.8)
        lines = (
            (found.bias.value, f"bias {found.bias.value:+,.1f} {found.unit}", INK, "-"),
            (found.upper_limit, f"+1.96 SD {found.upper_limit:+,.1f}", ORANGE, "--"),
            (found.lower_limit, f"-1.96 SD {found.lower_limit:+,.1f}", ORANGE, "--"),
        )
        for value, label, color, style in lines:
            panel.axhline(value, color=color, linewidth=1.4, linestyle=style, label=label)
        panel.set_xlabel("mean of found and true volume (px)")
        panel.set_ylabel(f"found minus true ({found.unit})")
        panel.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, columnspacing=1.2, handlelength=1.5)
    return figure


def draw_differences(rows: Sequence[FilmDifference]) -> Figure:
    """Paired differences of patients' Dice between arms."""
    names = [f"{row.first}\nminus {row.second}" for row in rows]
    figure, (axes,) = new_figure(1, width=8.2, height=0.62 * len(rows) + 0.9)
    forest(axes, names, [row.difference for row in rows], zero=True)
    axes.set_xlabel("mean difference of Dice a patient, 95 % bootstrap interval")
    return figure
