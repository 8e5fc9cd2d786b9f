"""A small real gateway on a socket: it accepts, tells events, answers, and can be told to misbehave."""

import asyncio
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.analysis_id import new_analysis_id
from tests.unit.gateway_comparison.analyses import analysis, lesion, summary

Json = dict[str, Any]
FINAL = {"succeeded", "failed", "canceled"}


def finished(analysis_id: str, here: str) -> Json:
    """A volume's analysis as the gateway answers it."""
    outline = summary(20.0, lesion(30, 20), labels={"edema": 15.0, "enhancing_tumor": 5.0})
    body: Json = json.loads(analysis(outline, id=analysis_id).model_dump_json())
    body["links"] = {"self": here, "events": f"{here}/events", "mask": f"{here}/mask.nii.gz"}
    body["timings_ms"] = {"decode": 1.0, "view": 1.0, "tumor": 1.0, "clinical": None, "segmentation": 2e4, "total": 2e4}
    return body


def problem(status: int, code: str, detail: str, **headers: str) -> JSONResponse:
    body = {"title": "No", "status": status, "detail": detail, "code": code}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


@dataclass
class Sent:
    """One accepted request: the form's files by field, its headers and fields."""

    files: list[tuple[str, str, str]]
    fields: dict[str, str]
    headers: dict[str, str]


@dataclass
class MadeGateway:
    """`step_s`: time of each of `steps`; `answers` are given, each once, before any request is accepted."""

    steps: int = 3
    step_s: float = 0.0
    fail_fields: frozenset[str] = frozenset()
    answers: list[Response] = field(default_factory=list)
    cut_streams: int = 0
    refuse_streams: bool = False
    jobs: dict[str, Json] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    resumed_from: list[str] = field(default_factory=list)
    executions: int = 0
    most_at_once: int = 0
    url: str = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/analyses", self.create, methods=["POST"]),
                Route("/v1/analyses/{id}", self.read),
                Route("/v1/analyses/{id}/events", self.events),
                Route("/v1/analyses/{id}/cancel", self.cancel, methods=["POST"]),
                Route("/v1/analyses/{id}/mask.nii.gz", self.mask),
                Route("/v1/comparisons", self.compare, methods=["POST"]),
            ]
        )

    async def create(self, request: Request) -> Response:
        if self.answers:
            return self.answers.pop(0)
        async with request.form() as form:
            files = []
            for name, value in form.multi_items():
                if not isinstance(value, str):
                    content = await value.read()
                    files.append((name, value.filename or "", hashlib.sha256(content).hexdigest()))
            fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        self.sent.append(Sent(files, fields, dict(request.headers)))
        key = request.headers.get("idempotency-key", new_analysis_id())
        analysis_id = self.keys.setdefault(key, new_analysis_id())
        here = f"/v1/analyses/{analysis_id}"
        if analysis_id not in self.jobs:
            self.executions += 1
            self.jobs[analysis_id] = finished(analysis_id, here)
            self.started[analysis_id] = time.monotonic()
            if any(name in self.fail_fields for name, _, _ in files):
                failure = {"title": "No", "status": 422, "detail": "not a brain", "code": "not_brain_mri"}
                self.jobs[analysis_id] |= {"state": "failed", "problem": failure, "segmentation": None, "verdict": None}
            self.most_at_once = max(self.most_at_once, sum(self.running(one) for one in self.jobs))
        return JSONResponse(self.document(analysis_id), 202, {"Location": here})

    def running(self, analysis_id: str) -> bool:
        job = self.jobs[analysis_id]
        return job["state"] != "canceled" and self.at(analysis_id) < self.steps

    def at(self, analysis_id: str) -> int:
        if not self.step_s:
            return self.steps
        return min(self.steps, int((time.monotonic() - self.started[analysis_id]) / self.step_s))

    def document(self, analysis_id: str) -> Json:
        job = self.jobs[analysis_id]
        if self.running(analysis_id):
            progress = {"stage": "segmentation", "done": self.at(analysis_id), "total": self.steps}
            return job | {"state": "running", "progress": progress, "verdict": None, "segmentation": None}
        return job

    async def read(self, request: Request) -> Response:
        analysis_id = request.path_params["id"]
        if analysis_id not in self.jobs:
            return problem(404, "not_found", "no such analysis")
        return JSONResponse(self.document(analysis_id))

    async def cancel(self, request: Request) -> Response:
        job = self.jobs[request.path_params["id"]]
        job["state"] = "canceled"
        return JSONResponse(job)

    async def mask(self, request: Request) -> Response:
        return Response(b"mask of " + request.path_params["id"].encode())

    async def events(self, request: Request) -> Response:
        analysis_id = request.path_params["id"]
        if self.refuse_streams:
            return problem(503, "overloaded", "poll instead", **{"Retry-After": "0"})
        if analysis_id not in self.jobs:
            return problem(404, "not_found", "no such analysis")
        last = request.headers.get("last-event-id")
        if last is not None:
            self.resumed_from.append(last)
        return StreamingResponse(self._stream(analysis_id, int(last or -1)), media_type="text/event-stream")

    async def _stream(self, analysis_id: str, last: int) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n:\n\n"
        told = last
        while True:
            document = self.document(analysis_id)
            state, progress = document["state"], document["progress"]
            number = 1000 if state in FINAL else progress["done"]
            if number > told:
                told = number
                text = json.dumps({"state": state} | progress)
                yield f"id: {number}\nevent: progress\ndata: {text}\n\n".encode()
                if self.cut_streams:
                    self.cut_streams -= 1
                    return
            if state in FINAL:
                return
            await asyncio.sleep(0.01)

    async def compare(self, request: Request) -> Response:
        body = await request.json()
        missing = [name for name in ("baseline", "followup") if body[name] not in self.jobs]
        if missing:
            return problem(404, "not_found", f"{missing[0]}: there is no such analysis")
        from gateway.comparison import compare  # noqa: PLC0415

        pair = [
            analysis(summary(ml, lesion(mm, 20)), days=day, id=body[name])
            for day, (name, ml, mm) in enumerate((("baseline", 20.0, 30), ("followup", 31.0, 60)))
        ]
        found = compare(pair[0], pair[1], tolerance_percent=body["tolerance_percent"])
        return Response(found.model_dump_json(), media_type="application/json")


@contextlib.contextmanager
def served(made: MadeGateway, port: int = 0) -> Iterator[MadeGateway]:
    """It runs on a thread of its own, at `made.url`."""
    config = uvicorn.Config(made.app(), port=port, log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield made
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=30)
