"""How far a job is, in the terminal: a bar where a person watches, plain lines elsewhere."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from neurogate.following import Progress

_STEPS_TOLD: Final = 10
"""Plain lines a stage, at most."""


class ProgressDisplay:
    """Shows one job after the other, or several at once, by name."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._told: dict[str, tuple[str, str, int]] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bars.stop()

    def sending(self, name: str) -> None:
        """Its files are on their way."""
        if self._console.is_terminal:
            self._tasks[name] = self._bars.add_task(f"{escape(name)}: sending", total=None)
        else:
            self._line(f"{name}: sending")

    def show(self, name: str, progress: Progress) -> None:
        """A step of it."""
        words = progress.state if progress.state != "running" else progress.stage
        if name in self._tasks:
            self._bars.update(
                self._tasks[name],
                description=f"{escape(name)}: {words}",
                completed=progress.done,
                total=progress.total,
            )
            return
        tenth = _STEPS_TOLD * progress.done // max(progress.total, 1)
        step = (progress.state, progress.stage, tenth)
        if self._told.get(name) != step:
            self._told[name] = step
            counts = f" {progress.done}/{progress.total}" if progress.state == "running" else ""
            self._line(f"{name}: {words}{counts}")

    def saving(self, name: str) -> None:
        """It is finished, and its files are made and fetched."""
        if name in self._tasks:
            self._bars.update(self._tasks[name], description=f"{escape(name)}: fetching its files", total=None)
        else:
            self._line(f"{name}: fetching its files")

    def done(self, name: str) -> None:
        """Nothing more comes of it."""
        self._told.pop(name, None)
        task = self._tasks.pop(name, None)
        if task is not None:
            self._bars.remove_task(task)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
