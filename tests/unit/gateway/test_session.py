"""Browsers that sign in: the cookie, what it opens, and what another site's page cannot do with it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from fastapi import FastAPI
from pydantic import SecretStr

from gateway.app import create_app
from gateway.security import SESSION_COOKIE, KeyGuard
from gateway.settings import GatewaySettings
from service_kit.errors import Forbidden, Unauthorized
from service_kit.testing import running_app

KEY, OTHER = "k" * 24, "another-key-of-24-letters"
GUARD = KeyGuard([SecretStr(KEY), SecretStr(OTHER)])
SESSION = GUARD.open_session(KEY)
HOST = {"host": "gateway.example:8000"}
OWN = {"sec-fetch-site": "same-origin"}


def locked() -> FastAPI:
    return create_app(GatewaySettings(api_keys=(SecretStr(KEY), SecretStr(OTHER))), redis=FakeAsyncRedis())


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    async with running_app(locked()) as client:
        yield client


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert KEY not in answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_browser_signs_in_and_out(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/session")).json() == {"required": True, "signed_in": False}
    problem(await browser.get("/v1/analyses"), 401)
    opened = await browser.post("/session", json={"key": KEY})
    assert (opened.status_code, opened.content) == (204, b"")
    assert opened.headers["cache-control"] == "no-store"
    assert (await browser.get("/session")).json() == {"required": True, "signed_in": True}
    assert (await browser.get("/v1/analyses")).status_code == 200
    closed = await browser.delete("/session")
    assert closed.status_code == 204
    assert SESSION_COOKIE not in browser.cookies
    assert (await browser.get("/session")).json() == {"required": True, "signed_in": False}
    problem(await browser.get("/v1/analyses"), 401)


async def test_scripts_other_sites_and_plain_http_do_not_get_the_cookie(browser: httpx.AsyncClient) -> None:
    plain = (await browser.post("/session", json={"key": KEY})).headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(plain.split("; "))
    assert "Secure" not in plain
    assert KEY not in plain
    for asked in ("https://service/session", "http://service/session"):
        headers = {} if asked.startswith("https") else {"X-Forwarded-Proto": "https"}
        secure = (await browser.post(asked, json={"key": KEY}, headers=headers)).headers["set-cookie"]
        assert "Secure" in secure.split("; ")


@pytest.mark.parametrize("key", ["wrong", KEY + "x", "ключ", SESSION])
async def test_a_wrong_key_opens_nothing(browser: httpx.AsyncClient, key: str) -> None:
    answer = await browser.post("/session", json={"key": key})
    assert problem(answer, 401)["code"] == "unauthorized"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("content", "kind", "status", "words"),
    [
        (b"{}", "application/json", 422, "key"),
        (b'{"key": ""}', "application/json", 422, "key"),
        (b'{"key": 5}', "application/json", 422, "key"),
        (b'{"key": "a", "name": "b"}', "application/json", 422, "'name' is not known"),
        (b"key=abc", "application/json", 422, "not JSON"),
        (b'{"key": "a", "key": "b"}', "application/json", 422, "twice"),
        (b'{"key": "abc"}', "application/x-www-form-urlencoded", 415, "application/json"),
        (b'{"key": "' + b"a" * 9000 + b'"}', "application/json", 413, "bytes"),
    ],
)
async def test_a_bad_body_is_refused(
    browser: httpx.AsyncClient, content: bytes, kind: str, status: int, words: str
) -> None:
    answer = await browser.post("/session", content=content, headers={"content-type": kind})
    assert words in problem(answer, status)["detail"]


async def test_without_keys_nobody_needs_to_sign_in() -> None:
    async with running_app(create_app(GatewaySettings(), redis=FakeAsyncRedis())) as client:
        assert (await client.get("/session")).json() == {"required": False, "signed_in": False}
        opened = await client.post("/session", json={"key": "whatever"})
        assert opened.status_code == 204
        assert "set-cookie" not in opened.headers
        client.cookies.set(SESSION_COOKIE, "of another gateway on this host")
        assert (await client.get("/v1/analyses")).status_code == 200


async def test_a_change_by_cookie_needs_our_own_page(browser: httpx.AsyncClient) -> None:
    await browser.post("/session", json={"key": KEY})
    path = "/v1/analyses/019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10"
    assert problem(await browser.delete(path), 403)["code"] == "forbidden"
    assert problem(await browser.delete(path, headers={"Sec-Fetch-Site": "cross-site"}), 403)["code"] == "forbidden"
    assert problem(await browser.delete(path, headers={"Sec-Fetch-Site": "same-origin"}), 404)["code"] == "not_found"
    assert problem(await browser.delete(path, headers={"X-API-Key": KEY}), 404)["code"] == "not_found"


def test_a_session_is_its_keys_principal_and_holds_no_key() -> None:
    assert GUARD.admit("GET", {}, SESSION) == GUARD.identify(None, KEY)
    assert GUARD.admit("GET", {}, GUARD.open_session(OTHER)) == GUARD.identify(None, OTHER)
    assert KEY not in SESSION
    assert GUARD.open_session(OTHER) != SESSION
    assert KeyGuard([SecretStr(KEY)]).open_session(KEY) == SESSION


def test_a_withdrawn_key_ends_its_sessions() -> None:
    with pytest.raises(Unauthorized):
        KeyGuard([SecretStr(OTHER)]).admit("GET", {}, SESSION)


@pytest.mark.parametrize("cookie", [None, "", "x", SESSION[:-1], SESSION + "0", KEY, "ключ"])
def test_what_is_no_session_is_refused(cookie: str | None) -> None:
    with pytest.raises(Unauthorized):
        GUARD.admit("GET", OWN, cookie)


def test_a_key_in_a_header_goes_before_the_cookie() -> None:
    assert GUARD.admit("POST", {"x-api-key": OTHER}, SESSION) == GUARD.identify(None, OTHER)
    with pytest.raises(Unauthorized):
        GUARD.admit("GET", {"authorization": "Bearer wrong"}, SESSION)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        HOST | {"origin": "http://gateway.example:8000"},
        HOST | {"origin": "https://gateway.example:8000"},
        HOST | OWN | {"origin": "http://localhost:5173"},
    ],
)
def test_our_own_page_may_change_things(method: str, headers: dict[str, str]) -> None:
    assert GUARD.admit(method, headers, SESSION) == GUARD.identify(None, KEY)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        HOST,
        {"origin": "http://gateway.example:8000"},
        HOST | {"origin": "null"},
        HOST | {"origin": ""},
        HOST | {"origin": "http://["},
        {"host": "", "origin": ""},
        HOST | {"origin": "http://evil.example"},
        HOST | {"origin": "http://gateway.example:8000.evil.example"},
        HOST | {"origin": "http://gateway.example"},
        HOST | {"sec-fetch-site": "same-site", "origin": "http://gateway.example:8000"},
        HOST | {"sec-fetch-site": "none"},
        HOST | {"sec-fetch-site": "cross-site"},
    ],
)
def test_another_sites_page_may_not(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        GUARD.admit(method, headers, SESSION)


async def test_openapi_tells_of_sessions(browser: httpx.AsyncClient) -> None:
    document = (await browser.get("/openapi.json")).json()
    assert set(document["paths"]["/session"]) == {"get", "post", "delete"}
    assert document["paths"]["/session"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert document["components"]["securitySchemes"]["session"]["in"] == "cookie"
    assert {"session": []} in document["paths"]["/v1/analyses"]["get"]["security"]
