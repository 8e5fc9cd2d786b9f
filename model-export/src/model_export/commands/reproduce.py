"""`model-export reproduce`: a seeded training done again gives the published figure, or exit 1."""

# ruff: noqa: PLC0415 - torch is loaded when the command runs, not by --help

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console()


def reproduce(
    name: Annotated[str, typer.Argument(help="a small classifier of the zoo")],
    data: Annotated[Path, typer.Option(help="folder of the development sets", exists=True, file_okay=False)],
    cache: Annotated[Path, typer.Option(help="pictures and checkpoints")] = Path(".cache/model-export"),
    out: Annotated[Path, typer.Option(help="where the result goes")] = Path("docs/evaluation/reproduction.json"),
    seed: Annotated[int, typer.Option(help="of both trainings")] = 20,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
) -> None:
    """Train a network of the zoo again with its seed and compare its accuracy with the first one's interval."""
    from model_export.evaluation.beside_parts import keep
    from model_export.evaluation.reproduction import reproduce as train_again
    from model_export.repository import Workplace

    found = train_again(name, Workplace(data, cache, Path("models")), seed, console.print, threads)
    keep(cache, "reproduction", found)
    out.write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
    first = found.published
    console.print(
        f"{name}: accuracy {first.value:.4f} ({first.low:.4f} to {first.high:.4f}), trained again "
        f"{found.again.value:.4f}, weights differ by at most {found.largest_weight_difference:.2e}"
    )
    if not found.reproduced:
        raise typer.Exit(1)
