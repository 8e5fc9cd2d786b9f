"""What is refused: each with its status and code, as problem+json, and nothing is stored."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio

from tests.integration.test_analyses import PNG, listed, problem
from tests.unit.gateway_imaging.bad_inputs import BAD_INPUTS

pytestmark = pytest.mark.asyncio(loop_scope="session")

Files = list[tuple[str, tuple[str, bytes, str]]]
SCAN: Files = [("file", ("slice.png", PNG, "image/png"))]
FORM = "multipart/form-data; boundary=b"


@dataclass(frozen=True)
class BadRequest:
    status: int
    code: str
    files: Files = field(default_factory=lambda: SCAN)
    fields: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    words: str = ""


def options(text: str, words: str) -> BadRequest:
    return BadRequest(422, "invalid_options", fields={"options": text}, words=words)


def clinical(text: str, words: str) -> BadRequest:
    return BadRequest(422, "invalid_clinical_record", fields={"clinical": text}, words=words)


def body(content: bytes, kind: str, status: int, code: str) -> BadRequest:
    return BadRequest(status, code, content=content, headers={"content-type": kind})


BAD_REQUESTS: dict[str, BadRequest] = {
    "json instead of a form": body(b"{}", "application/json", 415, "unsupported_media_type"),
    "bare picture": body(PNG, "image/png", 415, "unsupported_media_type"),
    "url-encoded form": body(b"file=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    "no body": body(b"", FORM, 422, "invalid_form"),
    "no boundary": body(b"x", "multipart/form-data", 422, "invalid_form"),
    "other boundary": body(b"--c\r\n\r\n", FORM, 422, "invalid_form"),
    "form cut short": body(
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + PNG, FORM, 422, "invalid_form"
    ),
    "unknown part": BadRequest(422, "invalid_form", [("image", ("a.png", PNG, "image/png"))], words="file, flair, t1"),
    "unknown field": BadRequest(422, "invalid_form", fields={"patient": "x"}, words="clinical, options"),
    "two pictures": BadRequest(422, "parts_conflict", SCAN * 2, words="one by one"),
    "options twice": body(
        b'--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n{}\r\n' * 2 + b"--b--\r\n",
        FORM,
        422,
        "invalid_form",
    ),
    "options too long": BadRequest(413, "payload_too_large", fields={"options": " " * 70_000}),
    "options no json": options("segment=never", "not JSON"),
    "options a list": options("[]", "object"),
    "unknown option": options('{"segments": "never"}', "'segments' is not an option"),
    "option of a wrong type": options('{"heatmap": "yes"}', "heatmap"),
    "unknown policy": options('{"segment": "sometimes"}', "segment"),
    "unknown sequence": options('{"sequence": "dwi"}', "sequence"),
    "unknown stage": options('{"models": {"quality": "x"}}', "models.quality"),
    "option twice": options('{"segment": "never", "segment": "always"}', "twice"),
    "unknown model": BadRequest(
        422, "invalid_options", fields={"options": '{"models": {"segmentation": "nnunet"}, "segment": "always"}'}
    ),
    "unknown view model": BadRequest(422, "invalid_options", fields={"options": '{"models": {"view": "vgg16"}}'}),
    "sequence for a named part": BadRequest(
        422,
        "parts_conflict",
        [("t1", ("a.png", PNG, "image/png"))],
        fields={"options": '{"sequence": "flair"}'},
    ),
    "record no json": clinical("age=3", "not JSON"),
    "record cut short": clinical('{"age": 61', "not JSON"),
    "record with NaN": clinical('{"age": NaN}', "NaN"),
    "record with Infinity": clinical('{"age": -Infinity}', "Infinity"),
    "record with a huge number": clinical('{"age": 1e999}', "too large"),
    "record with a field twice": clinical('{"age": 1, "age": 2}', "twice"),
    "record nested too deeply": clinical('{"a":' * 9_000, "deeply"),
    "record of an old man": clinical('{"age": 300}', "age"),
    "record with a wrong type": clinical('{"age": "sixty"}', "age"),
    "record with an unknown field": clinical('{"shoe_size": 44}', "shoe_size"),
    "record that leaks the answer": clinical('{"laterality": "left"}', "laterality"),
    "deadline no number": BadRequest(422, "invalid_request", headers={"x-deadline-ms": "soon"}),
    "empty idempotency key": BadRequest(422, "invalid_request", headers={"idempotency-key": ""}),
    "long idempotency key": BadRequest(422, "invalid_request", headers={"idempotency-key": "k" * 300}),
}


@pytest_asyncio.fixture(loop_scope="session")
async def unchanged(gateway: httpx.AsyncClient) -> AsyncIterator[None]:
    """Nothing is stored by the test."""
    before = await listed(gateway)
    yield
    assert await listed(gateway) == before


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", [name for name in BAD_INPUTS if name != "no file"])
async def test_a_bad_file_is_refused(gateway: httpx.AsyncClient, name: str) -> None:
    bad = BAD_INPUTS[name]
    files = [(part.name, (part.filename, part.content, part.content_type or "image/png")) for part in bad.parts()]
    answer = await gateway.post("/v1/analyses", files=files)
    assert (answer.status_code, problem(answer)["code"]) == bad.refused, answer.text
    assert len(answer.json()["detail"]) > 20


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_is_refused(gateway: httpx.AsyncClient, name: str) -> None:
    bad = BAD_REQUESTS[name]
    if bad.content is not None:
        answer = await gateway.post("/v1/analyses", content=bad.content, headers=bad.headers)
    else:
        answer = await gateway.post("/v1/analyses", files=bad.files, data=bad.fields, headers=bad.headers)
    assert (answer.status_code, problem(answer)["code"]) == (bad.status, bad.code), answer.text
    assert bad.words in answer.text


@pytest.mark.usefixtures("unchanged")
async def test_a_form_without_a_file_is_refused(gateway: httpx.AsyncClient) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n{}\r\n--b--\r\n'
    answer = await gateway.post("/v1/analyses", content=form, headers={"content-type": FORM})
    assert (answer.status_code, problem(answer)["code"]) == (422, "parts_conflict")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("begin", "refusal"),
    [(b"\x89PNG\r\n\x1a\n", (413, "file_too_large")), (bytes(8), (415, "unsupported_format"))],
    ids=["a picture", "no format"],
)
async def test_an_endless_file_is_refused_while_it_arrives(
    gateway: httpx.AsyncClient, begin: bytes, refusal: tuple[int, str]
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + begin
        for _ in range(4096):
            yield bytes(2**20)

    try:
        answer = await gateway.post("/v1/analyses", content=endless(), headers={"content-type": FORM})
    except httpx.WriteError:
        return  # a real server closes the connection under whoever goes on sending
    assert (answer.status_code, problem(answer)["code"]) == refusal


@pytest.mark.usefixtures("unchanged")
async def test_what_was_sent_is_not_repeated(gateway: httpx.AsyncClient) -> None:
    for record in ({"name": "Jane Doe"}, {"age": "Jane Doe"}, {"sex": "Jane Doe"}, {"birth_date": "Jane Doe"}):
        answer = await gateway.post("/v1/analyses", files=SCAN, data={"clinical": json.dumps(record)})
        assert answer.status_code == 422
        assert "Jane" not in answer.text
    answer = await gateway.post("/v1/analyses", files=[("file", ("Doe^Jane.png", b"no picture", "image/png"))])
    assert answer.status_code == 415
    assert "Jane" not in answer.text


async def test_wrong_methods_and_paths_are_problems_too(gateway: httpx.AsyncClient) -> None:
    for method, path, status in (
        ("PUT", "/v1/analyses", 405),
        ("PATCH", "/v1/models", 405),
        ("GET", "/v2/analyses", 404),
        ("GET", "/v1/analyses/", 404),
    ):
        answer = await gateway.request(method, path)
        assert answer.status_code == status, path
        problem(answer)
