import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Form, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service_kit import app as app_module
from service_kit.app import create_service_app
from service_kit.errors import InferenceFailed, NotFound, NotReady, Overloaded, ServiceError
from service_kit.problems import Problem, declare
from service_kit.settings import ServiceSettings
from service_kit.testing import running_app

PROBLEM = "application/problem+json"


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Square(BaseModel):
    kind: Literal["square"]
    side: float


class Drawing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    shape: Annotated[Circle | Square, Field(discriminator="kind")]
    title: str = ""


class StageBroken(NotReady):
    """Declared by a service itself."""

    code = "stage_broken"
    title = "A stage is broken"


router = APIRouter(prefix="/v1")


@router.get("/items/{number}", responses=declare(NotFound, Overloaded, StageBroken))
async def read_item(number: int) -> Response:
    match number:
        case 1:
            raise NotFound("no such item", stage="view")
        case 2:
            raise Overloaded("later", retry_after_s=7)
        case 3:
            raise StageBroken("broken")
        case 4:
            raise InferenceFailed("failed") from KeyError("Jane Doe")
        case 5:
            raise ZeroDivisionError("Jane Doe")
        case 6:
            raise HTTPException(418, headers={"X-Pot": "tea"})
        case 7:
            raise HTTPException(401, "a key is needed")
    return Response(b"ok")


@router.post("/drawings")
async def draw(drawing: Drawing) -> Response:
    return Response(drawing.title.encode())


@router.post("/forms")
async def fill(file: UploadFile, note: Annotated[str, Form()]) -> Response:
    return Response(f"{file.size} {note}".encode())


def make_app(
    readiness: Callable[[], Awaitable[dict[str, bool]]] | None = None, optional: tuple[str, ...] = (), **settings: Any
) -> FastAPI:
    return create_service_app(
        title="Demo",
        version="1.2",
        settings=ServiceSettings(**settings),
        routers=[router],
        readiness=readiness,
        optional=optional,
    )


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with running_app(make_app()) as client:
        yield client


def check_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:neurogate:problem:{code}"
    assert (body["code"], body["status"]) == (code, status)
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    return body


async def test_alive_and_ready_without_any_need(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "ok"}
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": {}})


@pytest.mark.parametrize(
    ("checks", "optional", "status"),
    [
        ({"a": True, "b": True}, (), 200),
        ({"a": True, "b": False}, (), 503),
        ({"a": True, "b": False}, ("b",), 200),
        ({"a": False, "b": True}, ("b",), 503),
    ],
)
async def test_readiness_names_what_is_missing(checks: dict[str, bool], optional: tuple[str, ...], status: int) -> None:
    async def readiness() -> dict[str, bool]:
        return checks

    async with running_app(make_app(readiness, optional)) as client:
        answer = await client.get("/health/ready")
    assert answer.status_code == status
    assert answer.json() == {"status": "ok" if status == 200 else "not_ready", "checks": checks}


async def test_readiness_that_fails_is_not_ready(caplog: pytest.LogCaptureFixture) -> None:
    async def readiness() -> dict[str, bool]:
        raise ConnectionError("no route")

    async with running_app(make_app(readiness)) as client:
        answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"readiness": False})
    assert "the readiness check failed" in caplog.text


async def test_readiness_that_hangs_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def readiness() -> dict[str, bool]:
        await asyncio.sleep(60)
        return {"a": True}

    monkeypatch.setattr(app_module, "_READINESS_TIMEOUT_S", 0.01)
    async with running_app(make_app(readiness)) as client:
        answer = await client.get("/health/ready")
    assert answer.status_code == 503


async def test_service_errors_are_problems(client: httpx.AsyncClient) -> None:
    body = check_problem(await client.get("/v1/items/1"), 404, "not_found")
    assert (body["detail"], body["stage"]) == ("no such item", "view")
    answer = await client.get("/v1/items/2")
    check_problem(answer, 503, "overloaded")
    assert answer.headers["retry-after"] == "7"
    answer = await client.get("/v1/items/3")
    check_problem(answer, 503, "stage_broken")
    assert answer.headers["retry-after"] == "1"


async def test_server_side_errors_are_logged_with_their_cause(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    check_problem(await client.get("/v1/items/4"), 500, "inference_failed")
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.getMessage() == "answered 500 inference_failed: failed"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


async def test_unexpected_error_tells_nothing_and_is_logged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/v1/items/5")
    check_problem(answer, 500, "internal_error")
    assert "Jane" not in answer.text
    assert "ZeroDivision" not in answer.text
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


async def test_framework_errors_are_problems(client: httpx.AsyncClient) -> None:
    check_problem(await client.get("/v1/nothing"), 404, "not_found")
    check_problem(await client.get("/v1/items/9/"), 404, "not_found")
    answer = await client.delete("/v1/items/9")
    check_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"
    answer = await client.get("/v1/items/6")
    check_problem(answer, 418, "i_m_a_teapot")
    assert answer.headers["x-pot"] == "tea"
    assert check_problem(await client.get("/v1/items/7"), 401, "unauthorized")["detail"] == "a key is needed"


async def test_every_wrong_field_is_named_and_no_value_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/drawings", json={"shape": {"kind": "circle", "radius": "Jane Doe"}, "title": 5, "born": "1970-01-01"}
    )
    body = check_problem(answer, 422, "invalid_request")
    assert {tuple(field["loc"]) for field in body["errors"]} == {
        ("body", "shape", "circle", "radius"),
        ("body", "title"),
        ("body", "born"),
    }
    assert all(field.keys() == {"loc", "msg"} for field in body["errors"])
    assert "body.born" in body["detail"]
    assert "Jane" not in answer.text
    assert "1970" not in answer.text


async def test_unknown_tag_is_not_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/drawings", json={"shape": {"kind": "Jane Doe"}})
    check_problem(answer, 422, "invalid_request")
    assert "Jane" not in answer.text


async def test_many_or_long_wrong_fields_make_a_short_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/drawings", json={f"{i}" + "x" * 1000: 1 for i in range(500)})
    check_problem(answer, 422, "invalid_request")
    assert len(answer.json()["errors"]) == 32
    assert len(answer.content) < 10_000


@pytest.mark.parametrize(
    "content",
    [b"{", b'{"shape": NaN, "title": "x"}', b"\xff\xfe{}", b'{"shape":' + b"[" * 100_000, b"", b"null", b'"text"'],
)
async def test_malformed_json_is_a_422_problem(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/v1/drawings", content=content, headers={"content-type": "application/json"})
    check_problem(answer, 422, "invalid_request")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=xx", "text/plain"])
async def test_malformed_form_is_a_422_problem(client: httpx.AsyncClient, content_type: str) -> None:
    answer = await client.post("/v1/forms", content=b"nonsense", headers={"content-type": content_type})
    check_problem(answer, 422, "invalid_request")


async def test_wellformed_form_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/forms", files={"file": b"1234"}, data={"note": "hi"})
    assert answer.text == "4 hi"


async def test_metrics_count_requests_by_template(client: httpx.AsyncClient) -> None:
    for number in (1, 8, 9):
        await client.get(f"/v1/items/{number}")
    await client.get("/patients/jane")
    text = (await client.get("/metrics")).text
    assert 'neurogate_request_seconds_count{method="GET",route="/v1/items/{number}",status="200"} 2.0' in text
    assert 'neurogate_request_seconds_count{method="GET",route="/v1/items/{number}",status="404"} 1.0' in text
    assert 'neurogate_request_seconds_count{method="GET",route="-",status="404"} 1.0' in text
    assert "neurogate_requests_in_flight 0.0" in text
    assert "jane" not in text


async def test_applications_in_one_program_count_apart(client: httpx.AsyncClient) -> None:
    async with running_app(make_app()) as other:
        await other.get("/v1/items/8")
        assert "/v1/items/{number}" in (await other.get("/metrics")).text
    assert "/v1/items/{number}" not in (await client.get("/metrics")).text


async def test_lifespan_runs_around_the_requests() -> None:
    steps: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        steps.append("open")
        yield
        steps.append("close")

    app = create_service_app(title="Demo", version="1", settings=ServiceSettings(), routers=[router], lifespan=lifespan)
    async with running_app(app) as client:
        await client.get("/v1/items/8")
        assert steps == ["open"]
    assert steps == ["open", "close"]


def test_openapi_declares_problems() -> None:
    app = make_app()
    document = app.openapi()
    assert app.openapi() is document
    schemas = document["components"]["schemas"]
    assert "Problem" in schemas
    assert "HTTPValidationError" not in json.dumps(document)
    responses = document["paths"]["/v1/items/{number}"]["get"]["responses"]
    unavailable = responses["503"]
    assert set(unavailable["content"]) == {PROBLEM}
    assert set(unavailable["content"][PROBLEM]["examples"]) == {"overloaded", "stage_broken"}
    assert "Retry-After" in unavailable["headers"]
    assert responses["404"]["content"][PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert set(responses["422"]["content"]) == {PROBLEM}
    for name in ("/health/live", "/health/ready", "/metrics"):
        assert name in document["paths"]


def test_examples_in_openapi_have_the_shape_of_problems() -> None:
    kinds = [kind for kind in _every_error() if kind is not ServiceError]
    assert len(kinds) > 10
    for response in declare(*kinds).values():
        for example in response["content"][PROBLEM]["examples"].values():
            Problem.model_validate(example["value"])


def _every_error() -> list[type[ServiceError]]:
    found, rest = [], [ServiceError]
    while rest:
        kind = rest.pop()
        found.append(kind)
        rest += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == "service_kit.errors"]
