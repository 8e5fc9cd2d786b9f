"""`model-export import keras|torch`: a network of others as ONNX in the model repository, checked and described."""

# ruff: noqa: PLC0415 - torch and Keras are loaded when a command runs, not by --help

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from model_export.importing.request import ImportRequest
    from model_export.importing.source import SourceNetwork

console = Console(soft_wrap=True)
app = typer.Typer(no_args_is_help=True, help="Bring a network of Keras or PyTorch into the model repository.")

Models = Annotated[Path, typer.Option("--models", help="the model repository")]
Name = Annotated[str, typer.Option(help="what it will be called: a-z, 0-9 and -")]
StageOption = Annotated[str, typer.Option(help="view, tumor or segmentation")]
Labels = Annotated[str, typer.Option(help="comma-separated, in the order of the network's outputs")]
Size = Annotated[int, typer.Option(help="side of the picture that the network reads, in px")]
ScalingOption = Annotated[str, typer.Option(help="what it was trained on: 0..1, -1..1, none (0..255), imagenet, caffe")]
Channels = Annotated[int, typer.Option(help="channels that the network reads: 1, or 3 (gray is repeated)")]
SequencesOption = Annotated[
    str, typer.Option(help="segmenters: one sequence, or one for each channel, comma-separated")
]
EndsIn = Annotated[str | None, typer.Option(help="softmax, sigmoid or logits, where the network does not say")]
FramingOption = Annotated[str, typer.Option(help="head: the head's box fills the picture; whole: it is left as it is")]
FeaturesOf = Annotated[str | None, typer.Option(help="the view model whose features the second input reads")]
Pictures = Annotated[Path | None, typer.Option(help="folder of slices to compare on, beside made ones")]
Title = Annotated[str, typer.Option(help="one line for the model list")]
TrainedOn = Annotated[str | None, typer.Option(help="for the card: what it was trained on")]
Licence = Annotated[str | None, typer.Option(help="for the card: of the weights")]
Replace = Annotated[bool, typer.Option("--replace", help="overwrite a model of this name")]


@app.command()
def keras(
    name: Name,
    stage: StageOption,
    labels: Labels,
    size: Size,
    model: Annotated[Path | None, typer.Option(help="a whole model: .keras, .h5 or .hdf5")] = None,
    json: Annotated[Path | None, typer.Option(help="the architecture, as model.to_json() wrote it")] = None,
    weights: Annotated[Path | None, typer.Option(help="its weights, as model.save_weights() wrote them")] = None,
    features_layer: Annotated[
        str | None, typer.Option(help="view models: the layer whose output becomes the features")
    ] = None,
    scaling: ScalingOption = "0..1",
    channels: Channels = 1,
    sequences: SequencesOption = "t1ce",
    ends_in: EndsIn = None,
    framing: FramingOption = "head",
    features_of: FeaturesOf = None,
    pictures: Pictures = None,
    title: Title = "",
    trained_on: TrainedOn = None,
    licence: Licence = None,
    models: Models = Path("models"),
    replace: Replace = False,
) -> None:
    """A Keras network: JSON with weights, or a whole model. Exit 2: something to fix; exit 1: ONNX differs."""
    files = {"model": model, "architecture": json, "weights": weights}
    given = {
        "name": name,
        "stage": stage,
        "labels": labels,
        "size": size,
        "scaling": scaling,
        "channels": channels,
        "sequences": sequences,
        "ends_in": ends_in,
        "features_layer": features_layer,
        "features_of": features_of,
        "framing": framing,
        "title": title,
        "trained_on": trained_on,
        "licence": licence,
    }

    def load(request: "ImportRequest") -> "SourceNetwork":
        from model_export.importing.keras_source import load_keras
        from model_export.importing.request import SourceFiles

        return load_keras(SourceFiles.model_validate(files), request.features_layer)

    _import("keras", given, files, load, models, pictures, replace)


@app.command()
def torch(
    name: Name,
    stage: StageOption,
    labels: Labels,
    size: Size,
    model: Annotated[Path | None, typer.Option(help="TorchScript (.pt) or torch.export program (.pt2)")] = None,
    factory: Annotated[str | None, typer.Option(help="module:function that makes the network; code of yours")] = None,
    weights: Annotated[Path | None, typer.Option(help="its state dictionary, as torch.save wrote it")] = None,
    features_length: Annotated[
        int | None, typer.Option(help="length of the second input, the view features, where there is one")
    ] = None,
    scaling: ScalingOption = "0..1",
    channels: Channels = 1,
    sequences: SequencesOption = "t1ce",
    ends_in: EndsIn = None,
    framing: FramingOption = "head",
    features_of: FeaturesOf = None,
    pictures: Pictures = None,
    title: Title = "",
    trained_on: TrainedOn = None,
    licence: Licence = None,
    models: Models = Path("models"),
    replace: Replace = False,
) -> None:
    """A PyTorch network that reads [N, C, S, S]. Exit 2: something to fix; exit 1: ONNX differs."""
    files = {"model": model, "factory": factory, "weights": weights}
    given = {
        "name": name,
        "stage": stage,
        "labels": labels,
        "size": size,
        "scaling": scaling,
        "channels": channels,
        "sequences": sequences,
        "ends_in": ends_in,
        "features_of": features_of,
        "framing": framing,
        "title": title,
        "trained_on": trained_on,
        "licence": licence,
    }

    def load(request: "ImportRequest") -> "SourceNetwork":
        from model_export.importing.request import SourceFiles
        from model_export.importing.torch_source import load_torch

        return load_torch(SourceFiles.model_validate(files), request.channels, features_length)

    _import("torch", given, files, load, models, pictures, replace)


def _import(
    framework: str,
    given: dict[str, Any],
    files: dict[str, Any],
    load: "Callable[[ImportRequest], SourceNetwork]",
    models: Path,
    pictures: Path | None,
    replace: bool,
) -> None:
    from pydantic import ValidationError

    from model_export.importing.faults import ImportFault, ParityFault
    from model_export.importing.publish import import_network
    from model_export.importing.request import ImportRequest

    wanted = {key: value for key, value in given.items() if value is not None}
    lists = {
        key: tuple(part.strip() for part in given[key].split(",") if part.strip()) for key in ("labels", "sequences")
    }
    try:
        request = ImportRequest.model_validate({**wanted, **lists, "command": _command(framework, given, files)})
        import_network(load(request), request, models, pictures=pictures, replace=replace, report=_say)
    except ValidationError as error:
        for fault in error.errors():
            option = ".".join(str(part) for part in fault["loc"][:1]).replace("_", "-")
            _say(f"{option + ': ' if option else ''}{fault['msg'].removeprefix('Value error, ')}")
        raise typer.Exit(2) from error
    except ImportFault as error:
        _say(str(error))
        raise typer.Exit(2) from error
    except ParityFault as error:
        _say(str(error))
        raise typer.Exit(1) from error


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)


def _command(framework: str, given: dict[str, Any], files: dict[str, Any]) -> str:
    """The command as the card shows it: files by their names alone, nothing of this machine."""
    names = {"model": "--model", "architecture": "--json", "weights": "--weights", "factory": "--factory"}
    parts = [f"model-export import {framework}"]
    parts += [f"{names[key]} {getattr(value, 'name', value)}" for key, value in files.items() if value is not None]
    wanted = ("name", "stage", "labels", "size", "scaling", "channels", "ends_in", "features_layer", "framing")
    parts += [f"--{key.replace('_', '-')} {given[key]}" for key in wanted if given.get(key) is not None]
    return " ".join(parts)
