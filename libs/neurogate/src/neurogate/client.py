"""A caller of the gateway: a study in, the analysis and its files out."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from neurogate.following import Progress, follow
from neurogate.patience import Patience
from neurogate.refused import Refused
from neurogate.upload import Upload

_TIMEOUT_S = 120.0
_AWAY_LIMIT_S = 300.0
Json = dict[str, Any]
__all__ = ["GatewayClient", "Refused", "open_client"]


class GatewayClient:
    """The calls that the command line needs, over any httpx client that reaches a gateway.

    `streams`: whether answers arrive while they are made; in memory they do not, and jobs are asked for instead.
    """

    def __init__(self, http: httpx.AsyncClient, *, streams: bool = True) -> None:
        self._http = http
        self._streams = streams

    async def send(
        self,
        upload: Upload,
        *,
        clinical: Json | None = None,
        options: Json | None = None,
        later: bool = False,
        key: str | None = None,
    ) -> httpx.Response:
        """Send one study; `later` asks for a job, `key` is the Idempotency-Key. The answer may be a problem."""
        fields = {}
        if clinical is not None:
            fields["clinical"] = json.dumps(clinical)
        if options:
            fields["options"] = json.dumps(options)
        headers = {"Prefer": "respond-async"} if later else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        with upload.opened() as files:
            return await self._http.post("/v1/analyses", files=files, data=fields, headers=headers)

    async def analyze(
        self, upload: Upload, *, clinical: Json | None = None, options: Json | None = None, later: bool = False
    ) -> Json:
        """Send one study: its analysis, finished or accepted.

        Raises:
            Refused: the gateway answers with a problem.
        """
        return _json(await self.send(upload, clinical=clinical, options=options, later=later))

    def follow(self, analysis_id: str) -> AsyncIterator[Progress]:
        """How far a job is, until it is in a final state. Raises `Refused` and `GatewayAway`."""
        return follow(self._http, analysis_id, streams=self._streams)

    async def read(self, analysis_id: str) -> Json:
        """The analysis as it is now; asked for again while the gateway is busy or away.

        Raises:
            Refused: there is no such analysis.
            GatewayAway: nobody has answered for long.
        """
        patience = Patience(_AWAY_LIMIT_S)
        while True:
            cause: httpx.Response | httpx.TransportError
            try:
                cause = await self._http.get(f"/v1/analyses/{analysis_id}")
                if cause.is_success:
                    return _json(cause)
            except httpx.TransportError as error:
                cause = error
            pause_s = patience.pause_s(cause)
            if pause_s is None and isinstance(cause, httpx.Response):
                raise Refused(cause)
            await asyncio.sleep(pause_s or 0.0)

    async def cancel(self, analysis_id: str) -> Json:
        """Cancel it. Raises `Refused`, also where it is finished already."""
        return _json(await self._http.post(f"/v1/analyses/{analysis_id}/cancel"))

    async def download(self, analysis: Mapping[str, Any], folder: Path) -> list[Path]:
        """Write every artifact that `analysis["links"]` names, and `analysis.json`, into `folder`.

        The sequences of a volume are left out: the caller has them, and better than for display.

        Raises:
            Refused: when an artifact that the analysis links is not there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / "analysis.json"]
        written[0].write_text(json.dumps(analysis, indent=2) + "\n", encoding="utf-8")
        for link in analysis["links"].values():
            name = link.rsplit("/", 1)[-1]
            if "." not in name or "/sequences/" in link:  # the analysis itself, its events: not files
                continue
            await self._download(link, folder / name)
            written.append(folder / name)
        return written

    async def _download(self, link: str, target: Path) -> None:
        async with self._http.stream("GET", link) as response:
            if not response.is_success:
                await response.aread()
                raise Refused(response)
            unfinished = target.with_name(f".{target.name}.part")
            with unfinished.open("wb") as file:
                async for chunk in response.aiter_bytes():
                    file.write(chunk)
            unfinished.replace(target)

    async def compare(self, baseline: str, followup: str, tolerance_percent: float = 0.0) -> Json:
        """The comparison of two analyses, by their ids. Raises `Refused`."""
        body = {"baseline": baseline, "followup": followup, "tolerance_percent": tolerance_percent}
        return _json(await self._http.post("/v1/comparisons", json=body))

    async def models(self) -> list[Json]:
        """The published models, as `GET /v1/models` lists them."""
        listing: list[Json] = _json(await self._http.get("/v1/models"))["models"]
        return listing


def _json(response: httpx.Response) -> Json:
    if not response.is_success:
        raise Refused(response)
    body: Json = response.json()
    return body


@contextlib.asynccontextmanager
async def open_client(
    url: str | None, models_dir: Path | None, api_key: str | None = None
) -> AsyncIterator[GatewayClient]:
    """Reach the gateway at `url` with `api_key`, or start one in this process for as long as it takes.

    Raises:
        NotStarted: that one cannot be started.
    """
    if url is not None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT_S) as http:
            yield GatewayClient(http)
        return
    if models_dir is None:
        raise ValueError("without a URL, the models' folder is needed")
    # All services come with it: who asks a running gateway does not wait for their imports.
    from neurogate.own_gateway import own_gateway  # noqa: PLC0415

    async with own_gateway(models_dir, _TIMEOUT_S) as http:
        yield GatewayClient(http, streams=False)
