"""A job's progress as it is told: by server-sent events, and by asking where those cannot be had."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import httpx
from httpx_sse import SSEError, aconnect_sse

from neurogate.patience import Patience
from neurogate.refused import Refused

_AWAY_LIMIT_S: Final = 300.0
_SILENCE_S: Final = 60.0
"""Servers speak every 15 seconds at least."""
_POLL_S: Final = 0.5
_FINAL: Final = frozenset({"succeeded", "failed", "canceled"})


class Progress(NamedTuple):
    """The state, and steps done of all in this stage."""

    state: str
    stage: str
    done: int
    total: int

    @property
    def final(self) -> bool:
        """Whether nothing more will be told."""
        return self.state in _FINAL


async def follow(http: httpx.AsyncClient, analysis_id: str, *, streams: bool = True) -> AsyncIterator[Progress]:
    """Each step, to the final one; a stream that breaks is taken up where it broke.

    Raises:
        Refused: there is no such analysis, or no right to see it.
        GatewayAway: nobody has answered for long.
    """
    patience, last_id = Patience(_AWAY_LIMIT_S), ""
    asked = _ask if not streams else _listen
    while True:
        pause_s: float | None = 0.0
        try:
            async for event_id, progress in asked(http, analysis_id, last_id):
                patience, last_id = Patience(_AWAY_LIMIT_S), event_id or last_id
                yield progress
                if progress.final:
                    return
        except _Unanswered as unanswered:
            if unanswered.response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                asked = _ask  # as many follow as may: ask instead
            pause_s = patience.pause_s(unanswered.response)
            if pause_s is None:
                raise Refused(unanswered.response) from unanswered
        except httpx.TransportError as error:
            pause_s = patience.pause_s(error)
        except SSEError:
            asked = _ask  # something in between answers in its own way
        await asyncio.sleep(pause_s or 0.0)


class _Unanswered(Exception):
    """The answer is no success."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


async def _listen(http: httpx.AsyncClient, analysis_id: str, last_id: str) -> AsyncIterator[tuple[str, Progress]]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    timeout = httpx.Timeout(_SILENCE_S)
    path = f"/v1/analyses/{analysis_id}/events"
    async with aconnect_sse(http, "GET", path, headers=headers, timeout=timeout) as source:
        response = source.response
        if response.status_code == httpx.codes.NO_CONTENT:  # all was told: how it ended, the analysis says
            async for told in _ask(http, analysis_id, last_id):
                yield told
            return
        if not response.is_success:
            await response.aread()
            raise _Unanswered(response)
        async for event in source.aiter_sse():
            if event.event == "progress":
                yield event.id, _progress(event.json())
    await asyncio.sleep(_POLL_S)  # it ended before the job did: the queue was away


async def _ask(http: httpx.AsyncClient, analysis_id: str, _: str) -> AsyncIterator[tuple[str, Progress]]:
    while True:
        response = await http.get(f"/v1/analyses/{analysis_id}")
        if not response.is_success:
            raise _Unanswered(response)
        analysis = response.json()
        progress = _progress({"state": analysis["state"], **analysis["progress"]})
        yield "", progress
        if progress.final:
            return
        await asyncio.sleep(_POLL_S)


def _progress(told: dict[str, Any]) -> Progress:
    return Progress(str(told["state"]), str(told["stage"]), int(told["done"]), int(told["total"]))
