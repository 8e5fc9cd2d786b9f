"""`model-export cards`: the pages of the models, generated from their cards."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model_export.pages.writer import model_pages

console = Console()


def cards(
    models: Annotated[Path, typer.Option(help="the model repository", exists=True, file_okay=False)] = Path("models"),
    out: Annotated[Path, typer.Option(help="where the pages go")] = Path("docs/models"),
    results: Annotated[Path, typer.Option(help="what evaluate wrote; the zoo's table comes out of it")] = Path(
        "docs/evaluation/results.json"
    ),
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; exit 1 where a page is not up to date")
    ] = False,
) -> None:
    """Write docs/models: an index with the zoo's table, and a page a model. Needs neither PyTorch nor data."""
    pages = model_pages(models, results)
    there = {path.name for path in out.glob("*.md")}
    stale = [name for name, text in pages.items() if name not in there or (out / name).read_text("utf-8") != text]
    left = sorted(there - set(pages))
    if check:
        for name in [*stale, *left]:
            console.print(f"{out / name} is not up to date: run model-export cards")
        if stale or left:
            raise typer.Exit(1)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name in left:
        (out / name).unlink()
    for name in stale:
        (out / name).write_text(pages[name], encoding="utf-8")
    console.print(f"{len(pages)} pages in {out}, {len(stale)} written, {len(left)} removed")
