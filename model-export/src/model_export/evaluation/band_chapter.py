"""The chapter on the intervals of volumes and diameters."""

from functools import partial

from matplotlib.figure import Figure

from model_export.evaluation.band_result import BandPoint, BandResult, BandsEvaluation, Coverage, FormRow
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.sections import CardFigures, Cell, Chart, Section, Table
from model_export.evaluation.style import BLUE, INK, ORANGE, new_figure

METHOD = (
    "A boundary band says how far an outline may lie from the true one: the true volume is within that of the outline, "
    "plus or minus the band's mm times the outline's surface (the exposed faces of its voxels), a diameter within "
    "plus or minus the band's mm; the largest lesion's two diameters share one bound. The bounds are split conformal "
    "quantiles over patients: of n errors the ceil((n + 1) coverage)-th smallest. A bound of its own for each end of "
    "the volume is shown beside: narrower where a network errs to one side, but on another data set it need not, and "
    "so it is not published."
)
WORTH = (
    "The share covered is found by leaving out one patient at a time and fitting the band on the others. That it comes "
    "near the nominal coverage follows from the method; what the data decide is the width. Where a band of the other "
    "folds' patients covers a fold as well, the networks' errors are alike. A share's interval is Wilson's, 95 %."
)
SOURCES = (
    "Fitted on BraTS cases alone, whose voxels have a size: LGG's slices carry no spacing, so that their errors in mm "
    "are not known and they are left out. Slices thicker than 1 mm are not among them."
)


def band_section(result: BandsEvaluation) -> Section:
    """The chapter, and what of it goes into the cards."""
    return Section(
        title="How far a volume or a diameter may be off",
        intro=(METHOD, *(_headline(model) for model in result.models), WORTH, SOURCES),
        tables=tuple(table for model in result.models for table in (_forms_table(model), _sources_table(model))),
        charts=tuple(
            Chart(
                f"{model.name}: the true value against the interval",
                partial(draw_intervals, model),
                "Intervals of volume and longest diameter over the true value; those that miss it are orange.",
            )
            for model in result.models
            if model.points
        ),
        cards={model.name: _card(model) for model in result.models},
    )


def _headline(model: BandResult) -> str:
    band = model.band
    text = (
        f"**{model.name}**: volume plus or minus {band.volume_mm:.2f} mm times the surface, diameters plus or minus "
        f"{band.diameter_mm:.1f} mm, at a coverage of {band.coverage:g}, from {model.patients} patients."
    )
    if model.empty:
        text += f" In {model.empty} more nothing was outlined: they get no interval, here as in service."
    if model.largest_error:
        text += (
            f" With {model.patients} patients the bound is their largest error: no more than n / (n + 1) = "
            f"{model.attainable:.3f} can be promised, the patient with that error is the only one to miss when left "
            "out, and one more patient may change the bound much."
        )
    return text


def _forms_table(model: BandResult) -> Table:
    return Table(
        (
            "measure", "in", "minus", "plus", "covered, one left out", "covered", "covered, a fold left out",
            "mean relative width", "published",
        ),
        tuple(_form_cells(row) for row in model.forms),
        title=f"{model.name}: the published forms and others",
        note="The width is that of the intervals by one patient left out, over the value that was found.",
    )  # fmt: skip


def _form_cells(row: FormRow) -> tuple[Cell, ...]:
    counts = "" if row.left_out is None else f"{row.left_out.covered} of {row.left_out.patients}"
    return (
        row.measure, row.form, row.below, row.above, _share(row.left_out), counts, _share(row.by_fold),
        row.relative_width, "yes" if row.published else "",
    )  # fmt: skip


def _sources_table(model: BandResult) -> Table:
    return Table(
        ("source", "measure", "covered, one left out", "mean relative width"),
        tuple((row.source, row.measure, _share(row.left_out), row.relative_width) for row in model.sources),
        title=f"{model.name}: by source",
    )


def _share(found: Coverage | None) -> Estimate | None:
    if found is None:
        return None
    return Estimate(value=found.value, low=found.low, high=found.high, slices=found.patients, groups=found.patients)


def _card(model: BandResult) -> CardFigures:
    summary: dict[str, Estimate | float] = {}
    for row in model.forms:
        if row.published and (share := _share(row.left_out)) is not None and row.relative_width is not None:
            summary[f"interval_coverage_{row.measure}"] = share
            summary[f"interval_relative_width_{row.measure}"] = row.relative_width
    return CardFigures(summary=summary)


def draw_intervals(model: BandResult) -> Figure:
    """Each patient's interval over the true value: those that meet the diagonal cover it."""
    measures = {"volume": "volume (ml)", "diameters": "longest diameter (mm)"}
    figure, axes = new_figure(len(measures), width=4.4, height=3.8)
    for panel, (measure, label) in zip(axes, measures.items(), strict=True):
        points = [point for point in model.points if point.measure == measure]
        for point in points:
            color = BLUE if _covers(point) else ORANGE
            panel.plot([point.true, point.true], [point.low, point.high], color=color, linewidth=2, alpha=0.6)
            panel.plot(point.true, point.found, "o", color=color, markersize=4)
        top = 1.05 * max(max(point.high, point.true) for point in points)
        panel.plot([0, top], [0, top], color=INK, linewidth=1, linestyle=":")
        panel.set_xlabel(f"true {label}")
        panel.set_ylabel("found, and its interval")
    return figure


def _covers(point: BandPoint) -> bool:
    return point.low <= point.true <= point.high
