"""Findings to files, by the artifact's name."""

from collections.abc import Callable
from types import MappingProxyType

from gateway.findings import Findings
from gateway.reporting.content import Report
from gateway.reporting.evidence import render_evidence
from gateway.reporting.heatmap import render_heatmap, render_saliency
from gateway.reporting.html import render_html
from gateway.reporting.measure import Measurements, measure
from gateway.reporting.overlay import render_overlay
from gateway.reporting.pdf import render_pdf
from gateway.reporting.pictures import render_input, render_mask
from gateway.reporting.report import slice_report
from gateway.reporting.thumbnail import render_thumbnail
from gateway.volume_findings import VolumeFindings
from gateway.volume_rendering import render_volume


def render(name: str, findings: Findings | VolumeFindings) -> bytes:
    """The bytes of the artifact `name`, which `gateway.artifacts` says that these findings have."""
    if isinstance(findings, VolumeFindings):
        return render_volume(name, findings)
    return _RENDERERS[name](findings)


def _input(findings: Findings) -> bytes:
    return render_input(findings.pixels)


def _mask(findings: Findings) -> bytes:
    assert findings.mask is not None  # noqa: S101 - available() says so
    return render_mask(findings.mask)


def _overlay(findings: Findings) -> bytes:
    assert findings.mask is not None  # noqa: S101 - available() says so
    tumor = findings.analysis.tumor
    return render_overlay(
        findings.pixels,
        findings.mask,
        spacing_mm=findings.analysis.input.spacing_mm,
        label=tumor.label if tumor else None,
        probability=tumor.probabilities[tumor.label] if tumor else None,
    )


def _heatmap(findings: Findings) -> bytes:
    saliency = findings.saliency
    assert saliency is not None  # noqa: S101 - available() says so
    return render_heatmap(
        findings.pixels,
        saliency.values,
        saliency.extent,
        label=saliency.label,
        spacing_mm=findings.analysis.input.spacing_mm,
    )


def _saliency(findings: Findings) -> bytes:
    saliency = findings.saliency
    assert saliency is not None  # noqa: S101 - available() says so
    rows, columns = findings.pixels.shape
    return render_saliency(saliency.values, saliency.extent, (rows, columns))


def _thumbnail(findings: Findings) -> bytes:
    return render_thumbnail(findings.pixels, findings.mask, findings.analysis.input.spacing_mm)


def _report(findings: Findings) -> Report:
    return slice_report(
        findings.analysis,
        input_png=_input(findings),
        overlay_png=None if findings.mask is None else _overlay(findings),
        heatmap_png=None if findings.saliency is None else _heatmap(findings),
        heatmap_label=_heatmap_label(findings),
        measurements=_measurements(findings),
    )


def _evidence(findings: Findings) -> bytes:
    return render_evidence(
        findings.analysis, measurements=_measurements(findings), heatmap_label=_heatmap_label(findings)
    )


def _measurements(findings: Findings) -> Measurements | None:
    return None if findings.mask is None else measure(findings.mask, findings.analysis.input.spacing_mm)


def _heatmap_label(findings: Findings) -> str | None:
    return None if findings.saliency is None else findings.saliency.label


_RENDERERS: MappingProxyType[str, Callable[[Findings], bytes]] = MappingProxyType(
    {
        "input.png": _input,
        "mask.png": _mask,
        "overlay.png": _overlay,
        "heatmap.png": _heatmap,
        "report.html": lambda findings: render_html(_report(findings)).encode(),
        "report.pdf": lambda findings: render_pdf(_report(findings)),
        "evidence.json": _evidence,
        "saliency.png": _saliency,
        "thumbnail.png": _thumbnail,
    }
)
