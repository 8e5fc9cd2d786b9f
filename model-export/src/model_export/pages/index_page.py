"""`docs/models/README.md`: every published model, and the zoo's table."""

from collections.abc import Sequence

from model_export.card import ModelCard
from model_export.evaluation.bootstrap import Estimate
from model_export.evaluation.display import file_size, many, markdown_table, shown
from model_export.evaluation.zoo import ZooResult, trade_off
from service_kit.inference.manifest import ModelManifest

_HEAD = """<!-- Written by `model-export cards` from the cards and docs/evaluation/results.json. Do not edit. -->

# Models

Every published model has a page with its intended use, its figures with intervals, its limits and its licences.
`GET /v1/models/{name}` returns the same card; `options.models` of an analysis picks a model by its name. The
[evaluation](../evaluation/README.md) says how the figures come about.

"""
_CHART = "../evaluation/zoo.svg"


def index_page(published: Sequence[tuple[ModelManifest, ModelCard | None]], zoo: ZooResult | None, chart: bool) -> str:
    """The index; `chart` says whether the zoo's chart lies in docs/evaluation."""
    text = _HEAD + "## Published\n\n"
    text += markdown_table(
        ("model", "stage", "what it does", "parameters", "file", "figure"), [_row(*pair) for pair in published]
    )
    if zoo is not None and zoo.rows:
        text += (
            "\n## The zoo\n\nArchitectures beside each other, trained and judged on one grouped hold-out (fold 0), the "
            "same patients for all. CPU ms is the fastest of 25 rounds on one thread, all networks in turn; "
            "milliseconds belong to the machine that measured, ratios travel better.\n\n"
        )
        if chart:
            text += f"![Headline figure over milliseconds, by task; defaults in orange]({_CHART})\n\n"
        text += "".join(_task(zoo, task, {manifest.name for manifest, _ in published}) for task in zoo.tasks())
        if zoo.left_out:
            text += "Left out: " + ", ".join(f"{name} ({why})" for name, why in zoo.left_out.items()) + ".\n"
    return text.rstrip() + "\n"


def _row(manifest: ModelManifest, card: ModelCard | None) -> tuple[str, ...]:
    link = f"[{manifest.name}]({manifest.name}.md)"
    if card is None:
        return (link, manifest.stage, manifest.title, shown(None), shown(None), "no card")
    return (
        link,
        manifest.stage,
        manifest.title,
        many(card.parameters),
        file_size(card.file_bytes),
        _headline(card),
    )


def _headline(card: ModelCard) -> str:
    """The first figure with an interval."""
    for name, figure in card.metrics.get("summary", {}).items():
        if isinstance(figure, dict):
            return f"{name} {shown(Estimate.model_validate(figure))}"
    return shown(None)


def _task(zoo: ZooResult, task: str, published: set[str]) -> str:
    rows = zoo.of_task(task)
    names = list(rows[0].figures)
    cells = []
    for row in rows:
        link = f"[{row.name}]({row.name}.md)" if row.name in published else row.name
        cells.append(
            (
                f"**{link}** (default)" if row.default else link,
                many(row.parameters),
                file_size(row.file_bytes),
                f"{row.ms:.1f}",
                f"{row.ratio:.2f}",
                *(row.figures.get(name) for name in names),
            )
        )
    columns = ("network", "parameters", "file", "CPU ms", "to the default", *names)
    return f"### {task[0].upper()}{task[1:]}\n\n" + markdown_table(columns, cells) + f"\n{trade_off(rows)}\n\n"
