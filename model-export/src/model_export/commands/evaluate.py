"""`model-export evaluate`: the report, its numbers, and the figures of the cards."""

# ruff: noqa: PLC0415 - scikit-learn and matplotlib are loaded when there is something to do, not by --help

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console()


def evaluate(
    data: Annotated[Path, typer.Option("--data", help="folder of the development sets", file_okay=False)] = Path(
        "../shared/data"
    ),
    out: Annotated[Path, typer.Option(help="where the report goes")] = Path("docs/evaluation"),
    cache: Annotated[Path, typer.Option(help="predictions and checkpoints, outside the repository")] = Path(
        ".cache/model-export"
    ),
    models: Annotated[Path, typer.Option(help="the model repository; its cards get the figures")] = Path("models"),
    only: Annotated[list[str] | None, typer.Option(help="measure this part again and keep the others")] = None,
    render: Annotated[
        bool, typer.Option("--render", help="measure nothing, write everything from results.json")
    ] = False,
    cases: Annotated[
        Path | None, typer.Option(help="pictures of best and worst cases go here; never inside the repository")
    ] = None,
) -> None:
    """Judge the models on out-of-fold predictions; writes README.md, report.html, results.json, and into the cards.

    What was not predicted yet is left out with a note; a later run adds it.
    """
    from model_export.evaluation.assembly import Results, measure, sections
    from model_export.evaluation.card_figures import write_figures
    from model_export.evaluation.cases import check_outside
    from model_export.evaluation.html_report import write_html
    from model_export.evaluation.parts import all_parts
    from model_export.evaluation.sections import Place
    from model_export.evaluation.summary import write_summary

    if cases is not None:
        try:
            check_outside(cases)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--cases") from error
    parts, kept = all_parts(), Results.load(out / "results.json")
    results = kept
    if not render:
        try:
            results = measure(parts, Place(data, cache, models, console.print, cases), kept, only or ())
        except ValueError as error:
            if only and "no such part" in str(error):
                raise typer.BadParameter(str(error), param_hint="--only") from error
            raise
        results.dump(out / "results.json")
    chapters = sections(parts, results)
    write_html(out / "report.html", results, chapters)
    write_summary(out, results, chapters)
    console.print(
        f"figures into the cards of {', '.join(write_figures(models, results)) or 'no model'}; report in {out}"
    )
