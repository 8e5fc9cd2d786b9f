"""`model-export bands`: how far a published model's outlines of volumes may be off, into its manifest."""

# ruff: noqa: PLC0415 - onnxruntime and the sets are loaded when the command runs, not by --help

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def bands(
    names: Annotated[list[str], typer.Argument(help="published models, such as seg-flair-film or unet3d")],
    data: Annotated[Path, typer.Option("--data", help="folder of the development sets", exists=True, file_okay=False)],
    cache: Annotated[Path, typer.Option(help="predictions and the folds' networks, outside the repository")] = Path(
        ".cache/model-export"
    ),
    models: Annotated[Path, typer.Option(help="the model repository; its manifests get the bands")] = Path("models"),
    coverage: Annotated[
        float | None, typer.Option(help="nominal; without it the published band's, or .9", min=0.01, max=0.99)
    ] = None,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
) -> None:
    """Fit boundary bands on outlines of patients that the networks never saw; `evaluate --only bands` reports them."""
    from model_export.evaluation.band_fitting import fitted_band, write_band

    console = Console()
    for name in names:
        if not (models / name / "manifest.json").exists():
            console.print(f"{name}: not published: model-export publish {name}")
            raise typer.Exit(1)
        try:
            result = fitted_band(name, data, cache, models, coverage=coverage, threads=threads)
        except (FileNotFoundError, ValueError) as error:
            console.print(f"{name}: {error}")
            raise typer.Exit(1) from error
        table = Table("measure", "in", "minus", "plus", "covered, one left out", "mean relative width")
        for row in result.forms:
            found, width = row.left_out, row.relative_width
            covered = "" if found is None else f"{found.covered} of {found.patients}"
            bounds = (f"{row.below:.4g}", f"{row.above:.4g}")
            table.add_row(row.measure, row.form, *bounds, covered, "" if width is None else f"{width:.3f}")
        console.print(table)
        console.print(f"{result.patients} patients, {result.empty} with nothing outlined; {result.band.fitted_on}")
        written = ", ".join(write_band(models, name, result.band))
        console.print(f"band of coverage {result.band.coverage:g} in the manifests of {written}")
