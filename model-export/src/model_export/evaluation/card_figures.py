"""The figures of each model, from the report into its card; what follows from them, into its manifest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_export.card import ModelCard
from model_export.evaluation.assembly import Results
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.parts import all_parts
from model_export.evaluation.sections import CardFigures, Section
from service_kit.inference.manifest import ModelManifest


def write_figures(models: Path, results: Results) -> list[str]:
    """Put the figures and the leaky arm's into every card under `models` that there are any for.

    Returns the names of the models whose cards were written.
    """
    found = figures_by_model(
        {part.key: part.shown(results.parts[part.key]) for part in all_parts() if part.key in results.parts}
    )
    written = []
    for path in sorted(models.glob("*/card.json")):
        name = path.parent.name
        figures = found.get(name, CardFigures())
        if not figures.summary and not figures.tables:
            continue
        changes: dict[str, Any] = {
            "metrics": {
                "summary": {label: _plain(figure) for label, figure in figures.summary.items()},
                "tables": {title: [_rounded(row) for row in rows] for title, rows in figures.tables.items()},
                "notes": list(figures.notes),
            },
            "leaky": {label: _plain(figure) for label, figure in figures.leaky.items()} or None,
        }
        ModelCard.load(path.parent).model_copy(update=changes).dump(path.parent)
        if figures.record_helps is not None:
            _decide_record(models, name, helps=figures.record_helps)
        written.append(name)
    return written


def _decide_record(models: Path, name: str, *, helps: bool) -> None:
    """A model and its variants read a record unasked only where it helps. Raises `ModelInvalid`."""
    for path in sorted(models.glob("*/manifest.json")):
        manifest = ModelManifest.load(path.parent)
        if name in (manifest.name, manifest.variant_of):
            manifest.model_copy(update={"clinical_by_default": helps}).dump(path.parent)


def figures_by_model(chapters: Mapping[str, Section]) -> dict[str, CardFigures]:
    """What all chapters say of each model, in one."""
    merged: dict[str, CardFigures] = {}
    for section in chapters.values():
        for name, figures in section.cards.items():
            before = merged.get(name, CardFigures())
            merged[name] = CardFigures(
                summary={**before.summary, **figures.summary},
                tables={**before.tables, **figures.tables},
                leaky={**before.leaky, **figures.leaky},
                notes=(*before.notes, *(note for note in figures.notes if note not in before.notes)),
                record_helps=before.record_helps if figures.record_helps is None else figures.record_helps,
            )
    return merged


def _plain(figure: Estimate | float) -> Any:
    return _rounded(figure.model_dump(mode="json")) if isinstance(figure, Estimate) else round(figure, 5)


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in row.items()}
