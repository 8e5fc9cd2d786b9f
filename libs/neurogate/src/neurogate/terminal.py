"""What all commands share: consoles, options, exit codes, and how a failure is told."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import typer
from rich.console import Console

from neurogate.models_dir import find_models_dir
from neurogate.patience import GatewayAway
from neurogate.refused import NotStarted, Refused

# A pipe has no width of its own; 120 columns keep the tables whole.
OUT = Console(width=None if sys.stdout.isatty() else 120)
ERR = Console(stderr=True, width=None if sys.stderr.isatty() else 120)

Result = TypeVar("Result")
DataDir = Annotated[Path, typer.Option(help="What must last: results, the log.", envvar="NEUROGATE_DATA_DIR")]
ModelsDir = Annotated[
    Path | None, typer.Option(help="The model repository.", envvar="NEUROGATE_MODELS_DIR", exists=True, file_okay=False)
]
Url = Annotated[str | None, typer.Option(help="A running gateway; without it, one is started in this process.")]
ApiKey = Annotated[str | None, typer.Option(help="Key for the gateway at --url.", envvar="NEUROGATE_API_KEY")]
Clinical = Annotated[str | None, typer.Option(help="The clinical record: JSON, or a file that holds it.")]
Options = Annotated[str | None, typer.Option(help='JSON, say {"sequence": "flair"}.')]
Model = Annotated[list[str] | None, typer.Option(metavar="STAGE=NAME", help="A published model; may be repeated.")]
Segment = Annotated[bool, typer.Option("--segment", help="Outline also where no tumor is likely.")]


class Exit(IntEnum):
    """Exit codes; 2 is the command line's own, for arguments that it cannot follow."""

    ANSWERED = 0
    SOME_FAILED = 1
    NO_GATEWAY = 3
    INTERRUPTED = 130


def fail(message: str, code: Exit = Exit.SOME_FAILED) -> typer.Exit:
    """Say it; the caller raises what is returned."""
    ERR.print(f"neurogate: {message}", style="red", markup=False, highlight=False)
    return typer.Exit(code=code)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; what a person can mend is said in a line. The first Ctrl-C cancels, the second leaves at once."""
    try:
        return asyncio.run(work)
    except (Refused, NotStarted) as error:
        raise fail(str(error)) from error
    except httpx.TransportError as error:
        words = str(error) or type(error).__name__
        raise fail(f"the gateway cannot be reached: {words}", Exit.NO_GATEWAY) from error
    except GatewayAway as error:
        raise fail(str(error), Exit.NO_GATEWAY) from error
    except httpx.InvalidURL as error:
        raise typer.BadParameter(f"--url: {error}") from error
    except KeyboardInterrupt:
        raise fail("interrupted", Exit.INTERRUPTED) from None


def models_folder(url: str | None, given: Path | None) -> Path | None:
    """Where the models of a gateway in this process are; None with `url`, whose gateway has its own."""
    if url is not None:
        return None
    try:
        return given.resolve() if given else find_models_dir()
    except FileNotFoundError as error:
        raise fail(str(error)) from error


def read_json(text: str | None, option: str) -> dict[str, Any] | None:
    """A JSON object, or the one in the file that `text` names."""
    if text is None:
        return None
    try:
        parsed = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"neither JSON nor a file that holds it: {error}", param_hint=option) from error
    if not isinstance(parsed, dict):
        raise typer.BadParameter("a JSON object is needed", param_hint=option)
    return parsed


def read_wishes(options: str | None, models: list[str] | None, *, segment: bool) -> dict[str, Any]:
    """The form's `options`: those given as JSON, with `--model` and `--segment` put in."""
    wishes = read_json(options, "--options") or {}
    chosen: dict[str, str] = {}
    for pair in models or ():
        stage, equals, name = pair.partition("=")
        if not (stage and equals and name):
            raise typer.BadParameter(f"{pair!r}: write STAGE=NAME, say segmentation=seg-t1", param_hint="--model")
        chosen[stage] = name
    if chosen:
        wishes["models"] = {**wishes.get("models", {}), **chosen}
    if segment:
        wishes["segment"] = "always"
    return wishes
