"""The command `neurogate`."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from neurogate import server
from neurogate.client import GatewayClient, Refused, open_client
from neurogate.display import analysis_panel, models_table
from neurogate.embedded_redis import RedisNotStarted
from neurogate.stack import find_models_dir
from service_kit.errors import ModelInvalid

app = typer.Typer(help="AI on brain MRI: a scan in, an answer out. Research use only.", no_args_is_help=True)
# A pipe has no width of its own; 120 columns keep the tables whole.
_out = Console(width=None if sys.stdout.isatty() else 120)
_err = Console(stderr=True, width=None if sys.stderr.isatty() else 120)

Result = TypeVar("Result")
Host = Annotated[str, typer.Option(help="Address to listen on; anything but loopback needs --api-key.")]
Port = Annotated[int, typer.Option(min=1, max=65535)]
DataDir = Annotated[Path, typer.Option(help="What must last: results, the log.", envvar="NEUROGATE_DATA_DIR")]
ModelsDir = Annotated[
    Path | None, typer.Option(help="The model repository.", envvar="NEUROGATE_MODELS_DIR", exists=True, file_okay=False)
]
Url = Annotated[str | None, typer.Option(help="A running gateway; without it, one is started in this process.")]
_DATA_DIR = Path(".neurogate")


def _fail(message: str) -> typer.Exit:
    _err.print(f"neurogate: {message}", style="red", markup=False, highlight=False)
    return typer.Exit(code=1)


def _models_dir(given: Path | None) -> Path:
    try:
        return given.resolve() if given else find_models_dir()
    except FileNotFoundError as error:
        raise _fail(str(error)) from error


@app.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: DataDir = _DATA_DIR,
    models_dir: ModelsDir = None,
    api_key: Annotated[list[str] | None, typer.Option(help="May be repeated.", envvar="NEUROGATE_API_KEYS")] = None,
    *,
    detach: Annotated[
        bool, typer.Option("--detach", help="Start in the background; `neurogate down` ends it.")
    ] = False,
) -> None:
    """Start every service in one process, with an embedded Redis, and print `ready URL`."""
    options = server.Options(host, port, data_dir, _models_dir(models_dir), tuple(api_key or ()))
    try:
        if detach:
            arguments = ["--host", host, "--port", str(port), "--data-dir", str(data_dir)]
            arguments += ["--models-dir", str(options.models_dir)]
            typer.echo(f"ready {server.start_detached(options, arguments)}")
        else:
            server.run(options)
    except ValidationError as error:
        raise _fail("; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())) from error
    except (server.ServerNotStarted, RedisNotStarted, ModelInvalid) as error:
        raise _fail(str(error)) from error


@app.command()
def down(data_dir: DataDir = _DATA_DIR) -> None:
    """End the server that runs on this data folder."""
    options = server.Options("127.0.0.1", 8000, data_dir, Path())
    try:
        stopped = server.stop_detached(options)
    except TimeoutError as error:
        raise _fail(str(error)) from error
    typer.echo("stopped" if stopped else "nothing runs here")


@app.command()
def analyze(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True)],
    clinical: Annotated[str | None, typer.Option(help="The clinical record: JSON, or a file that holds it.")] = None,
    options: Annotated[str | None, typer.Option(help='JSON, say {"segment": "always"}.')] = None,
    out: Annotated[Path | None, typer.Option(help="Write the artifacts here, a folder a file.")] = None,
    url: Url = None,
    models_dir: ModelsDir = None,
) -> None:
    """Analyze scans and print what was found; exit code 1 when one of them was refused."""
    record, wishes = _json(clinical, "--clinical"), _json(options, "--options")
    models = None if url else _models_dir(models_dir)
    refused = _run(_analyze_all(files, record, wishes, out, url, models))
    if refused:
        raise _fail(f"{refused} of {len(files)} files got no answer")


async def _analyze_all(
    files: list[Path],
    record: dict[str, Any] | None,
    wishes: dict[str, Any] | None,
    out: Path | None,
    url: str | None,
    models_dir: Path | None,
) -> int:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=_err,
        disable=len(files) < 2,
    )
    refused = 0
    async with open_client(url, models_dir) as client:
        with bar:
            task = bar.add_task("analyzing", total=len(files))
            for file in files:
                refused += not await _analyze_one(client, file, record, wishes, out)
                bar.advance(task)
    return refused


async def _analyze_one(
    client: GatewayClient,
    file: Path,
    record: dict[str, Any] | None,
    wishes: dict[str, Any] | None,
    out: Path | None,
) -> bool:
    try:
        analysis = await client.analyze(file, clinical=record, options=wishes)
        written = await client.download(analysis, out / file.stem) if out else []
    except Refused as refusal:
        _err.print(f"{file.name}: {refusal}", style="red", markup=False, highlight=False)
        return False
    except OSError as error:
        raise _fail(f"{file}: {error}") from error
    _out.print(analysis_panel(file.name, analysis, written))
    return True


@app.command()
def models(url: Url = None, models_dir: ModelsDir = None) -> None:
    """List the published models with the provider that they run on."""

    async def listing() -> list[dict[str, Any]]:
        async with open_client(url, None if url else _models_dir(models_dir)) as client:
            return await client.models()

    _out.print(models_table(_run(listing())))


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; what a person can mend is said in a line."""
    try:
        return asyncio.run(work)
    except (Refused, ModelInvalid, RedisNotStarted) as error:
        raise _fail(str(error)) from error
    except httpx.TransportError as error:
        raise _fail(f"the gateway cannot be reached: {str(error) or type(error).__name__}") from error


def _json(text: str | None, option: str) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        parsed = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise _fail(f"{option}: neither JSON nor a file that holds it: {error}") from error
    if not isinstance(parsed, dict):
        raise _fail(f"{option}: a JSON object is needed")
    return parsed
