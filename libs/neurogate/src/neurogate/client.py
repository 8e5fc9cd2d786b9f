"""A caller of the gateway: one scan in, the analysis and its files out."""

import contextlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from neurogate.embedded_redis import embedded_redis
from neurogate.stack import open_stack

_TIMEOUT_S = 120.0
Json = dict[str, Any]


class Refused(RuntimeError):
    """The gateway did not answer with a result; the message is its problem's title, detail and code."""

    def __init__(self, response: httpx.Response) -> None:
        problem = self._problem(response)
        fields = "".join(f"\n  {'.'.join(map(str, e.get('loc', ())))}: {e.get('msg', '')}" for e in problem["errors"])
        super().__init__(f"{problem['title']}: {problem['detail']} [{response.status_code} {problem['code']}]{fields}")

    @staticmethod
    def _problem(response: httpx.Response) -> Json:
        problem: Json = {"title": response.reason_phrase, "detail": "", "code": "", "errors": []}
        with contextlib.suppress(json.JSONDecodeError):  # a proxy in between answers what it likes
            body = response.json()
            if isinstance(body, dict):
                problem |= body
        return problem


class GatewayClient:
    """The calls that the command line needs, over any httpx client that reaches a gateway."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def analyze(self, file: Path, *, clinical: Json | None = None, options: Json | None = None) -> Json:
        """Send one scan.

        Raises:
            Refused: when the gateway answers with a problem.
        """
        fields = {}
        if clinical is not None:
            fields["clinical"] = json.dumps(clinical)
        if options:
            fields["options"] = json.dumps(options)
        parts = {"file": (file.name, file.read_bytes(), "application/octet-stream")}
        return self._json(await self._http.post("/v1/analyses", files=parts, data=fields))

    async def download(self, analysis: Mapping[str, Any], folder: Path) -> list[Path]:
        """Write every artifact that `analysis["links"]` names, and `analysis.json`, into `folder`.

        Raises:
            Refused: when an artifact that the analysis links is not there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / "analysis.json"]
        written[0].write_text(json.dumps(analysis, indent=2) + "\n", encoding="utf-8")
        for link in analysis["links"].values():
            name = link.rsplit("/", 1)[-1]
            if "." not in name:  # the analysis itself, its events: not files
                continue
            response = await self._http.get(link)
            if not response.is_success:
                raise Refused(response)
            written.append(folder / name)
            written[-1].write_bytes(response.content)
        return written

    async def models(self) -> list[Json]:
        """The published models, as `GET /v1/models` lists them."""
        listing: list[Json] = self._json(await self._http.get("/v1/models"))["models"]
        return listing

    @staticmethod
    def _json(response: httpx.Response) -> Json:
        if not response.is_success:
            raise Refused(response)
        body: Json = response.json()
        return body


@contextlib.asynccontextmanager
async def open_client(url: str | None, models_dir: Path | None) -> AsyncIterator[GatewayClient]:
    """Reach the gateway at `url` (key in NEUROGATE_API_KEY), or start one in this process for as long as it takes."""
    if url is not None:
        key = os.environ.get("NEUROGATE_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT_S) as http:
            yield GatewayClient(http)
        return
    if models_dir is None:
        raise ValueError("without a URL, the models' folder is needed")
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neurogate-")))
        redis_url = await stack.enter_async_context(embedded_redis(folder))
        app = await stack.enter_async_context(open_stack(models_dir=models_dir, redis_url=redis_url, data_dir=folder))
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app=app)
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://neurogate", timeout=_TIMEOUT_S)
        )
        yield GatewayClient(http)
