"""An archive through a gateway: N studies in flight, each result kept as it comes, begun again where it was left."""

import asyncio
import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx

from neurogate.client import GatewayClient
from neurogate.following import Progress
from neurogate.journal import Entry, Journal
from neurogate.patience import Patience
from neurogate.refused import Refused
from neurogate.results_table import ResultsTable, failure_row, result_row
from neurogate.study_files import StudyFiles
from neurogate.upload import Upload, prepared

Json = dict[str, Any]
Result = TypeVar("Result")
_FORGOTTEN: Final = frozenset({httpx.codes.NOT_FOUND, httpx.codes.GONE})
_REFUSED_ALL: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


_MAX_BROKEN: Final = 5
"""A gateway that is there but ends the connection again and again does not want this one."""


class BrokenOff(RuntimeError):
    """A study that cannot be sent to the end."""


@dataclass(slots=True)
class Tally:
    """What became of the studies of one run; `known` were finished before it."""

    outcomes: Counter[str] = field(default_factory=Counter)
    known: int = 0
    known_failed: int = 0

    @property
    def failed(self) -> int:
        """Studies without a result, of this run."""
        return sum(count for outcome, count in self.outcomes.items() if outcome != "succeeded")


class Watcher:
    """What is told while the batch runs; this one says nothing."""

    def sending(self, study: str) -> None:
        """Its files are on their way."""

    def show(self, study: str, progress: Progress) -> None:
        """A step of it."""

    def done(self, study: str, outcome: str) -> None:
        """It is in the table."""

    def waiting(self, study: str, pause_s: float) -> None:
        """The gateway is asked again later."""


@dataclass(slots=True)
class Batch:
    """One run over an archive. `away_limit_s`: how long a gateway may be away before the run is ended."""

    client: GatewayClient
    journal: Journal
    table: ResultsTable
    options: Json
    record: Json | None
    watcher: Watcher
    concurrency: int
    away_limit_s: float
    tally: Tally = field(default_factory=Tally)
    _replaced: bool = False

    async def run(self, studies: Iterator[StudyFiles]) -> Tally:
        """Send what has no result yet, and wait for all results.

        Raises:
            GatewayAway: it has been away for too long; what was sent is taken up by the next run.
            Refused: the key is not accepted.
        """
        self.table.begin(self.journal.rows())
        waiting: asyncio.Queue[StudyFiles | None] = asyncio.Queue(self.concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._find(studies, waiting))
                for _ in range(self.concurrency):
                    group.create_task(self._work(waiting))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            if self._replaced:
                self.table.begin(self.journal.rows())
            self.table.close()
        return self.tally

    async def _find(self, studies: Iterator[StudyFiles], waiting: asyncio.Queue[StudyFiles | None]) -> None:
        """One after the other, as there is room: an archive's names are not all held at once."""
        while (study := await asyncio.to_thread(next, studies, None)) is not None:
            await waiting.put(study)
        for _ in range(self.concurrency):
            await waiting.put(None)

    async def _work(self, waiting: asyncio.Queue[StudyFiles | None]) -> None:
        while (study := await waiting.get()) is not None:
            try:
                await self._analyze(study)
            except OSError as error:  # a file went away or cannot be read: the next run looks again
                self.tally.outcomes["unreadable"] += 1
                self.watcher.done(study.name, f"unreadable: {error.strerror or error}")

    async def _analyze(self, study: StudyFiles) -> None:
        stamp = await asyncio.to_thread(stamp_of, study)
        known = self.journal.entry(study.name)
        if known is not None and known.stamp == stamp and known.state in {"succeeded", "failed"}:
            self.tally.known += 1
            self.tally.known_failed += known.state == "failed"
            return
        self._replaced |= known is not None and known.state in {"succeeded", "failed"}
        attempt = known.attempt if known is not None and known.stamp == stamp else 0
        if study.fault is not None:
            self._finish(
                study.name, Entry(stamp, "failed", attempt, None), "refused", failure_row(study.name, study.fault)
            )
            return
        self.watcher.sending(study.name)
        try:
            analysis = None
            if known is not None and known.analysis_id is not None and known.stamp == stamp:
                analysis = await self._followed(study.name, known.analysis_id)
            if analysis is None:
                analysis = await self._sent(study, stamp, attempt)
        except (Refused, BrokenOff) as refusal:
            if isinstance(refusal, Refused) and refusal.problem["status"] in _REFUSED_ALL:
                raise
            entry = Entry(stamp, "failed", attempt, None)
            self._finish(study.name, entry, "refused", failure_row(study.name, str(refusal)))
            return
        state = "succeeded" if analysis["state"] == "succeeded" else "failed"
        entry = Entry(stamp, state, attempt, analysis["id"])  # type: ignore[arg-type]
        self._finish(study.name, entry, analysis["state"], result_row(study.name, analysis))

    async def _sent(self, study: StudyFiles, stamp: str, attempt: int) -> Json:
        """Send it until it is accepted, and wait for its result."""
        with contextlib.ExitStack() as stack:
            upload = await _unbroken(lambda: stack.enter_context(prepared(study)))
            key = await _unbroken(lambda: upload.key(self.options, self.record, attempt))
            response = await self._accepted(study.name, upload, key)
        accepted: Json = response.json()
        self.journal.sent(study.name, stamp, attempt, accepted["id"])
        finished = await self._followed(study.name, accepted["id"])
        if finished is None:
            raise Refused(httpx.Response(httpx.codes.NOT_FOUND, json=_ERASED))
        return finished

    async def _accepted(self, name: str, upload: Upload, key: str) -> httpx.Response:
        async def send() -> httpx.Response:
            return await self.client.send(upload, clinical=self.record, options=self.options, later=True, key=key)

        response = await self._patiently(name, send)
        if not response.is_success:
            raise Refused(response)
        return response

    async def _patiently(self, name: str, send: Callable[[], Any]) -> httpx.Response:
        patience, broken = Patience(self.away_limit_s), 0
        while True:
            cause: httpx.Response | httpx.TransportError
            try:
                cause = await send()
            except httpx.TransportError as error:
                cause = error
                broken += not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if broken >= _MAX_BROKEN:
                    raise BrokenOff(
                        f"the connection broke {broken} times while it was sent ({_words(error)})"
                    ) from error
            pause_s = patience.pause_s(cause)
            if pause_s is None:
                assert isinstance(cause, httpx.Response)  # noqa: S101 - without an answer there is always a pause
                return cause
            self.watcher.waiting(name, pause_s)
            await asyncio.sleep(pause_s)

    async def _followed(self, name: str, analysis_id: str) -> Json | None:
        """Its end; None where the gateway does not know it any more."""
        try:
            async for progress in self.client.follow(analysis_id):
                self.watcher.show(name, progress)
            return await self.client.read(analysis_id)
        except Refused as refusal:
            if refusal.problem["status"] in _FORGOTTEN:
                return None
            raise

    def _finish(self, name: str, entry: Entry, outcome: str, row: str) -> None:
        """The journal first: what it has, the next start puts into the table."""
        self.journal.finished(name, entry, row)
        self.table.append(row)
        self.tally.outcomes[outcome] += 1
        self.watcher.done(name, outcome)


_ERASED: Final = {
    "title": "Not found",
    "detail": "the analysis was erased before its result was read",
    "code": "erased",
}


async def _unbroken(work: Callable[[], Result]) -> Result:
    """The work of a thread; who is canceled waits for its end, so that what it made is cleared away."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


def stamp_of(study: StudyFiles) -> str:
    """Names, sizes and times of a study's files: while they are the same, nothing is read again. Raises `OSError`."""
    digest = hashlib.sha256((study.fault or "").encode())
    for part in study.parts:
        found = part.path.stat()
        digest.update(f"\n{part.field} {part.path.name} {found.st_size} {found.st_mtime_ns}".encode())
    return digest.hexdigest()[:32]


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def options_digest(options: Mapping[str, Any], record: Mapping[str, Any] | None) -> str:
    """What tells that a journal was begun with these options."""
    return hashlib.sha256(json.dumps([options, record], sort_keys=True).encode()).hexdigest()[:32]
