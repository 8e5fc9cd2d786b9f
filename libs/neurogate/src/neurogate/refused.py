"""A problem that the gateway answered with, in words."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import httpx


def problem_text(problem: Mapping[str, Any]) -> str:
    """Title, detail, status and code of a problem, and the fields at fault, each on a line."""
    fields = "".join(
        f"\n  {'.'.join(map(str, field.get('loc', ())))}: {field.get('msg', '')}"
        for field in problem.get("errors") or ()
    )
    return f"{problem['title']}: {problem['detail']} [{problem['status']} {problem['code']}]{fields}"


class Refused(RuntimeError):
    """The gateway did not answer with a result; the message is its problem's title, detail and code."""

    def __init__(self, response: httpx.Response) -> None:
        self.problem: dict[str, Any] = {"title": response.reason_phrase, "detail": "", "code": ""}
        with contextlib.suppress(json.JSONDecodeError, UnicodeDecodeError):  # a proxy in between answers what it likes
            body = response.json()
            if isinstance(body, dict):
                self.problem |= body
        self.problem["status"] = response.status_code
        super().__init__(problem_text(self.problem))


class NotStarted(RuntimeError):
    """A gateway of our own cannot be started; the message says why."""
