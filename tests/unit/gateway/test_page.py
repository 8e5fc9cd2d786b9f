"""The page's files over HTTP, from a small build of their own; and what a gateway without a build says."""

import gzip
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from fastapi import FastAPI
from pydantic import SecretStr

from gateway.api.page import PAGE_POLICY
from gateway.app import create_app
from gateway.settings import GatewaySettings
from service_kit.testing import running_app

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = b"export const words = 'the same again, and again, and again, and again, and again';\n" * 20
FILES = {
    "index.html": b"<!doctype html><title>NeuroGate</title><p>the page, the page, the page, the page, the page</p>",
    "favicon.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><rect/><rect/><rect/><rect/><rect/><rect/></svg>',
    "assets/main-1a2b3c.js": SCRIPT,
    "assets/main-4d5e6f.css": b"p { margin: 0 }\n" * 20,
    "assets/tiny-aa.js": b"1",
    "assets/font-77.woff2": b"wOF2" * 30,
    "assets/engine-88.wasm": b"\0asm" * 30,
    "samples/samples.json": b'[{"name": "axial-glioma", "files": ["axial-glioma.png"]}]',
    "samples/axial-glioma.png": b"\x89PNG" * 30,
    "samples/volume/t1.nii.gz": b"\x1f\x8b" * 30,
}
TYPES = {
    "favicon.svg": "image/svg+xml",
    "assets/main-1a2b3c.js": "text/javascript; charset=utf-8",
    "assets/main-4d5e6f.css": "text/css; charset=utf-8",
    "assets/font-77.woff2": "font/woff2",
    "assets/engine-88.wasm": "application/wasm",
    "samples/samples.json": "application/json",
    "samples/axial-glioma.png": "image/png",
    "samples/volume/t1.nii.gz": "application/gzip",
}
ROUTES = (
    "/",
    "/analyses/019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10",
    "/worklist",
    "/compare/a/b",
    "/models",
    "/models/tumor",
)


def build(folder: Path) -> Path:
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def gateway_with(page_dir: Path) -> FastAPI:
    # With keys set, so that each test shows that the page needs none.
    settings = GatewaySettings(api_keys=(SecretStr("k" * 24),))
    return create_app(settings, redis=FakeAsyncRedis(), page_dir=page_dir)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """One gateway for all: the page needs nothing of what its lifespan starts."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "secret.txt").write_text("not part of the page")
    return gateway_with(build(folder / "dist"))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        yield client


@pytest.mark.parametrize("path", ROUTES)
async def test_every_route_of_the_page_answers_its_html_with_a_strict_policy(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.content == FILES["index.html"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "geolocation=()" in answer.headers["permissions-policy"]


def test_the_policy_lets_nothing_inline_and_nothing_from_elsewhere_in() -> None:
    assert PAGE_POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    for word in ("unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"):
        assert word not in PAGE_POLICY


@pytest.mark.parametrize("name", TYPES)
async def test_every_file_has_its_bytes_and_its_type(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/{name}")
    assert answer.status_code == 200
    assert answer.content == FILES[name]
    assert answer.headers["content-type"] == TYPES[name]


async def test_hashed_names_are_kept_and_all_others_asked_for_again(client: httpx.AsyncClient) -> None:
    kept = await client.get("/assets/main-1a2b3c.js")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/", "/favicon.svg", "/samples/samples.json"):
        first = await client.get(path)
        assert first.headers["cache-control"] == "no-cache"
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert (await client.get(path, headers={"If-None-Match": '"another"'})).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("identity", False),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("br", False),
    ],
)
async def test_text_is_gzipped_for_those_who_take_it(client: httpx.AsyncClient, accepted: str, packed: bool) -> None:
    async with client.stream("GET", "/assets/main-1a2b3c.js", headers={"Accept-Encoding": accepted}) as answer:
        sent = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(sent)
    assert ("content-encoding" in answer.headers) is packed
    assert (gzip.decompress(sent) if packed else sent) == SCRIPT
    assert (len(sent) < len(SCRIPT)) is packed
    assert answer.headers["etag"].endswith('-gzip"') is packed


@pytest.mark.parametrize("name", ["assets/tiny-aa.js", "assets/font-77.woff2", "samples/axial-glioma.png"])
async def test_what_does_not_become_smaller_is_sent_as_it_is(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/{name}", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content == FILES[name]


@pytest.mark.parametrize("path", ["/", "/assets/main-1a2b3c.js"])
async def test_head_tells_what_get_would_send(client: httpx.AsyncClient, path: str) -> None:
    got, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    told = ("content-length", "content-type", "etag", "cache-control", "content-encoding", "content-security-policy")
    assert {name: head.headers.get(name) for name in told} == {name: got.headers.get(name) for name in told}


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/assets/",
        "/assets/../index.html",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/samples//etc/passwd",
        "/samples/%00",
        "/secret.txt",
        "/analyses",
        "/analyses/a/b",
        "/compare/a",
        "/worklist/",
        "/anything",
        "/index.html",
    ],
)
async def test_all_other_paths_are_not_found(client: httpx.AsyncClient, path: str) -> None:
    url = httpx.URL("http://service").copy_with(raw_path=path.encode())
    for method in ("GET", "HEAD"):
        answer = await client.request(method, url)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.get(url)).json()["code"] == "not_found"


async def test_the_page_is_read_alone(client: httpx.AsyncClient) -> None:
    assert (await client.post("/worklist")).status_code == 405


async def test_without_a_build_the_page_says_how_to_make_one_and_the_api_is_there(tmp_path: Path) -> None:
    async with running_app(gateway_with(tmp_path / "nowhere")) as client:
        answer = await client.get("/")
        assert answer.status_code == 404
        assert "make web" in answer.json()["detail"]
        assert (await client.get("/docs")).status_code == 200


def test_git_and_the_wheel_take_the_built_page(tmp_path: Path) -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", "gateway/src/gateway/web/dist/assets/main-1a2b3c.js"], cwd=ROOT, check=False
    )
    assert ignored.returncode == 1
    package = tmp_path / "gateway"
    (package / "src/gateway").mkdir(parents=True)
    (package / "pyproject.toml").write_bytes((ROOT / "gateway/pyproject.toml").read_bytes())
    (package / "src/gateway/__init__.py").write_bytes(b'"""A package."""\n')
    build(package / "src/gateway/web/dist")
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        [uv, "build", "--wheel", "--offline", "--out-dir", tmp_path / "out", package], check=True, capture_output=True
    )
    (wheel,) = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {f"gateway/web/dist/{name}" for name in FILES} <= set(archive.namelist())
