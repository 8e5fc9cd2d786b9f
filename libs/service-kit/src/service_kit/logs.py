"""Logs: one JSON object a line on the standard error. Nothing of a request's body, query or patient is in them."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from service_kit import context
from service_kit.settings import LogLevel

access = logging.getLogger("service_kit.access")

_MAX_FRAMES = 8


class JsonLine:
    """A log message that is a JSON object's inside already: written as it is."""

    __slots__ = ("fields",)

    def __init__(self, fields: str) -> None:
        self.fields = fields

    def __str__(self) -> str:
        return f"{{{self.fields}}}"


class JsonFormatter(logging.Formatter):
    """Records as JSON. A traceback shows where an error happened, not its message, which may hold what was sent."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        start = f'"time":"{datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")}"'
        start += f',"level":"{record.levelname.lower()}"'
        if isinstance(record.msg, JsonLine):
            return f"{{{start},{record.msg.fields}}}"
        fields: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        request_id = context.request_id()
        if request_id is not None:
            fields["request_id"] = request_id
        if record.exc_info and record.exc_info[1] is not None:
            fields["exception"] = describe(record.exc_info[1])
        return f"{{{start},{json.dumps(fields, ensure_ascii=False)[1:-1]}}}"


def describe(error: BaseException) -> list[str]:
    """The chain of an error, outermost first: its type, and file, line and function of the last frames."""
    chain: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        frames = traceback.extract_tb(link.__traceback__)[-_MAX_FRAMES:]
        where = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        chain.append(f"{type(link).__module__}.{type(link).__qualname__} at {where}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return chain


def configure_logging(level: LogLevel) -> None:
    """Send every log record to the standard error as JSON. Calling it again replaces what it set before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # What no line shows need not be found out for each record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # The libraries' own request logs name full URLs, which hold more than a log should.
    for name in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
