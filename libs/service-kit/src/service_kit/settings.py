"""Settings: read from the environment once, in a composition root, and frozen from then on."""

import difflib
import os
import sys
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

SettingsT = TypeVar("SettingsT", bound=BaseSettings)

LogLevel = Literal["debug", "info", "warning", "error"]

_EXIT_WRONG_SETTINGS = 2
# Variables that Kubernetes and Docker put there by themselves for a service of that name.
_LINK_MARKS = ("_SERVICE_HOST", "_SERVICE_PORT", "_PORT_")


class ServiceSettings(BaseSettings):
    """What every service can be told. A subclass sets `env_prefix` and adds its own fields."""

    model_config = SettingsConfigDict(frozen=True, env_nested_delimiter="__", env_nested_max_split=1, extra="forbid")

    host: Annotated[str, Field(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="TCP port to listen on.")] = 8000
    log_level: Annotated[LogLevel, Field(description="Least severe message that is logged.")] = "info"
    max_body_bytes: Annotated[int, Field(gt=0, description="Largest request body; more is refused with 413.")] = (
        64 * 1024 * 1024
    )
    max_in_flight: Annotated[
        int, Field(gt=0, description="Requests answered at the same time; more are refused at once with 503.")
    ] = 64
    request_timeout_s: Annotated[
        float, Field(gt=0, description="Longest that a request may take until its answer begins.")
    ] = 30.0


def load_settings(cls: type[SettingsT]) -> SettingsT:
    """Settings from the environment, or the end of the program with one line for each wrong variable.

    A variable with the right prefix that is no setting is most likely misspelled: it gets a warning.
    Values are never printed: some are secrets.

    Raises:
        SystemExit: with code 2.
    """
    prefix = str(cls.model_config.get("env_prefix", ""))
    for line in _unknown_variables(cls, prefix):
        sys.stderr.write(f"warning: {line}\n")
    try:
        return cls()
    except ValidationError as error:
        lines = [f"{_variable(prefix, item['loc'])}: {item['msg']}" for item in error.errors(include_input=False)]
    except SettingsError as error:
        lines = [str(error)]
    sys.stderr.writelines(f"{line}\n" for line in lines)
    raise SystemExit(_EXIT_WRONG_SETTINGS)


def _variable(prefix: str, location: tuple[int | str, ...]) -> str:
    if not location:
        return f"{prefix}*"
    names = [str(part) for part in location if isinstance(part, str)]
    return f"{prefix}{'__'.join(names)}".upper()


def _unknown_variables(cls: type[BaseSettings], prefix: str) -> list[str]:
    if not prefix:
        return []
    known = {f"{prefix}{name}".upper() for name in cls.model_fields}
    lines = []
    for variable in sorted(os.environ):
        name = variable.upper()
        if not name.startswith(prefix.upper()) or any(mark in name for mark in _LINK_MARKS):
            continue
        if name.split("__", 1)[0] not in known:
            close = difflib.get_close_matches(name, known, n=1)
            lines.append(f"{variable}: no such setting" + (f"; {close[0]} is meant?" if close else ""))
    return lines
