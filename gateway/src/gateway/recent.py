"""The volumes that are being looked at: scrolling through one must not read it from the store for each slice."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from gateway.findings import Findings
from gateway.volume_findings import VolumeFindings

MAX_BYTES: Final = 192 * 1024 * 1024
IDLE_S: Final = 120.0


class FindingsSource(Protocol):
    """A store, as far as it is needed here; `gateway.ports.AnalysisStore` is one."""

    async def document(self, analysis_id: str) -> bytes:
        """The analysis as JSON. Raises `NotFound`."""

    async def findings(self, analysis_id: str) -> Findings | VolumeFindings:
        """The analysis with its arrays. Raises `NotFound`."""


@dataclass(slots=True)
class _Entry:
    findings: VolumeFindings
    size_bytes: int
    expiry: asyncio.TimerHandle


class RecentVolumes:
    """Findings from `source`, of which the last few volumes stay in memory: at most `max_bytes` of arrays, each until
    nobody asked for it for `idle_s`. What was erased is not shown from memory: the source is asked each time whether
    the analysis is still there. For one event loop.
    """

    def __init__(self, source: FindingsSource, *, max_bytes: int = MAX_BYTES, idle_s: float = IDLE_S) -> None:
        self._source = source
        self._max_bytes = max_bytes
        self._idle_s = idle_s
        self._kept: OrderedDict[str, _Entry] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Findings | VolumeFindings]] = {}

    @property
    def held_bytes(self) -> int:
        """What the kept volumes take."""
        return sum(entry.size_bytes for entry in self._kept.values())

    async def get(self, analysis_id: str) -> Findings | VolumeFindings:
        """The findings. Raises what the source raises, such as `NotFound` and `NotReady`."""
        entry = self._kept.get(analysis_id)
        if entry is None:
            return await self._load(analysis_id)
        try:
            await self._source.document(analysis_id)
        except Exception:
            self.forget(analysis_id)
            raise
        self._keep(analysis_id, entry.findings)
        return entry.findings

    def forget(self, analysis_id: str) -> None:
        """Let go of an analysis at once, also of one that is being read just now."""
        self._loading.pop(analysis_id, None)
        self._drop(analysis_id)

    def _drop(self, analysis_id: str) -> None:
        entry = self._kept.pop(analysis_id, None)
        if entry is not None:
            entry.expiry.cancel()

    async def _load(self, analysis_id: str) -> Findings | VolumeFindings:
        """One load for all who ask at the same time; it goes on when one of them gives up."""
        task = self._loading.get(analysis_id)
        if task is None:
            task = asyncio.create_task(self._read(analysis_id))
            self._loading[analysis_id] = task
            task.add_done_callback(partial(self._loaded, analysis_id))
        return await asyncio.shield(task)

    def _loaded(self, analysis_id: str, task: asyncio.Task[Findings | VolumeFindings]) -> None:
        if self._loading.get(analysis_id) is task:
            del self._loading[analysis_id]
        if not task.cancelled():
            task.exception()  # is told to those who wait; when nobody does any more, it is no news

    async def _read(self, analysis_id: str) -> Findings | VolumeFindings:
        findings = await self._source.findings(analysis_id)
        forgotten = self._loading.get(analysis_id) is not asyncio.current_task()
        if isinstance(findings, VolumeFindings) and not forgotten:
            self._keep(analysis_id, findings)
        return findings

    def _keep(self, analysis_id: str, findings: VolumeFindings) -> None:
        self._drop(analysis_id)
        size_bytes = _size_bytes(findings)
        if size_bytes > self._max_bytes:
            return
        while self._kept and self.held_bytes + size_bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))
        expiry = asyncio.get_running_loop().call_later(self._idle_s, self._drop, analysis_id)
        self._kept[analysis_id] = _Entry(findings, size_bytes, expiry)


def _size_bytes(findings: VolumeFindings) -> int:
    labels = 0 if findings.labels is None else findings.labels.nbytes
    return labels + sum(picture.nbytes for picture in findings.pictures.values())
