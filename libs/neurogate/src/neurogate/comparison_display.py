"""A comparison as a person reads it in the terminal."""

from collections.abc import Mapping
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from neurogate.display import with_interval

_CATEGORIES: Final = {
    "complete_response": ("complete response", "bold green"),
    "partial_response": ("partial response", "bold green"),
    "stable_disease": ("stable disease", "bold"),
    "progressive_disease": ("progressive disease", "bold red"),
    "cannot_be_told": ("cannot be told", "bold yellow"),
}
_MEASURES: Final = ("volume", "sum_of_products", "area", "longest_diameter", "perpendicular_diameter")


def comparison_panel(comparison: Mapping[str, Any]) -> Panel:
    """Changes with their intervals, categories, warnings, and the words that it is no diagnosis."""
    parts: list[RenderableType] = [_changes(comparison)]
    if comparison["lesions"]:
        counts = comparison["lesions"]
        parts.append(
            Text(
                f"lesions: {counts['baseline']}, then {counts['followup']} (at least {counts['new_at_least']} new, "
                f"{counts['vanished_at_least']} gone; they are counted, not matched)"
            )
        )
    for name, measure in (("category", "products"), ("volume_category", "volume")):
        if comparison[name]:
            parts.append(_category(measure, comparison[name]))
    parts += [Text(f"! {warning['detail']}", style="yellow") for warning in comparison["warnings"]]
    parts.append(Text(comparison["statement"], style="italic"))
    parts.append(Text(comparison["disclaimer"], style="italic"))
    names = f"{comparison['baseline']['id']} -> {comparison['followup']['id']}"
    return Panel(Group(*parts), title="comparison", subtitle=names, box=box.ROUNDED, expand=False)


def _changes(comparison: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("measure", "baseline", "follow-up", "change", "%", "beyond the error"):
        table.add_column(column)
    rows = [(name.replace("_", " "), comparison[name]) for name in _MEASURES if comparison[name]]
    rows += [(f"  {name.replace('_', ' ')}", change) for name, change in comparison["labels"].items()]
    for name, change in rows:
        beyond = {True: "yes", False: "no", None: "unknown"}[change["exceeds_measuring_error"]]
        table.add_row(
            f"{name} ({change['unit']})",
            _cell(change["baseline"], change["baseline_interval"]),
            _cell(change["followup"], change["followup_interval"]),
            _cell(change["change"], change["change_interval"], signed=True),
            _cell(change["change_percent"], change["change_percent_interval"], signed=True),
            beyond,
        )
    return table


def _category(measure: str, category: Mapping[str, Any]) -> Text:
    words, style = _CATEGORIES.get(category["category"], (str(category["category"]), "bold"))
    return Text(f"the change of the {measure} alone: ").append(words, style=style).append(f". {category['reason']}")


def _cell(value: float | None, interval: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    """The interval and its coverage below the number: a table of six columns fits a terminal then."""
    text = with_interval(value, interval, signed=signed)
    return text.replace(" (", "\n", 1).replace(", ", "\n", 1).removesuffix(")") if interval else text
