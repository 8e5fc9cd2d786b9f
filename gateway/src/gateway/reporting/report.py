"""The report on a slice."""

from gateway.reporting.content import Figure, Note, Report, Row, Section
from gateway.reporting.measure import Measurements
from gateway.reporting.reviews import origin, review_sections
from gateway.reporting.sections import clinical_section, models_section, substitutions, tumor_section, view_section
from gateway.reporting.wording import SEQUENCE_NAMES, evidence_caption, format_name, headline, lead
from gateway.schemas import FinishedAnalysis

_DIAMETERS = (
    "Diameters of the largest part, in the plane of the slice: the longest between two points of the outline, and the "
    "longest at right angles to it."
)
_NO_SPACING = "The file gives no pixel spacing, so lengths are in pixels."


def slice_report(
    analysis: FinishedAnalysis,
    *,
    input_png: bytes,
    overlay_png: bytes | None = None,
    heatmap_png: bytes | None = None,
    heatmap_label: str | None = None,
    measurements: Measurements | None = None,
) -> Report:
    """One page. `measurements` gives the pixel lengths where the spacing is unknown."""
    return Report(
        analysis_id=analysis.id,
        created_at=analysis.created_at,
        subject=f"one {analysis.input.kind}",
        verdict=analysis.verdict or "refuse",
        headline=headline(analysis),
        lead=lead(analysis),
        reasons=tuple(reason.detail for reason in analysis.reasons),
        figures=_figures(input_png, overlay_png, heatmap_png, heatmap_label),
        left=(tumor_section(analysis), clinical_section(analysis)),
        right=(_measures(analysis, measurements), view_section(analysis)),
        below=(
            *review_sections(analysis),
            models_section(analysis, _source(analysis)),
        ),
        disclaimer=analysis.disclaimer,
        origin=origin(analysis),
    )


def _figures(
    input_png: bytes, overlay_png: bytes | None, heatmap_png: bytes | None, heatmap_label: str | None
) -> tuple[Figure, ...]:
    if overlay_png is None:
        scan = Figure(input_png, "The scan. No outline was drawn.")
    else:
        scan = Figure(overlay_png, "The scan with the outline and its two diameters.")
    return (scan,) if heatmap_png is None else (scan, Figure(heatmap_png, evidence_caption(heatmap_label)))


def _measures(analysis: FinishedAnalysis, found: Measurements | None) -> Section:
    title = "Measures of the outline"
    outline = analysis.segmentation
    if outline is None:
        return Section(title, lead=(Note("The outline was not asked for, or is not available.", "faint"),))
    if outline.area_px == 0:
        return Section(title, lead=(Note("Nothing was outlined.", "faint"),))
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
    note = _DIAMETERS if analysis.input.spacing_mm else f"{_DIAMETERS} {_NO_SPACING}"
    return Section(title, rows=tuple(rows), notes=(Note(note),))


def _source(analysis: FinishedAnalysis) -> str:
    sent = analysis.input
    spacing = "spacing not known"
    if sent.spacing_mm is not None:
        spacing = f"spacing {sent.spacing_mm[0]:.3g} x {sent.spacing_mm[1]:.3g} mm"
    sequences = ", ".join(SEQUENCE_NAMES[name] for name in sent.sequences)
    first = (
        f"{format_name(sent.format)}, {sent.rows} x {sent.columns} pixels (rows x columns), {spacing}, {sequences}, "
        f"SHA-256 {sent.sha256[:16]}"
    )
    return ". ".join([first, *substitutions(analysis)])
