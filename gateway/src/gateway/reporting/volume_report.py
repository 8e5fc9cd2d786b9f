"""The report on a series or a volume."""

from gateway.reporting.content import Figure, Note, Report, Row, Section, Table
from gateway.reporting.reviews import origin, review_sections
from gateway.reporting.sections import clinical_section, models_section, substitutions, tumor_section, view_section
from gateway.reporting.wording import SEQUENCE_NAMES, evidence_caption, format_name, headline, label_words, lead
from gateway.schemas import FinishedAnalysis
from gateway.volume_findings import VolumeFindings
from gateway.volume_schemas import Interval, Point, VolumeSummary

_KEY_SLICE = (
    "Type, probabilities and heat map are those of the key slice{place}. The promised coverage was fitted on single "
    "slices, not on whole volumes."
)
_RANO = (
    "Diameters of the largest lesion as RANO measures them: on the axial slice where its area is largest, the longest "
    "distance of two border points, and the longest at right angles to it."
)
_BORDER = "Volumes are voxels times the volume of one."


def volume_report(
    findings: VolumeFindings, *, overlay_png: bytes, key_png: bytes, heatmap_png: bytes | None = None
) -> Report:
    """One to two pages. `key_png` is the key slice as it was classified, for where there is no heat map of it."""
    analysis = findings.analysis
    return Report(
        analysis_id=analysis.id,
        created_at=analysis.created_at,
        subject=f"one {analysis.input.kind}",
        verdict=analysis.verdict or "refuse",
        headline=headline(analysis),
        lead=lead(analysis, "key slice"),
        reasons=tuple(reason.detail for reason in analysis.reasons),
        figures=_figures(findings, overlay_png, key_png, heatmap_png),
        left=(tumor_section(analysis, Note(_key_slice(analysis))), clinical_section(analysis)),
        right=(_measures(analysis), view_section(analysis)),
        below=(
            *review_sections(analysis),
            *_lesions(analysis, oriented=findings.grid.oriented),
            models_section(analysis, _source(findings)),
        ),
        disclaimer=analysis.disclaimer,
        origin=origin(analysis),
    )


def _figures(
    findings: VolumeFindings, overlay_png: bytes, key_png: bytes, heatmap_png: bytes | None
) -> tuple[Figure, ...]:
    if findings.labels is None:
        planes = "The middle slices of three planes. No outline was drawn."
    else:
        planes = (
            "Three planes through the largest lesion with the outline and the two diameters; below, axial slices "
            "through the outline."
        )
    key = Figure(key_png, "The key slice.")
    figures = (Figure(overlay_png, planes, wide=True), key)
    if heatmap_png is None:
        return figures
    label = None if findings.saliency is None else findings.saliency.label
    return (*figures, Figure(heatmap_png, evidence_caption(label)))


def _key_slice(analysis: FinishedAnalysis) -> str:
    key = analysis.key_slice
    place = "" if key is None else f" ({key.plane} {key.index}, of {key.of} counted from 0)"
    return _KEY_SLICE.format(place=place)


def _measures(analysis: FinishedAnalysis) -> Section:
    title = "Measures of the outline"
    volume = None if analysis.segmentation is None else analysis.segmentation.volume
    if volume is None:
        return Section(title, lead=(Note("The outline was not asked for, or is not available.", "faint"),))
    if volume.voxels == 0:
        return Section(title, lead=(Note("Nothing was outlined.", "faint"),))
    rows = [Row("Volume", _with(f"{volume.volume_ml:.1f} ml", volume.volume_ml_interval))]
    if len(volume.labels) > 1:
        rows += [Row(label_words(name), f"{label.volume_ml:.1f} ml") for name, label in volume.labels.items()]
    if volume.lesions:
        largest = volume.lesions[0]
        longest, across = f"{largest.longest_diameter_mm:.1f} mm", f"{largest.perpendicular_diameter_mm:.1f} mm"
        rows += [
            Row("Longest diameter", _with(longest, volume.longest_diameter_mm_interval)),
            Row("Perpendicular diameter", _with(across, volume.perpendicular_diameter_mm_interval)),
            Row("Product of diameters (RANO)", f"{largest.product_mm2:.0f} mm²"),
        ]
    if sum(lesion.measurable for lesion in volume.lesions) > 1:
        rows.append(Row("Sum of products (RANO)", f"{volume.sum_of_products_mm2:.0f} mm²"))
    rows.append(Row("Lesions", str(volume.lesion_count)))
    rows.append(Row("Side", _side(volume)))
    rows.append(Row("Extent along the axes", " x ".join(f"{length:.0f}" for length in volume.extent_mm) + " mm"))
    return Section(title, rows=tuple(rows), notes=(Note(f"{_RANO} {_BORDER} {_intervals(volume)}"),))


def _with(value: str, interval: Interval | None) -> str:
    return value if interval is None else f"{value} ({interval.low:.1f}\u2013{interval.high:.1f})"


def _intervals(volume: VolumeSummary) -> str:
    known = volume.volume_ml_interval or volume.longest_diameter_mm_interval
    if known is None:
        return "How far they may be off was not fitted for this model."
    return (
        f"Ranges in brackets held the true value in {known.coverage * 100:g}\u00a0% of the patients that were kept "
        "back from training."
    )


def _side(volume: VolumeSummary) -> str:
    if volume.side is None:
        return "not known"
    share = volume.right_share
    if share is None:
        return volume.side
    if volume.side == "midline":
        return f"midline ({_whole_percent(share)} on the right)"
    return f"{volume.side} ({_whole_percent(share if volume.side == 'right' else 1 - share)} of it)"


def _whole_percent(share: float) -> str:
    return f"{share * 100:.0f}\u00a0%"


def _lesions(analysis: FinishedAnalysis, *, oriented: bool) -> tuple[Section, ...]:
    volume = None if analysis.segmentation is None else analysis.segmentation.volume
    if volume is None or not volume.lesions:
        return ()
    header = ["Lesion", "Volume", "Axial slice", "Diameters", "Product", "Measurable (RANO)"]
    lines = []
    for number, one in enumerate(volume.lesions, 1):
        line = [
            str(number),
            f"{one.volume_ml:.1f} ml",
            str(one.axial_slice),
            f"{one.longest_diameter_mm:.1f} x {one.perpendicular_diameter_mm:.1f} mm",
            f"{one.product_mm2:.0f} mm²",
            "yes" if one.measurable else "no",
        ]
        lines.append(tuple([*line, _place(one.centroid_mm)] if oriented else line))
    if oriented:
        header.append("Center")
    left_out = volume.lesion_count - len(volume.lesions)
    notes = (Note(f"{left_out} smaller ones are not listed."),) if left_out > 0 else ()
    return (Section("Lesions", table=Table(tuple(header), tuple(lines)), notes=notes),)


def _place(center_mm: Point) -> str:
    """Millimeters from the scanner's origin, in directions of the patient."""
    ends = (("R", "L"), ("A", "P"), ("S", "I"))
    return ", ".join(
        f"{abs(value):.0f} {positive if value >= 0 else negative}"
        for value, (positive, negative) in zip(center_mm, ends, strict=True)
    )


def _source(findings: VolumeFindings) -> str:
    analysis, grid = findings.analysis, findings.grid
    i, j, k = grid.shape
    axes = f"axes {grid.axis_codes}" if grid.oriented else "the file does not say how its axes lie"
    if grid.oriented and grid.oblique_deg >= 1:
        axes += f", oblique by {grid.oblique_deg:.0f}\u00b0"
    names = [SEQUENCE_NAMES[name] for name in analysis.input.sequences]
    primary = SEQUENCE_NAMES[findings.primary]
    classified = f", of which {primary} was classified" if len(names) > 1 else ""
    first = (
        f"{format_name(analysis.input.format)}, {i} x {j} x {k} voxels of "
        f"{' x '.join(f'{step:.3g}' for step in grid.spacing_mm)} mm, {axes}, {', '.join(names)}{classified}, "
        f"SHA-256 {analysis.input.sha256[:16]}"
    )
    return ". ".join([first, *substitutions(analysis)])
