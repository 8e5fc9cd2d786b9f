"""The strip below a volume's pictures: what each color is and how much of it there is."""

from PIL import Image, ImageDraw

from gateway.reporting.canvas import DISCLAIMER, load_font, write_unit
from gateway.reporting.colors import DIAMETER, LABELS, OUTLINE, QUIET_TEXT, STRIP, Color
from gateway.reporting.overlay import TUMOR_NAMES
from gateway.reporting.wording import label_words
from gateway.schemas import FinishedAnalysis
from gateway.volume_findings import VolumeFindings
from gateway.volume_schemas import VolumeSummary

_ZOOM = 1.4


def draw_legend(findings: VolumeFindings, width: int) -> Image.Image:
    """The labels in a row, the diameters, what the numbers are, and the disclaimer; `width` wide."""
    analysis = findings.analysis
    outline = analysis.segmentation
    volume = None if outline is None else outline.volume
    lines: list[tuple[list[tuple[Color | None, str]], str]] = [_first(analysis, volume)]
    if volume is not None and volume.lesions:
        lines.append(_diameters(volume))
    lines.append(([], f"{_what(findings)} {DISCLAIMER}"))
    line, pad = round(24 * _ZOOM), round(12 * _ZOOM)
    strip = Image.new("RGB", (width, line * len(lines) + pad + pad // 2), STRIP)
    draw = ImageDraw.Draw(strip)
    font, small = load_font(14.5 * _ZOOM), load_font(12 * _ZOOM)
    y = pad + line // 2
    for entries, quiet in lines:
        x: float = pad
        for color, text in entries:
            if color is not None:
                draw.rounded_rectangle((x, y - 3 * _ZOOM, x + 22 * _ZOOM, y + 3 * _ZOOM), 2 * _ZOOM, color)
                x += 30 * _ZOOM
            x = write_unit(draw, (x, y), text, font, _ZOOM) + 20 * _ZOOM
        draw.text((x, y), quiet, QUIET_TEXT, small, "lm")
        y += line
    return strip


def _first(analysis: FinishedAnalysis, volume: VolumeSummary | None) -> tuple[list[tuple[Color | None, str]], str]:
    tumor = analysis.tumor
    odds = ""
    if tumor is not None:
        name = TUMOR_NAMES.get(tumor.label, tumor.label)
        odds = f"{name} on the key slice, probability {tumor.probabilities[tumor.label]:.0%}"
    if volume is None or volume.voxels == 0:
        return [(None, "No tumor outlined")], odds
    order = [*(name for name in LABELS if name in volume.labels), *(n for n in volume.labels if n not in LABELS)]
    entries: list[tuple[Color | None, str]] = [
        (LABELS.get(name, OUTLINE), f"{label_words(name)} {volume.labels[name].volume_ml:.1f} ml") for name in order
    ]
    if len(entries) > 1:
        entries.append((None, f"in all {volume.volume_ml:.1f} ml"))
    return entries, odds


def _diameters(volume: VolumeSummary) -> tuple[list[tuple[Color | None, str]], str]:
    lesion = volume.lesions[0]
    lengths = f"{lesion.longest_diameter_mm:.0f} x {lesion.perpendicular_diameter_mm:.0f} mm"
    parts = f", the largest of {volume.lesion_count} lesions" if volume.lesion_count > 1 else ""
    quiet = f"longest diameter and the longest at right angles to it, axial slice {lesion.axial_slice}{parts}"
    return [(DIAMETER, lengths)], quiet


def _what(findings: VolumeFindings) -> str:
    if not findings.grid.oriented:
        return "The file does not say left and right: planes are a guess."
    return "Slices count from 0: from left, posterior or inferior. The patient's right is on the left."
