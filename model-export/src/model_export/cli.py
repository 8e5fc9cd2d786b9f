"""The command line: train, predict, publish, verify, samples; further verbs lie in `commands`."""

# ruff: noqa: PLC0415 - torch is loaded by the commands that need it, not by --help

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from model_export.commands.audit import audit
from model_export.commands.bands import bands
from model_export.commands.cards import cards
from model_export.commands.evaluate import evaluate
from model_export.commands.import_model import app as import_app
from model_export.commands.judge_limits import judge_limits
from model_export.commands.novelty import novelty
from model_export.commands.quantize import quantize
from model_export.commands.reproduce import reproduce

if TYPE_CHECKING:
    from model_export.datasets.split import Fold

console = Console()
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train NeuroGate's models and publish them as ONNX.")


class FoldName(StrEnum):
    """Which patients are left for testing."""

    FIRST = "0"
    SECOND = "1"
    THIRD = "2"
    FOURTH = "3"
    FIFTH = "4"
    FOLDS = "folds"
    ALL = "all"
    LEAKY = "leaky"


Names = Annotated[list[str], typer.Argument(help="networks or models; `defaults`, `zoo` and `controls` name them all")]
Sets = Annotated[Path, typer.Option("--data", help="folder of the development sets", exists=True, file_okay=False)]
Cache = Annotated[Path, typer.Option("--cache", help="pictures and checkpoints, outside the repository")]
Models = Annotated[Path, typer.Option("--models", help="the model repository")]
Folds = Annotated[
    FoldName,
    typer.Option(
        "--fold", help="a fold 0 to 4, `folds` for all five, `all` patients (nobody is tested), or the `leaky` arm"
    ),
]
Seed = Annotated[int, typer.Option(help="of split, start and augmentation")]
DEFAULT_CACHE, DEFAULT_MODELS, DEFAULT_SEED = Path(".cache/model-export"), Path("models"), 20


def _folds(name: FoldName, seed: int) -> "list[Fold]":
    from model_export.datasets.split import FOLDS, Fold

    if name is FoldName.FOLDS:
        return [Fold(index, seed) for index in range(FOLDS)]
    if name is FoldName.LEAKY:
        return [Fold(0, seed, leaky=True)]
    return [Fold(None if name is FoldName.ALL else int(name.value), seed)]


def _listed(names: list[str], known: dict[str, tuple[str, ...]]) -> list[str]:
    """The single names behind `names`. Exit 2 where one is unknown."""
    singles = {single for several in known.values() for single in several}
    found: list[str] = []
    for name in names:
        if name not in known and name not in singles:
            console.print(f"no such name: {name}; there are {', '.join([*known, *sorted(singles)])}")
            raise typer.Exit(2)
        found += known.get(name, (name,))
    return list(dict.fromkeys(found))


@app.command()
def train(
    names: Names,
    data: Sets,
    cache: Cache = DEFAULT_CACHE,
    fold: Folds = FoldName.ALL,
    epochs: Annotated[int | None, typer.Option(help="other than the recipe's")] = None,
    limit: Annotated[int | None, typer.Option(help="slices an epoch, for a quick look")] = None,
    seed: Seed = DEFAULT_SEED,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 2,
    allow_leak: Annotated[bool, typer.Option("--allow-leak", help="train although the split leaks")] = False,
) -> None:
    """Train networks; the weights stay in the cache, and a training that was stopped goes on."""
    from model_export.audit.guard import LeakingSplit
    from model_export.training.run import TRAINABLE, recipe, train_network

    for each in _listed(names, TRAINABLE):
        for one in _folds(fold, seed):
            config = recipe(each).for_fold(one).with_overrides(epochs=epochs, limit=limit)
            try:
                path, history = train_network(
                    data, cache, config, console.print, threads=threads, allow_leak=allow_leak
                )
            except LeakingSplit as error:
                console.print(f"{each} {one.label}: {error}")
                raise typer.Exit(1) from error
            console.print(f"{each} {one.label}: loss {history[-1]['loss']:.4f}, {path.parent.name}/{path.name}")


@app.command()
def predict(
    names: Names,
    data: Sets,
    cache: Cache = DEFAULT_CACHE,
    fold: Folds = FoldName.FOLDS,
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Let the folds' networks answer for the patients that they never saw; what evaluate and publish read."""
    from model_export.catalog import CATALOG, MODEL_SETS
    from model_export.publishing import predict as predict_one
    from model_export.repository import Workplace

    for each in _listed(names, MODEL_SETS):
        if CATALOG[each].kind == "tabular":
            console.print(f"{each}: nothing to predict")
            continue
        for one in _folds(fold, seed):
            predict_one(each, Workplace(data, cache, DEFAULT_MODELS), one, console.print)


@app.command()
def publish(
    names: Names,
    data: Sets,
    cache: Cache = DEFAULT_CACHE,
    models: Models = DEFAULT_MODELS,
    fold: Annotated[FoldName, typer.Option(help="whose weights: of a fold, or of `all` patients")] = FoldName.ALL,
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Export, verify, calibrate on the out-of-fold answers, and write `models/<name>`."""
    from model_export.catalog import MODEL_SETS
    from model_export.publishing import publish as publish_one
    from model_export.repository import Workplace

    for each in _listed(names, MODEL_SETS):
        (one,) = _folds(fold, seed)
        publish_one(each, Workplace(data, cache, models), one, console.print)


@app.command()
def verify(names: Names, data: Sets, cache: Cache = DEFAULT_CACHE, models: Models = DEFAULT_MODELS) -> None:
    """Compare published models with their checkpoints; the result goes into their cards. Exit 1 where one differs."""
    from model_export.card import ModelCard
    from model_export.catalog import MODEL_SETS
    from model_export.repository import Workplace, fold_of, verify_model
    from service_kit.inference.manifest import ModelManifest

    table = Table("model", "batches", "largest probability difference", "mask Dice", "passed")
    passed = True
    for each in _listed(names, MODEL_SETS):
        folder = models / each
        fold = fold_of(ModelManifest.load(folder))
        parity = verify_model(each, folder / "1" / "model.onnx", Workplace(data, cache, models), fold)
        ModelCard.load(folder).model_copy(update={"verification": parity}).dump(folder)
        dice = "" if parity.mask_dice is None else f"{parity.mask_dice:.5f}"
        table.add_row(each, str(parity.batches), f"{parity.max_probability_difference:.2e}", dice, str(parity.passed))
        passed = passed and parity.passed
    console.print(table)
    if not passed:
        raise typer.Exit(1)


@app.command()
def samples(data: Sets, out: Annotated[Path, typer.Option(help="where they go")] = Path("samples")) -> None:
    """Make the synthetic samples, which belong to no patient."""
    from model_export.samples.writer import write_samples

    for path in write_samples(data, out):
        console.print(path.name)


@app.command("sample-volume")
def sample_volume(out: Annotated[Path, typer.Option(help="where it goes")] = Path("samples")) -> None:
    """Make the synthetic study of four sequences among the samples; needs no data."""
    from model_export.samples.writer import write_volume

    for path in write_volume(out):
        console.print(path.name)


app.command()(audit)
app.command()(quantize)
app.command()(reproduce)
app.command()(evaluate)
app.command()(cards)
app.command("judge-limits")(judge_limits)
app.command()(bands)
app.command()(novelty)
app.add_typer(import_app, name="import")


def main() -> None:
    """Entry point of `model-export`."""
    app()
