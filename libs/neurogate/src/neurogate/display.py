"""What a person reads in the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_VERDICTS = {
    "answer": ("ANSWER", "bold green"),
    "review": ("REVIEW - a reader must look", "bold yellow"),
    "refuse": ("REFUSED", "bold red"),
}
_BAR_WIDTH = 24
_LONG_MS = 10_000


def analysis_panel(name: str, analysis: Mapping[str, Any], files: Sequence[Path]) -> Panel:
    """One analysis as a panel: verdict, findings, probabilities, measures, files."""
    words, style = _VERDICTS.get(analysis["verdict"], (str(analysis["verdict"]), "bold"))
    parts: list[RenderableType] = [Text(words, style=style)]
    parts += [Text(f"  {reason['detail']} ({reason['code']})", style="yellow") for reason in analysis["reasons"]]
    parts.append(_findings(analysis))
    if analysis["tumor"]:
        parts.append(_probabilities(analysis["tumor"]))
        parts += [Text(f"  {warning}", style="yellow") for warning in analysis["tumor"]["warnings"]]
    if files:
        parts.append(Text(f"files: {files[0].parent}/ ({', '.join(path.name for path in files)})", style="dim"))
    parts.append(Text(analysis["disclaimer"], style="italic"))
    return Panel(Group(*parts), title=name, subtitle=f"analysis {analysis['id']}", box=box.ROUNDED, expand=False)


def _findings(analysis: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    scan, view, tumor = analysis["input"], analysis["view"], analysis["tumor"]
    table.add_row("scan", _scan(scan))
    for warning in scan.get("warnings", ()):
        table.add_row("", Text(warning, style="yellow"))
    if view:
        table.add_row("view", f"{view['label']} ({view['probabilities'][view['label']]:.1%}, from {view['source']})")
    if tumor:
        table.add_row("tumor", f"{tumor['label']} ({tumor['probabilities'][tumor['label']]:.1%})")
        members = ", ".join(tumor["prediction_set"]) or "none is likely enough"
        table.add_row(f"{tumor['coverage']:.0%} set", members)
    if analysis["clinical"]:
        table.add_row("imputed", ", ".join(analysis["clinical"]["imputed"]) or "nothing")
    if analysis["segmentation"]:
        for name, words in _outline(analysis["segmentation"]):
            table.add_row(name, words)
    table.add_row("models", ", ".join(f"{m['name']} v{m['version']} ({m['provider']})" for m in analysis["models"]))
    total_ms = analysis["timings_ms"]["total"]
    table.add_row("time", f"{total_ms:.0f} ms" if total_ms < _LONG_MS else f"{total_ms / 1000:.1f} s")
    return table


def _probabilities(tumor: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for label, probability in sorted(tumor["probabilities"].items(), key=lambda pair: -pair[1]):
        filled = round(probability * _BAR_WIDTH)
        bar = Text("█" * filled, style="cyan") + Text("░" * (_BAR_WIDTH - filled), style="dim")
        table.add_row(label, bar, f"{probability:6.1%}")
    return table


def _scan(scan: Mapping[str, Any]) -> str:
    size = f"{scan['rows']} x {scan['columns']}"
    geometry = scan.get("geometry")
    if geometry is None:
        return f"{scan['format']}, {size} px, {_spacing(scan['spacing_mm'])}"
    shape, spacing = (" x ".join(f"{value:g}" for value in geometry[name]) for name in ("shape", "spacing_mm"))
    return f"{scan['format']} {scan['kind']} of {', '.join(scan['sequences'])}: {shape} voxels, {spacing} mm"


def _outline(segmentation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    volume = segmentation.get("volume")
    if volume is None:
        yield "outline", _measures(segmentation)
        return
    if not volume["voxels"]:
        yield "outline", "nothing outlined"
        return
    yield "volume", f"{with_interval(volume['volume_ml'], volume['volume_ml_interval'])} ml"
    for name, label in volume["labels"].items():
        yield f"  {name.replace('_', ' ')}", f"{label['volume_ml']:.1f} ml"
    if volume["lesions"]:
        for name in ("longest_diameter_mm", "perpendicular_diameter_mm"):
            words = with_interval(volume["lesions"][0][name], volume[f"{name}_interval"])
            yield name.removesuffix("_mm").replace("_", " "), f"{words} mm"
    yield "side", volume["side"] or "unknown: the file does not say left and right"
    yield "lesions", f"{volume['lesion_count']}, sum of products {volume['sum_of_products_mm2']:.0f} mm2"


def with_interval(value: float | None, interval: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    """A number and, where it is known, where the true one lies and how surely."""
    if value is None:
        return "-"
    form = "{:+.1f}" if signed else "{:.1f}"
    if interval is None:
        return form.format(value)
    ends = f"{form.format(interval['low'])} to {form.format(interval['high'])}"
    return f"{form.format(value)} ({ends}, {interval['coverage']:.0%})"


def _spacing(spacing_mm: Sequence[float] | None) -> str:
    return "spacing unknown" if spacing_mm is None else f"{spacing_mm[0]:g} x {spacing_mm[1]:g} mm"


def _measures(segmentation: Mapping[str, Any]) -> str:
    if not segmentation["area_px"]:
        return "nothing outlined"
    if segmentation["area_mm2"] is None:
        return f"{segmentation['area_px']} px (no spacing, so no millimeters)"
    longest, across = segmentation["longest_diameter_mm"], segmentation["perpendicular_diameter_mm"]
    return f"{segmentation['area_mm2']:.0f} mm2, {longest:.0f} x {across:.0f} mm"


def models_table(models: Sequence[Mapping[str, Any]]) -> Table:
    """The published models, one a row; a default is marked by a star."""
    table = Table(box=box.SIMPLE_HEAD, caption="* used where a request names no model", caption_justify="left")
    for column in ("stage", "model", "version", "precision", "backend", "provider", "sha256"):
        table.add_column(column, overflow="fold")
    for model in models:
        name = f"{model['name']} *" if model["default"] else model["name"]
        row = [model["stage"], name, model["version"], model["precision"], model["backend"]]
        table.add_row(*row, model["provider"], model["sha256"][:12])
    return table
