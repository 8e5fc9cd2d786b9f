"""`neurogate up` and `neurogate down`. Their bodies import the services: no other command waits for that."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from neurogate.terminal import DataDir, ModelsDir, fail, models_folder
from service_kit.errors import ModelInvalid

Host = Annotated[str, typer.Option(help="Address to listen on; anything but loopback needs --api-key.")]
Port = Annotated[int, typer.Option(min=1, max=65535)]
_DATA_DIR = Path(".neurogate")


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
    from neurogate import server  # noqa: PLC0415
    from neurogate.embedded_redis import RedisNotStarted  # noqa: PLC0415

    folder = models_folder(None, models_dir) or Path()
    options = server.Options(host, port, data_dir, folder, tuple(api_key or ()))
    try:
        if detach:
            arguments = ["--host", host, "--port", str(port), "--data-dir", str(data_dir)]
            arguments += ["--models-dir", str(options.models_dir)]
            typer.echo(f"ready {server.start_detached(options, arguments)}")
        else:
            server.run(options)
    except ValidationError as error:
        raise fail("; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())) from error
    except (server.ServerNotStarted, RedisNotStarted, ModelInvalid) as error:
        raise fail(str(error)) from error


def down(data_dir: DataDir = _DATA_DIR) -> None:
    """End the server that runs on this data folder."""
    from neurogate import server  # noqa: PLC0415

    options = server.Options("127.0.0.1", 8000, data_dir, Path())
    try:
        stopped = server.stop_detached(options)
    except TimeoutError as error:
        raise fail(str(error)) from error
    typer.echo("stopped" if stopped else "nothing runs here")
