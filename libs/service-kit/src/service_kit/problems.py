"""Errors as RFC 9457 `application/problem+json`, in answers and in OpenAPI."""

import http
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service_kit import context, errors
from service_kit.errors import InvalidRequest, ServiceError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:neurogate:problem:"

_DEFAULT_RETRY_AFTER_S = 1
_MAX_FIELDS = 32
_MAX_NAME_CHARACTERS = 64
# Messages of these kinds repeat what was sent.
_MESSAGES_WITHOUT_INPUT = {"union_tag_invalid": "Input is of no known kind"}


# Where the framework says no more than the status does.
_DETAILS: dict[int, str] = {
    http.HTTPStatus.NOT_FOUND: "there is nothing at this path; /docs lists what there is",
    http.HTTPStatus.METHOD_NOT_ALLOWED: "this path is there, but not for this method; Allow names those that are",
}


class FieldProblem(BaseModel):
    """One wrong field: where it is, and what it must be."""

    loc: list[str | int]
    msg: str


class MeasuredValue(BaseModel):
    """The number behind a refusal, and the limit that it broke."""

    name: str = Field(description="What was measured, with its unit as a suffix")
    value: float
    limit: float


class Problem(BaseModel):
    """The body of every answer that is an error."""

    type: str = Field(description="URN of the kind of problem")
    title: str
    status: int
    detail: str = Field(description="What to fix; never what was sent")
    code: str = Field(description="The kind of problem, for programs")
    request_id: str | None
    stage: str | None = Field(default=None, description="The part of the pipeline that failed")
    errors: list[FieldProblem] | None = Field(default=None, description="The fields that are wrong")
    measurement: MeasuredValue | None = Field(default=None, description="What was measured, and its limit")


def render(
    error: ServiceError, *, fields: Sequence[Mapping[str, Any]] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """The answer that tells of `error`."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": context.request_id(),
    }
    if error.stage is not None:
        body["stage"] = error.stage
    if error.measurement is not None:
        body["measurement"] = asdict(error.measurement)
    if fields:
        body["errors"] = list(fields)
    response = Response(
        json.dumps(body, ensure_ascii=False).encode(), status_code=error.status, media_type=MEDIA_TYPE, headers=headers
    )
    retry_after_s = error.retry_after_s
    if retry_after_s is None and error.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        retry_after_s = _DEFAULT_RETRY_AFTER_S
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def render_validation(error: RequestValidationError) -> Response:
    """The answer to a request that breaks the contract: every wrong field, without the values that were sent."""
    fields = [
        {
            "loc": [part if isinstance(part, int) else part[:_MAX_NAME_CHARACTERS] for part in item["loc"]],
            "msg": _MESSAGES_WITHOUT_INPUT.get(item["type"], item["msg"]),
        }
        for item in error.errors()[:_MAX_FIELDS]
    ]
    names = ", ".join(".".join(map(str, field["loc"])) for field in fields[:5])
    return render(InvalidRequest(f"these fields are missing or wrong: {names}"), fields=fields)


def render_http(error: HTTPException) -> Response:
    """The answer for an error that the web framework found: no such path, no such method, an unreadable body."""
    if error.status_code == http.HTTPStatus.BAD_REQUEST:
        # A body that cannot be read is refused like a body that can be read and is wrong.
        return render(InvalidRequest(f"the body cannot be read: {error.detail}"))
    detail = str(error.detail)
    if detail == http.HTTPStatus(error.status_code).phrase:
        detail = _DETAILS.get(error.status_code, detail)
    known = _BY_STATUS.get(error.status_code)
    problem = known(detail) if known else _FrameworkError(error.status_code, detail)
    return render(problem, headers=error.headers)


def declare(*types: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """What a route says in OpenAPI of the errors that it can answer with: `responses=declare(NotFound, ...)`."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in sorted(types, key=lambda kind: (kind.status, kind.code)):
        response = responses.setdefault(
            kind.status,
            {
                "description": http.HTTPStatus(kind.status).phrase,
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        response["content"][MEDIA_TYPE]["examples"][kind.code] = {"summary": kind.title, "value": _example(kind)}
        if kind.retryable:
            response["headers"] = {
                "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 0}}
            }
    return responses


def describe_in(document: dict[str, Any]) -> dict[str, Any]:
    """Put Problem into an OpenAPI document, and in the place of the framework's own validation error."""
    components = document.setdefault("components", {}).setdefault("schemas", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(schema.pop("$defs"))
    components["Problem"] = schema
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    for operation in _operations(document):
        found = operation.get("responses", {}).get("422", {}).get("content", {})
        if "HTTPValidationError" in json.dumps(found):
            operation["responses"]["422"] = declare(InvalidRequest)[422]
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document.get("paths", {}).values():
        for operation in path.values():
            if isinstance(operation, dict):
                yield operation


def _example(kind: type[ServiceError]) -> dict[str, Any]:
    detail = (kind.__doc__ or kind.title).strip().splitlines()[0]
    return {
        "type": TYPE_PREFIX + kind.code,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": kind.code,
        "request_id": "5f3c1b0e9a7d42c8",
    }


class _FrameworkError(ServiceError):
    """An HTTP status that no ServiceError stands for."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        phrase = http.HTTPStatus(status).phrase
        self.status = status
        self.title = phrase
        self.code = re.sub("[^a-z]+", "_", phrase.lower())


_BY_STATUS: dict[int, type[ServiceError]] = {
    kind.status: kind
    for kind in (
        errors.NotFound,
        errors.Unauthorized,
        errors.Forbidden,
        errors.Conflict,
        errors.PayloadTooLarge,
        errors.UnsupportedMedia,
        errors.InvalidRequest,
    )
}
