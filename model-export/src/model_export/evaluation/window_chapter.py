"""The chapter on how the window slides over a volume."""

from functools import partial

from matplotlib.figure import Figure

from model_export.evaluation.sections import Chart, Section, Table
from model_export.evaluation.style import BLUE, ORANGE, new_figure
from model_export.evaluation.window_choice import TOLERANCE, Window, WindowResult

_AXES = "xyz"


def window_section(result: WindowResult) -> Section:
    """Dice against CPU seconds, and which window the rule takes."""
    cases = result.rows[0].dice.groups
    return Section(
        title="How the window slides: Dice against CPU seconds",
        intro=(
            f"{result.name} on {cases} test cases of one fold, whole volumes, by how far apart the tiles lie and "
            f"whether they are mirrored. By rule the cheapest window within {TOLERANCE:g} of the best mean Dice is "
            f"published: **{_words(result.chosen)}**.",
        ),
        tables=(
            Table(
                ("window", "mean Dice of the regions", "CPU s a case", "taken"),
                tuple(
                    (_words(row.window), row.dice, row.cpu_s, "yes" if row.window == result.chosen else "")
                    for row in result.rows
                ),
                note="CPU seconds belong to the machine that measured, ratios travel better.",
            ),
        ),
        charts=(
            Chart(
                "Dice against CPU seconds",
                partial(_draw, result),
                "Mean Dice of each window over its CPU seconds a case; the one that is taken is orange.",
            ),
        ),
    )


def _words(window: Window) -> str:
    mirrored = "".join(_AXES[axis] for axis in window.mirrored)
    return f"step {window.step:g}" + (f", mirrored in {mirrored}" if mirrored else "")


def _draw(result: WindowResult) -> Figure:
    figure, (axes,) = new_figure(1, width=6.4, height=3.6)
    for row in result.rows:
        axes.plot(row.cpu_s, row.dice.value, "o", color=ORANGE if row.window == result.chosen else BLUE, markersize=7)
        axes.annotate(_words(row.window), (row.cpu_s, row.dice.value), (5, 4), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("CPU seconds a case")
    axes.set_ylabel("mean Dice of the regions")
    return figure
