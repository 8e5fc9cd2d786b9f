"""What comes in with a scan: the form's files, options and a record, the latter two checked."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from gateway.analysis import queued_analysis
from gateway.api.arrival_sink import ArrivalSink
from gateway.api.form import FileHead, FormLimits, read_form
from gateway.api.sinks import BlobSink, MemorySink
from gateway.api.strict_json import NotStrict, parse_object
from gateway.blobs.port import BlobStore
from gateway.errors import InvalidClinicalRecord, InvalidOptions
from gateway.findings import BareFile
from gateway.imaging.decode import Part
from gateway.imaging.errors import PartsConflict
from gateway.imaging.study import Study
from gateway.imaging.volume import VolumeStudy
from gateway.imaging.volume_limits import VolumeLimits
from gateway.order import Order
from gateway.reading import StudyReader
from gateway.schemas import Analysis, AnalysisOptions
from gateway.stopwatch import Stopwatch
from service_kit.context import current
from service_kit.errors import NotReady


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it was sent; `record` is None without the field `clinical`."""

    parts: tuple[Part, ...]
    fingerprint: str
    options: AnalysisOptions
    record: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Spooled:
    """A form whose files lie in the blob store under the id of `analysis`, which is not accepted yet."""

    analysis: Analysis
    order: Order
    fingerprint: str


class Intake:
    """Reads submissions: into memory for an answer at once, into the blob store for a job."""

    def __init__(
        self,
        form: FormLimits,
        reader: StudyReader,
        blobs: BlobStore,
        limits: VolumeLimits,
        *,
        max_picture_bytes: int,
    ) -> None:
        self._limits = limits
        self._max_picture_bytes = max_picture_bytes
        self._form = form
        self._reader = reader
        self._blobs = blobs

    async def read(self, request: Request) -> Submission:
        """The request's form.

        Raises:
            UnsupportedMedia, InvalidForm, PayloadTooLarge: see `read_form`.
            InvalidOptions, InvalidClinicalRecord: a field is no strict JSON, or holds unknown or wrong options.
        """
        sink = MemorySink()
        # Hashing takes longer than reading: it is done where the hash is asked for.
        hashed = "idempotency-key" in request.headers
        content_type = request.headers.get("content-type", "")
        form = await read_form(content_type, request.stream(), self._form, sink, hashed=hashed)
        return Submission(
            tuple(sink.parts), form.fingerprint(), _options(form.fields.get("options")), _record(form.fields)
        )

    async def decode(self, submission: Submission, watch: Stopwatch) -> tuple[Study, BareFile | None]:
        """The slice, and its file without metadata.

        Raises the errors of `gateway.imaging.errors`; `PartsConflict` for a series or a volume.
        """
        study, file = await self.decode_any(submission, watch)
        if isinstance(study, VolumeStudy):
            raise PartsConflict("One slice is accepted here: send series and volumes to /v1/analyses.")
        return study, file

    async def decode_any(self, submission: Submission, watch: Stopwatch) -> tuple[Study | VolumeStudy, BareFile | None]:
        """What was sent, a slice or a volume. Raises the errors of `gateway.imaging.errors`."""
        return await self._reader.read(submission.parts, submission.options, watch)

    async def receive(self, request: Request) -> "Submission | Spooled":
        """The request's form: a slice in memory, or a volume's uploads in the blob store.

        Raises what `read` and `spool` raise.
        """
        sink = ArrivalSink(self._blobs, self._limits, max_picture_bytes=self._max_picture_bytes)
        hashed = "idempotency-key" in request.headers
        try:
            content_type = request.headers.get("content-type", "")
            form = await read_form(content_type, request.stream(), self._form, sink, hashed=hashed)
            options, record = _options(form.fields.get("options")), _record(form.fields)
            if sink.analysis is None or sink.spool is None:
                return Submission(tuple(sink.memory.parts), form.fingerprint(), options, record)
            order = _order(sink.spool, options, record)
        except BaseException:
            if sink.analysis is not None:
                await self.discard(sink.analysis.id)
            raise
        return Spooled(sink.analysis, order, form.fingerprint())

    async def respool(self, submission: Submission) -> "Spooled":
        """What was read into memory and turned out to be a volume. Raises `NotReady` without the blob store."""
        analysis = queued_analysis()
        sink = BlobSink(self._blobs, analysis.id, self._limits)
        try:
            for part in submission.parts:
                await sink.begin(FileHead(part.name, part.filename, part.content_type))
                await sink.write(part.content)
                await sink.end()
        except BaseException:
            await sink.abort()
            await self.discard(analysis.id)
            raise
        return Spooled(analysis, _order(sink, submission.options, submission.record), submission.fingerprint)

    async def spool(self, request: Request, owner: str) -> tuple[Order, str]:
        """The request's form as a job's order, its files in the blob store under `owner`; and the fingerprint.

        Raises what `read` does, `EmptyFile` and `UnsupportedFormat` by a file's first bytes, `NotReady` when the blob
        store does not take them. What was stored is then erased.
        """
        sink = BlobSink(self._blobs, owner, self._limits)
        try:
            form = await read_form(request.headers.get("content-type", ""), request.stream(), self._form, sink)
            sink.finish()
            order = _order(sink, _options(form.fields.get("options")), _record(form.fields))
        except BaseException:
            await self.discard(owner)
            raise
        return order, form.fingerprint()

    async def discard(self, owner: str) -> None:
        """Erase the uploads of what becomes no job; the sweep does it where the blob store is away."""
        with contextlib.suppress(NotReady):
            await self._blobs.delete(owner)


def _order(sink: BlobSink, options: AnalysisOptions, record: dict[str, Any] | None) -> Order:
    known = current.get()
    return Order(
        uploads=tuple(sink.uploads),
        options=options,
        record=record,
        request_id=known.request_id,
        traceparent=known.traceparent,
        tracestate=known.tracestate,
    )


_DEFAULT_OPTIONS = AnalysisOptions()


def _options(text: str | None) -> AnalysisOptions:
    if text is None:
        return _DEFAULT_OPTIONS
    try:
        return AnalysisOptions.model_validate(parse_object(text), strict=True)
    except NotStrict as error:
        raise InvalidOptions(f"options: {error}.") from error
    except ValidationError as error:
        raise InvalidOptions(f"options: {'; '.join(_fault(item) for item in error.errors()[:8])}.") from None


def _fault(item: Any) -> str:
    name = ".".join(str(part)[:40] for part in item["loc"] if part != "[key]")
    if item["type"] == "extra_forbidden":
        return f"'{name}' is not an option; there are {', '.join(AnalysisOptions.model_fields)}"
    return f"{name}: {item['msg']}" if name else str(item["msg"]).removeprefix("Value error, ")


def _record(fields: Mapping[str, str]) -> dict[str, Any] | None:
    text = fields.get("clinical")
    if text is None:
        return None
    try:
        return parse_object(text)
    except NotStrict as error:
        raise InvalidClinicalRecord(f"clinical: {error}.") from error
