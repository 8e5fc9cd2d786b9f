"""The report's chapter on distortions."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from model_export.datasets.split import Fold
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.predictions import PublishedModel
from model_export.evaluation.robustness import FIGURES, Networks, Robustness, measure_robustness
from model_export.evaluation.robustness_set import lgg_sample, t1_sample
from model_export.evaluation.sections import CardFigures, Cell, Chart, Part, PartMissing, Place, Section, Table
from model_export.evaluation.style import BLUE, GRAY, INK, ORANGE, new_figure
from service_kit.errors import ModelInvalid

FOLD = Fold(0)
_SLICES = 300
_OF_MODEL = {"view": FIGURES[:1], "tumor": FIGURES[1:3], "seg-t1": FIGURES[3:4], "seg-flair-film": FIGURES[4:]}


def measure(place: Place) -> Robustness:
    """With the networks of fold 0 on a sample of its test patients; on one thread, because others measure too."""
    return measure_robustness(
        Networks(
            view=open_fold(place, "view"),
            tumor=open_fold(place, "tumor"),
            seg_t1=open_fold(place, "seg-t1"),
            film=_film(place),
        ),
        t1_sample(place.root, FOLD, _SLICES),
        lgg_sample(place.root, FOLD),
        seed=FOLD.seed,
        report=place.report,
    )


def open_fold(place: Place, name: str) -> PublishedModel:
    """A model of fold 0. Raises `PartMissing` where it was not made yet."""
    try:
        return PublishedModel.open(place.cache / "folds" / str(FOLD.index), name, threads=1)
    except ModelInvalid as error:
        raise PartMissing(f"{error.detail}: model-export train {name}, then model-export predict {name}") from error


def _film(place: Place) -> PublishedModel | None:
    try:
        return open_fold(place, "seg-flair-film")
    except PartMissing as missing:
        place.report(str(missing))
        return None


def render(result: Robustness) -> Section:
    """The chapter: a table of what is left, a chart of what is lost."""
    names = [name for name in FIGURES if name in result.clean]
    worst = {name: min(result.rows, key=lambda row: row.changes[name].value) for name in names}
    rows: list[tuple[Cell, ...]] = [("none", *(result.clean[name] for name in names))]
    changes: list[tuple[Cell, ...]] = [(row.distortion, *(row.changes[name] for name in names)) for row in result.rows]
    return Section(
        title="Robustness: what distortions cost",
        intro=(
            f"The networks of fold 0 on {result.slices} seeded, stratified test slices of T1 (and {result.lgg_slices} "
            "tumor slices of LGG, three a patient, with an empty record), each judged as it is and distorted; the "
            "truth moves with the picture, and the mask of a smaller picture is enlarged to the truth's grid. Models, "
            "preprocessing and mask cut are those that the services use.",
            "Worst of each: "
            + "; ".join(f"{n}: {w.distortion} ({w.changes[n].value:+.3f})" for n, w in worst.items())
            + ".",
        ),
        tables=(
            Table(("undistorted", *names), tuple(rows)),
            Table(
                ("distortion", *names),
                tuple(changes),
                title="Change against the undistorted slices",
                note="Paired differences with 95 % group-bootstrap intervals; below zero is a loss.",
            ),
        ),
        charts=(
            Chart(
                "Change under each distortion",
                partial(draw_changes, result),
                "One panel a figure, one line a distortion; the change with its interval, orange where all of the "
                "interval is a loss.",
            ),
        ),
        cards={model: _card(result, figures) for model, figures in _OF_MODEL.items() if figures[0] in result.clean},
    )


def draw_changes(result: Robustness) -> Figure:
    """One panel a figure: the change with its interval, a line a distortion."""
    names = [name for name in FIGURES if name in result.clean]
    figure, panels = new_figure(len(names), width=2.55, height=0.27 * len(result.rows) + 1.1)
    at = np.arange(len(result.rows))
    for panel, name in zip(panels, names, strict=True):
        for place, row in zip(at, result.rows, strict=True):
            found = row.changes[name]
            color = ORANGE if found.high < 0 else BLUE
            panel.plot([found.low, found.high], [place, place], color=color, linewidth=2.2, alpha=0.5)
            panel.plot(found.value, place, "o", color=color, markersize=5)
        panel.axvline(0.0, color=INK, linewidth=0.9)
        panel.set_ylim(len(at) - 0.5, -0.5)
        panel.set_yticks(at, [row.distortion for row in result.rows] if panel is panels[0] else [""] * len(at))
        panel.grid(axis="x", color=GRAY, alpha=0.25)
        panel.set_title(f"{name}\n{result.clean[name].value:.3f} undistorted", fontsize=9)
    panels[0].set_xlabel("change")
    return figure


def _card(result: Robustness, figures: tuple[str, ...]) -> CardFigures:
    def flat(row_changes: dict[str, Estimate], label: str) -> dict[str, str | int | float | None]:
        return {"label": label, **{f"{name}, change": row_changes[name].value for name in figures}}

    return CardFigures(tables={"under distortion": tuple(flat(row.changes, row.distortion) for row in result.rows)})


PARTS = (Part("robustness", Robustness, measure, render),)
