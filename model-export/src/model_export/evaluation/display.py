"""How a figure is written in a table or a sentence."""

from collections.abc import Sequence

from model_export.evaluation.bootstrap import Estimate

DASH = "–"


def shown(cell: str | float | Estimate | None, *, digits: int = 3) -> str:
    """A number with three decimals, an estimate with its interval, whole numbers and text as they are, None a dash."""
    if cell is None:
        return DASH
    if isinstance(cell, Estimate):
        return f"{_number(cell.value, digits)} ({_number(cell.low, digits)} to {_number(cell.high, digits)})"
    if isinstance(cell, bool | int):
        return str(cell)
    return _number(cell, digits) if isinstance(cell, float) else cell


def _number(value: float, digits: int) -> str:
    """Three decimals; fewer above 100, scientific where all decimals would be zero."""
    if value and abs(value) < 0.5 * 10**-digits:
        return f"{value:.1e}"
    return f"{value:.{0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else digits}f}"


def file_size(count: int) -> str:
    """Bytes as MB, small files as kB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def many(count: int) -> str:
    """A count in millions, small ones as they are."""
    return f"{count / 1e6:.2f} M" if count >= 10_000 else str(count)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str | float | Estimate | None]]) -> str:
    """A Markdown table; ends with a line break."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(shown(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
