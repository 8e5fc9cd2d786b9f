"""Files as a study, with every check that needs no model: what the API does at once, and a worker later."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from gateway.door import check_body_part
from gateway.findings import BareFile
from gateway.imaging.bare import strip_picture
from gateway.imaging.decode import DecodeLimits, Part, decode_study
from gateway.imaging.door import check_study
from gateway.imaging.study import Study
from gateway.schemas import AnalysisOptions
from gateway.stopwatch import Stopwatch


class StudyReader:
    """Decodes in threads of its own, off the event loop."""

    def __init__(self, limits: DecodeLimits, threads: Executor) -> None:
        self._limits = limits
        self._threads = threads

    async def read(
        self, parts: Sequence[Part], options: AnalysisOptions, watch: Stopwatch
    ) -> tuple[Study, BareFile | None]:
        """The study, and its file without metadata. Raises the errors of `gateway.imaging.errors`."""
        with watch.span("decode"):
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read_now, parts, options)

    def _read_now(self, parts: Sequence[Part], options: AnalysisOptions) -> tuple[Study, BareFile | None]:
        study = decode_study(parts, sequence=options.sequence, limits=self._limits)
        check_study(study)
        check_body_part(study.body_part)
        return study, strip_picture(parts[0].content, study.format) if len(parts) == 1 else None
