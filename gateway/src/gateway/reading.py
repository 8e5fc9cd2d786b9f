"""Files as a study, with every check that needs no model: what the API does at once, and a worker later."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from gateway.door import check_body_part
from gateway.findings import BareFile
from gateway.imaging.bare import strip_picture
from gateway.imaging.decode import DecodeLimits, Part, decode_input
from gateway.imaging.door import check_study
from gateway.imaging.study import Study
from gateway.imaging.volume import VolumeStudy
from gateway.imaging.volume_limits import VolumeLimits
from gateway.schemas import AnalysisOptions
from gateway.stopwatch import Stopwatch


class StudyReader:
    """Decodes in threads of its own, off the event loop."""

    def __init__(self, limits: DecodeLimits, volume_limits: VolumeLimits, threads: Executor) -> None:
        self._limits = limits
        self._volume_limits = volume_limits
        self._threads = threads

    async def read(
        self, parts: Sequence[Part], options: AnalysisOptions, watch: Stopwatch
    ) -> tuple[Study | VolumeStudy, BareFile | None]:
        """The study, and a slice's file without metadata. Raises the errors of `gateway.imaging.errors`."""
        with watch.span("decode"):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read_now, parts, options)

    def _read_now(self, parts: Sequence[Part], options: AnalysisOptions) -> tuple[Study | VolumeStudy, BareFile | None]:
        study = decode_input(parts, sequence=options.sequence, limits=self._limits, volume_limits=self._volume_limits)
        if isinstance(study, VolumeStudy):
            return study, None
        check_study(study)
        check_body_part(study.body_part)
        return study, strip_picture(parts[0].content, study.format) if len(parts) == 1 else None
