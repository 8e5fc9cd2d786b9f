"""The command line: train, export, verify, publish, evaluate, samples."""

# ruff: noqa: PLC0415 - torch is loaded by the commands that need it, not by --help

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

console = Console()
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train NeuroGate's models and publish them as ONNX.")


class ModelName(StrEnum):
    """What can be named on the command line."""

    ALL = "all"
    VIEW = "view"
    TUMOR = "tumor"
    SEG_T1 = "seg-t1"
    SEG_FLAIR_FILM = "seg-flair-film"
    CLINICAL = "clinical"


Name = Annotated[ModelName, typer.Argument(help="a model, or all")]
Sets = Annotated[Path, typer.Option("--data", help="folder of the development sets", exists=True, file_okay=False)]
Cache = Annotated[Path, typer.Option("--cache", help="pictures and checkpoints, outside the repository")]
Models = Annotated[Path, typer.Option("--models", help="the model repository")]
DEFAULT_CACHE, DEFAULT_MODELS = Path(".cache/model-export"), Path("models")


def _names(name: ModelName, *, tabular: bool = True) -> list[str]:
    from model_export.catalog import CATALOG

    if name is ModelName.ALL:
        return [entry.name for entry in CATALOG.values() if tabular or entry.kind != "tabular"]
    return [name.value]


@app.command()
def train(
    name: Name,
    data: Sets,
    cache: Cache = DEFAULT_CACHE,
    epochs: Annotated[int | None, typer.Option(help="other than the recipe's")] = None,
    limit: Annotated[int | None, typer.Option(help="slices an epoch, for a quick look")] = None,
    seed: Annotated[int | None, typer.Option(help="of split, start and augmentation")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
) -> None:
    """Train a network; the best weights on the calibration patients stay in the cache."""
    from model_export.training.config import CONFIGS
    from model_export.training.run import train_network

    for each in _names(name, tabular=False):
        if each not in CONFIGS:
            console.print(f"{each}: nothing to train; it is fitted when it is exported")
            continue
        config = CONFIGS[each].with_overrides(epochs=epochs, limit=limit, seed=seed)
        path, history = train_network(data, cache, config, console.print, threads)
        console.print(f"{each}: best score {max(row['score'] for row in history):.4f}, checkpoint {path.name}")


@app.command()
def leakage(
    data: Sets,
    cache: Cache = DEFAULT_CACHE,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
) -> None:
    """Train both arms of the leakage study: the same small tumor network split by group, and by slice."""
    from model_export.training.config import STUDY
    from model_export.training.run import train_network

    for split in ("group", "slice"):
        path, _ = train_network(data, cache, STUDY.with_overrides(split=split), console.print, threads)
        console.print(f"split by {split}: {path.name}")


@app.command()
def export(name: Name, data: Sets, cache: Cache = DEFAULT_CACHE, models: Models = DEFAULT_MODELS) -> None:
    """Export checkpoints to ONNX files in the cache, checked."""
    from model_export.repository import Workplace, export_model
    from model_export.training.config import DEFAULT_SEED

    for each in _names(name):
        path = export_model(each, Workplace(data, cache, models), DEFAULT_SEED)
        console.print(f"{each}: {path.stat().st_size / 1e6:.1f} MB")


@app.command()
def verify(name: Name, data: Sets, cache: Cache = DEFAULT_CACHE, models: Models = DEFAULT_MODELS) -> None:
    """Compare published models with their checkpoints; the result goes into their cards. Exit 1 where one differs."""
    from model_export.card import ModelCard
    from model_export.repository import Workplace, verify_model
    from model_export.training.config import DEFAULT_SEED

    table = Table("model", "batches", "largest probability difference", "mask Dice", "passed")
    passed = True
    for each in _names(name):
        folder = models / each
        parity = verify_model(each, folder / "1" / "model.onnx", Workplace(data, cache, models), DEFAULT_SEED)
        ModelCard.load(folder).model_copy(update={"verification": parity}).dump(folder)
        dice = "" if parity.mask_dice is None else f"{parity.mask_dice:.5f}"
        table.add_row(each, str(parity.batches), f"{parity.max_probability_difference:.2e}", dice, str(parity.passed))
        passed = passed and parity.passed
    console.print(table)
    if not passed:
        raise typer.Exit(1)


@app.command()
def publish(name: Name, data: Sets, cache: Cache = DEFAULT_CACHE, models: Models = DEFAULT_MODELS) -> None:
    """Export, verify, calibrate and write `models/<name>`."""
    from model_export.repository import Workplace, publish_model

    for each in _names(name):
        publish_model(each, Workplace(data, cache, models), console.print)


@app.command()
def evaluate(
    data: Sets,
    out: Annotated[Path, typer.Option(help="where the report goes")] = Path("docs/evaluation"),
    cache: Cache = DEFAULT_CACHE,
    models: Models = DEFAULT_MODELS,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
) -> None:
    """Judge the published models on the test patients; writes the report and the figures of the cards."""
    from model_export.evaluation.report import write_report
    from model_export.evaluation.run import evaluate_models

    results = evaluate_models(data, cache, models, console.print, threads)
    write_report(results, out)
    console.print(f"report in {out}")


@app.command()
def samples(data: Sets, out: Annotated[Path, typer.Option(help="where they go")] = Path("samples")) -> None:
    """Make synthetic sample pictures that belong to no patient."""
    from model_export.samples.writer import write_samples

    for path in write_samples(data, out):
        console.print(path.name)


def main() -> None:
    """Entry point of `model-export`."""
    app()
