"""`model-export judge-limits`: the gateway's statistical limits, with what each check does at them."""

# ruff: noqa: PLC0415 - onnxruntime and the sets are loaded when the command runs, not by --help

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

FITTED = Path("gateway/src/gateway/judge/fitted.json")


def judge_limits(
    data: Annotated[Path, typer.Option("--data", help="folder of the development sets", exists=True, file_okay=False)],
    cache: Annotated[Path, typer.Option(help="where the folds' networks are")] = Path(".cache/model-export"),
    models: Annotated[Path, typer.Option(help="the model repository")] = Path("models"),
    out: Annotated[Path, typer.Option(help="the result with all its figures; a page to read goes beside it")] = Path(
        "docs/evaluation/judge.json"
    ),
    fitted: Annotated[Path, typer.Option(help="the limits alone, which the gateway ships")] = FITTED,
    limit: Annotated[int | None, typer.Option(help="about so many slices of each fold, for a quick look")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
) -> None:
    """Fit the verdict's limits on out-of-fold findings; `make docs` then brings them into docs/configuration.md."""
    from model_export.evaluation.judge_limits import fit_judge_limits
    from model_export.evaluation.judge_page import judge_page

    console = Console()
    result = fit_judge_limits(data, cache, models, console.print, limit=limit, threads=threads)
    for path, part in ((out, result), (fitted, result.limits)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(part.model_dump_json(indent=1) + "\n", encoding="utf-8")
    out.with_suffix(".md").write_text(judge_page(result), encoding="utf-8")
    table = Table("check", "right answers", "flagged", "cross-fitted", "wrong answers", "flagged")
    for name, check in result.checks.items():
        crossed = check.right_flagged_cross_fitted
        honest = "" if crossed is None else f"{crossed:.2%}"
        flagged = (f"{check.right_flagged:.2%}", honest, str(check.wrong), f"{check.wrong_flagged:.1%}")
        table.add_row(name, str(check.right), *flagged)
    console.print(table)
    console.print(result.origin)
