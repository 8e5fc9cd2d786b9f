"""`neurogate batch`: arguments in, a table and a summary out."""

import contextlib
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from neurogate.batch import Batch, Tally, Watcher, options_digest
from neurogate.client import open_client
from neurogate.following import Progress
from neurogate.journal import Journal, JournalInUse, OtherOptions
from neurogate.progress_display import ProgressDisplay
from neurogate.results_table import ResultsTable
from neurogate.study_files import find_studies, left_out_words
from neurogate.terminal import (
    ERR,
    ApiKey,
    Clinical,
    Model,
    ModelsDir,
    Options,
    Segment,
    Url,
    fail,
    models_folder,
    read_json,
    read_wishes,
    run,
)

_TOLD_EVERY_S = 10.0


class _Told(Watcher):
    """A bar for each study in flight where a person watches, else a line for each that is done."""

    def __init__(self, console: Console, display: ProgressDisplay) -> None:
        self._console = console
        self._display = display
        self._waited_at = -_TOLD_EVERY_S
        self._count = 0

    def sending(self, study: str) -> None:
        if self._console.is_terminal:
            self._display.sending(study)

    def show(self, study: str, progress: Progress) -> None:
        if self._console.is_terminal:
            self._display.show(study, progress)

    def done(self, study: str, outcome: str) -> None:
        self._display.done(study)
        self._count += 1
        self._line(f"{self._count}  {outcome}  {study}")

    def waiting(self, study: str, pause_s: float) -> None:
        if time.monotonic() - self._waited_at >= _TOLD_EVERY_S:
            self._waited_at = time.monotonic()
            self._line(f"{study}: the gateway asks for patience, again in {pause_s:.0f} s")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def batch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, readable=True)],
    out: Annotated[Path, typer.Option(help="The table of results; its journal lies beside it.")] = Path("results.csv"),
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Studies in flight.")] = 4,
    clinical: Clinical = None,
    options: Options = None,
    model: Model = None,
    away_limit_s: Annotated[
        float, typer.Option(min=0, help="How long the gateway may be away before the run ends.")
    ] = 600.0,
    url: Url = None,
    api_key: ApiKey = None,
    models_dir: ModelsDir = None,
    *,
    segment: Segment = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Send those again that failed before.")] = False,
) -> None:
    """Analyze an archive into a CSV. The same command again goes on where the last one ended.

    Pictures and zips are a study each, NIfTI files one a folder, DICOM files one for each StudyInstanceUID of a
    sub-folder. Exit codes: 0 all have a result, 1 some have none, 3 the gateway is away, 130 interrupted.
    """
    wishes, record = read_wishes(options, model, segment=segment), read_json(clinical, "--clinical")
    journal_path = out.with_name(f"{out.name}.journal")
    if out.exists() and not journal_path.exists():
        raise fail(f"{out} is there without its journal {journal_path.name}: name another --out.")
    models = models_folder(url, models_dir)
    left_out: Counter[str] = Counter()
    tally = Tally()
    started = time.monotonic()

    async def working() -> None:
        with ProgressDisplay(ERR) as display, contextlib.closing(journal):
            async with open_client(url, models, api_key) as client:
                told = _Told(ERR, display)
                table = ResultsTable(out)
                batch = Batch(client, journal, table, wishes, record, told, concurrency, away_limit_s, tally)
                await batch.run(find_studies(folder, left_out))

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(journal_path, options_digest(wishes, record))
        if retry_failed:
            journal.retry_failed()
    except (JournalInUse, OtherOptions, OSError, sqlite3.DatabaseError) as error:
        raise fail(str(error)) from error
    try:
        run(working())
    except (OSError, sqlite3.DatabaseError) as error:
        raise fail(str(error)) from error
    finally:
        _summarize(tally, left_out, time.monotonic() - started, out)
    if tally.failed or tally.known_failed:
        missing = tally.failed + tally.known_failed
        raise fail(f"without a result: {missing} of the studies; --retry-failed sends them again")


def _summarize(tally: Tally, left_out: Counter[str], took_s: float, out: Path) -> None:
    done = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items())) or "nothing new"
    rate = f", {tally.outcomes.total() / took_s * 3600:.0f} studies an hour" if tally.outcomes.total() else ""
    lines = [f"{out}: {done} in {took_s:.0f} s{rate}; {tally.known} were known ({tally.known_failed} failed)"]
    if left_out:
        lines.append(left_out_words(left_out))
    for line in lines:
        ERR.print(line, markup=False, highlight=False, soft_wrap=True)
