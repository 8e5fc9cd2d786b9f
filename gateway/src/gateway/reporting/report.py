"""The analysis as one printable page: HTML without scripts and without a single outside request."""

import base64
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from gateway.reporting.measure import Measurements
from gateway.reporting.overlay import TUMOR_NAMES
from gateway.schemas import FinishedAnalysis

STAGE_NAMES = {"view": "View", "tumor": "Tumor type", "clinical": "Clinical data", "segmentation": "Outline"}
SEQUENCE_NAMES = {"t1": "T1", "t1ce": "T1 with contrast", "t2": "T2", "flair": "FLAIR"}


_CATEGORIES = ("gender_", "histology_", "race_", "ethnicity_")


@dataclass(frozen=True, slots=True)
class Bar:
    """One probability: `percent` is 0..100; `chosen` is the label, `plausible` is in the prediction set."""

    name: str
    percent: float
    chosen: bool
    plausible: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture of the report as a data: URI."""

    source: str
    caption: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of measures."""

    name: str
    value: str


def render_report(
    analysis: FinishedAnalysis,
    *,
    input_png: bytes,
    overlay_png: bytes | None = None,
    heatmap_png: bytes | None = None,
    heatmap_label: str | None = None,
    measurements: Measurements | None = None,
) -> str:
    """One A4 page of HTML; pictures are inline. `measurements` gives the pixel lengths where the spacing is unknown."""
    tumor = analysis.tumor
    return _template().render(
        analysis=analysis,
        headline=headline(analysis),
        lead=_lead(analysis),
        figures=_figures(input_png, overlay_png, heatmap_png, heatmap_label),
        tumor_bars=[] if tumor is None else _tumor_bars(analysis),
        prediction_set="" if tumor is None else ", ".join(TUMOR_NAMES[label].lower() for label in tumor.prediction_set),
        view_bars=_view_bars(analysis),
        measures=_measures(analysis, measurements),
        features=_features(analysis),
        substitutions=_substitutions(analysis),
        timings=_timings(analysis),
        stage_names=STAGE_NAMES,
        sequences=", ".join(SEQUENCE_NAMES[name] for name in analysis.input.sequences),
    )


def headline(analysis: FinishedAnalysis) -> str:
    """The answer in a few words."""
    if analysis.tumor is None or analysis.verdict == "refuse":
        return "No answer"
    if analysis.tumor.label == "no_tumor":
        return "No tumor found" if analysis.verdict == "answer" else "No tumor is the likeliest finding"
    if analysis.tumor.label == "tumor":
        return "A tumor, of a type that the model does not name, is the likeliest finding"
    return f"{TUMOR_NAMES[analysis.tumor.label]} is the likeliest finding"


def _lead(analysis: FinishedAnalysis) -> str:
    tumor = analysis.tumor
    if tumor is None:
        return "The slice was not classified."
    present = f"The probability that the slice shows a tumor is {_percent(tumor.present_probability)}."
    if analysis.verdict == "answer":
        return f"{present} Nothing speaks against the answer."
    if analysis.verdict == "refuse":
        return "The findings on this page add up to no answer and must not be used as one:"
    return f"{present} A reader must look before this is used:"


def _figures(
    input_png: bytes, overlay_png: bytes | None, heatmap_png: bytes | None, heatmap_label: str | None
) -> list[Figure]:
    if overlay_png is None:
        figures = [Figure(_inline(input_png), "The scan. No outline was drawn.")]
    else:
        figures = [Figure(_inline(overlay_png), "The scan with the outline and its two diameters.")]
    if heatmap_png is not None:
        name = "a tumor" if heatmap_label == "tumor" else TUMOR_NAMES.get(heatmap_label or "", "the label").lower()
        figures.append(Figure(_inline(heatmap_png), f"Where the classifier saw evidence for {name}. Not an outline."))
    return figures


def _tumor_bars(analysis: FinishedAnalysis) -> list[Bar]:
    tumor = analysis.tumor
    if tumor is None:
        return []
    bars = [
        Bar(TUMOR_NAMES[label], 100 * share, chosen=label == tumor.label, plausible=label in tumor.prediction_set)
        for label, share in tumor.probabilities.items()
    ]
    return sorted(bars, key=lambda bar: -bar.percent)


def _view_bars(analysis: FinishedAnalysis) -> list[Bar]:
    view = analysis.view
    if view is None:
        return []
    return [
        Bar(label.capitalize(), 100 * share, chosen=label == view.label, plausible=label == view.label)
        for label, share in sorted(view.probabilities.items())
    ]


def _measures(analysis: FinishedAnalysis, found: Measurements | None) -> list[Row]:
    outline = analysis.segmentation
    if outline is None or outline.area_px == 0:
        return []
    area = f"{outline.area_px} px" if outline.area_mm2 is None else f"{outline.area_mm2:.0f} mm² ({outline.area_px} px)"
    rows = [Row("Area", area)]
    longest, across = outline.longest_diameter_mm, outline.perpendicular_diameter_mm
    if longest is not None and across is not None:
        rows += [Row("Longest diameter", f"{longest:.1f} mm"), Row("Perpendicular diameter", f"{across:.1f} mm")]
        rows.append(Row("Product of diameters", f"{longest * across:.0f} mm²"))
    elif found is not None:
        rows.append(Row("Longest diameter", f"{found.longest_diameter_px:.1f} px"))
        rows.append(Row("Perpendicular diameter", f"{found.perpendicular_diameter_px:.1f} px"))
    if found is not None and found.components > 1:
        rows.append(Row("Separate parts", str(found.components)))
    top, left, bottom, right = outline.bounding_box
    rows.append(Row("Box", f"rows {top}\u2013{bottom - 1}, col. {left}\u2013{right - 1}"))
    return rows


def _features(analysis: FinishedAnalysis) -> list[str]:
    """The features that are set: a category by its name, a number with its value."""
    if analysis.clinical is None:
        return []
    given = {name: value for name, value in analysis.clinical.features.items() if not name.endswith("_missing")}
    return [
        _words(name) if name.startswith(_CATEGORIES) else f"{_words(name)} {value:.3g}"
        for name, value in given.items()
        if value != 0
    ]


def _substitutions(analysis: FinishedAnalysis) -> list[str]:
    outline = analysis.segmentation
    if outline is None:
        return []
    names = SEQUENCE_NAMES
    return [
        f"{names.get(a, a)} was not sent: {names.get(b, b)} stood in for it" for a, b in outline.substituted.items()
    ]


def _timings(analysis: FinishedAnalysis) -> list[Row]:
    spans = analysis.timings_ms
    named = (
        ("decode", spans.decode),
        ("view", spans.view),
        ("tumor type", spans.tumor),
        ("clinical data", spans.clinical),
        ("outline", spans.segmentation),
        ("in all", spans.total),
    )
    return [Row(name, f"{value:.1f} ms") for name, value in named if value is not None]


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gateway.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["words"] = _words
    return environment.get_template("report.html.j2")


def _percent(share: float) -> str:
    """A probability for reading: never a bare 0 % or 100 %, which no model knows."""
    if 0 < share < 0.001:
        return "under 0.1\u00a0%"
    if 0.999 < share < 1:
        return "over 99.9\u00a0%"
    return f"{100 * share:.1f}\u00a0%"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
