"""The architectures beside each other: what is known of each, frozen for the report, its JSON and docs/models."""

from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate

HEADLINES = {
    "view": "accuracy",
    "tumor": "tumor or not: accuracy",
    "tumor, four classes": "macro-F1",
    "outline, T1": "Dice, tumor slices",
    "outline, FLAIR": "volume Dice, patients",
}
"""By what the table of a task is read first."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ZooRow(_Frozen):
    """One architecture on fold 0. `ms` is the fastest round on one CPU thread, `ratio` that over the default's.

    `stage` is that of the service, `task` what can be compared: networks of one task answer the same question.
    """

    name: str
    stage: str
    task: str
    architecture: str
    default: bool
    parameters: int
    file_bytes: int
    ms: float
    ratio: float
    figures: dict[str, Estimate]
    note: str = ""


class ZooResult(_Frozen):
    """All rows, by task; `left_out` says which were not trained or not predicted yet."""

    rows: tuple[ZooRow, ...]
    left_out: dict[str, str]

    def of_task(self, task: str) -> list[ZooRow]:
        """The rows of a task, the default first, then by the headline figure."""
        rows = [row for row in self.rows if row.task == task]
        return sorted(rows, key=lambda row: (not row.default, -headline(row).value))

    def tasks(self) -> list[str]:
        """The tasks that have rows, in the order of `HEADLINES`."""
        return [task for task in HEADLINES if self.of_task(task)]


def headline(row: ZooRow) -> Estimate:
    """The figure by which a row is read first."""
    return row.figures[HEADLINES[row.task]]


def trade_off(rows: list[ZooRow]) -> str:
    """Why the default is the default, in measured terms. `rows` are those of one task."""
    defaults = [row for row in rows if row.default]
    if not defaults:
        return "Networks that answer this question alone; the default answers it as part of its own (tables beside)."
    default, name = defaults[0], HEADLINES[defaults[0].task]
    figure = headline(default)
    others = [row for row in rows if row is not default]
    if not others:
        return f"`{default.name}` has no rival here."
    text = f"`{default.name}`: {name} {figure.value:.3f} in {default.ms:.1f} ms."
    better = [row for row in others if headline(row).value > figure.value]
    faster = [row for row in others if row.ms < default.ms]
    if not better:
        text += " No other scores higher."
    for row in better:
        gap, apart = headline(row).value - figure.value, headline(row).low > figure.high
        text += (
            f" `{row.name}` scores {gap:.3f} higher at {row.ratio:.1f} times the time"
            f" ({'beyond' if apart else 'within'} the intervals)."
        )
    for row in faster:
        gap = figure.value - headline(row).value
        if gap > 0:
            text += f" `{row.name}` takes {row.ratio:.2f} of the time and scores {gap:.3f} lower."
    return text
