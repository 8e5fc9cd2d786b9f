"""Findings of a volume to files, by the artifact's name."""

from collections.abc import Callable
from types import MappingProxyType

from gateway.reporting.content import Report
from gateway.reporting.evidence import render_evidence
from gateway.reporting.heatmap import render_heatmap, render_saliency
from gateway.reporting.html import render_html
from gateway.reporting.pdf import render_pdf
from gateway.reporting.pictures import render_input
from gateway.reporting.thumbnail import render_thumbnail
from gateway.reporting.volume_nifti import encode_mask
from gateway.reporting.volume_overlay import render_volume_overlay
from gateway.reporting.volume_report import volume_report
from gateway.reporting.volume_slices import key_outline, key_picture
from gateway.volume_findings import VolumeFindings


def render_volume(name: str, findings: VolumeFindings) -> bytes:
    """The bytes of the artifact `name`, which `gateway.artifacts.volume_available` says that these findings have."""
    return _RENDERERS[name](findings)


def _input(findings: VolumeFindings) -> bytes:
    pixels, _ = key_picture(findings)
    return render_input(pixels)


def _mask(findings: VolumeFindings) -> bytes:
    assert findings.labels is not None  # noqa: S101 - volume_available() says so
    return encode_mask(findings.labels, findings.grid)


def _heatmap(findings: VolumeFindings) -> bytes:
    saliency = findings.saliency
    assert saliency is not None  # noqa: S101 - volume_available() says so
    pixels, spacing_mm = key_picture(findings)
    return render_heatmap(pixels, saliency.values, saliency.extent, label=saliency.label, spacing_mm=spacing_mm)


def _saliency(findings: VolumeFindings) -> bytes:
    saliency = findings.saliency
    assert saliency is not None  # noqa: S101 - volume_available() says so
    pixels, _ = key_picture(findings)
    rows, columns = pixels.shape
    return render_saliency(saliency.values, saliency.extent, (rows, columns))


def _thumbnail(findings: VolumeFindings) -> bytes:
    pixels, spacing_mm = key_picture(findings)
    return render_thumbnail(pixels, key_outline(findings), spacing_mm)


def _report(findings: VolumeFindings) -> Report:
    return volume_report(
        findings,
        overlay_png=render_volume_overlay(findings),
        key_png=_input(findings),
        heatmap_png=None if findings.saliency is None else _heatmap(findings),
    )


def _evidence(findings: VolumeFindings) -> bytes:
    label = None if findings.saliency is None else findings.saliency.label
    return render_evidence(findings.analysis, heatmap_label=label)


_RENDERERS: MappingProxyType[str, Callable[[VolumeFindings], bytes]] = MappingProxyType(
    {
        "input.png": _input,
        "mask.nii.gz": _mask,
        "overlay.png": render_volume_overlay,
        "heatmap.png": _heatmap,
        "report.html": lambda findings: render_html(_report(findings)).encode(),
        "report.pdf": lambda findings: render_pdf(_report(findings)),
        "evidence.json": _evidence,
        "saliency.png": _saliency,
        "thumbnail.png": _thumbnail,
    }
)
