"""One job: its uploads are read, the pipeline runs, and progress is written down on the way."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from gateway.blobs.port import BlobStore, read
from gateway.findings import Findings
from gateway.imaging.decode import Part
from gateway.imaging.volume import VolumeStudy
from gateway.jobs.lease import Lease, Leases
from gateway.pipeline import Pipeline
from gateway.progress import Canceled
from gateway.reading import StudyReader
from gateway.schemas import ProgressStage
from gateway.stopwatch import Stopwatch
from gateway.volume_findings import VolumeFindings
from gateway.volume_pipeline import VolumePipeline
from service_kit.context import RequestContext, current
from service_kit.errors import NotReady

_BETWEEN_REPORTS_S = 0.2


class Reporter:
    """Implements `gateway.progress.ProgressReporter` for one lease.

    Attributes:
        lease: as far as was told.
        lost: it went to another worker, or nobody wants the result any more.
        settled: the job ended here.
        speaking: held by who asks about the lease, or ends it.
    """

    def __init__(self, leases: Leases, lease: Lease, clock: Callable[[], float]) -> None:
        self.lease = lease
        self.lost = False
        self.settled = False
        self.speaking = asyncio.Lock()
        self._leases = leases
        self._clock = clock
        self._reported_at = float("-inf")

    async def step(self, stage: ProgressStage, done: int, total: int) -> None:
        """See the port. A new stage is written down at once, its steps a few times a second."""
        # Gives way in any case: work that never waits could not be canceled.
        await asyncio.sleep(0)
        if self.lost:
            raise Canceled
        entered = stage != self.lease.analysis.progress.stage or self._reported_at == float("-inf")
        self.lease = self.lease.at_step(stage, done, total)
        if not entered and done < total and self._clock() - self._reported_at < _BETWEEN_REPORTS_S:
            return
        self._reported_at = self._clock()
        try:
            held = await self._leases.report(self.lease)
        except NotReady:  # the queue is away for a moment: progress can wait, the work goes on
            return
        if not held:
            self.lost = True
            raise Canceled


class Execution:
    """Does what an order says, on a slice or on a volume."""

    def __init__(
        self, reader: StudyReader, pipeline: Pipeline, volume_pipeline: VolumePipeline, blobs: BlobStore
    ) -> None:
        self._reader = reader
        self._pipeline = pipeline
        self._volume_pipeline = volume_pipeline
        self._blobs = blobs

    async def run(self, lease: Lease, reporter: Reporter) -> Findings | VolumeFindings:
        """The findings.

        Raises:
            ServiceError: as the same request would have been refused, had it been answered at once.
            Canceled: the lease no longer holds.
        """
        order = lease.order
        current.set(RequestContext(order.request_id, order.traceparent, order.tracestate))
        watch = Stopwatch()
        await reporter.step("decode", 0, 1)
        keys = order.blob_keys(lease.id)
        parts = [
            Part(upload.name, upload.filename, await read(self._blobs, key))
            for upload, key in zip(order.uploads, keys, strict=True)
        ]
        study, file = await self._reader.read(parts, order.options, watch)
        # A volume's files can be larger than its voxels: they are let go.
        del parts
        if isinstance(study, VolumeStudy):
            return await self._volume_pipeline.analyze(study, order.record, order.options, watch, reporter)
        findings = await self._pipeline.analyze(study, order.record, order.options, watch, reporter)
        return replace(findings, file=file)
