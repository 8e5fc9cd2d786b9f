"""What a part of the evaluation hands to the report: a measured result, and how it is shown.

A part measures once (`measure`: minutes, needs predictions) and is shown from its result alone (`render`: needs neither
data nor torch), so that the report can be written again from `results.json`, and one part measured again alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate

Result = TypeVar("Result", bound=BaseModel)
Cell = str | int | float | Estimate | None


class PartMissing(Exception):
    """What a part needs is not there; the message says which command makes it. The part is left out with this note."""


@dataclass(frozen=True)
class Place:
    """Where things are.

    Args:
        root: the development sets.
        cache: predictions, checkpoints and the folds' models.
        models: the model repository.
        report: told of progress, a line at a time.
        cases: folder for pictures of best and worst cases, outside the repository; None: none are written.
        found: the results so far by part, as they stand in `results.json`; for parts that put others beside each other.
    """

    root: Path
    cache: Path
    models: Path
    report: Callable[[str], None] = print
    cases: Path | None = None
    found: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows as they are shown: a number gets three decimals, an `Estimate` its interval, None a dash."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A picture that is drawn when the report is written. `alt` says in words what is to be seen."""

    title: str
    draw: Callable[[], Figure]
    alt: str


class Target(BaseModel):
    """An aim set beforehand beside what was measured: a `limit`, with a `ceiling` a range; `reach` is a further aim."""

    model_config = ConfigDict(frozen=True)

    name: str
    measured: Estimate | float
    limit: float
    relation: Literal["at least", "at most"] = "at least"
    ceiling: float | None = None
    reach: float | None = None

    @property
    def value(self) -> float:
        """The measured figure without its interval."""
        return self.measured.value if isinstance(self.measured, Estimate) else self.measured

    @property
    def met(self) -> bool:
        """Whether the point estimate meets the limit."""
        if self.ceiling is not None:
            return self.limit <= self.value <= self.ceiling
        return self.value >= self.limit if self.relation == "at least" else self.value <= self.limit

    def wanted(self) -> str:
        """The limit in words."""
        if self.ceiling is not None:
            return f"{self.limit:g} to {self.ceiling:g}"
        return f"{self.relation} {self.limit:g}" + (f" (reach: {self.reach:g})" if self.reach is not None else "")


class CardFigures(BaseModel):
    """What goes into one model's card: numbers, not prose.

    `summary` by name, `tables` by title (each row a flat object, `label` first), `leaky` the same figures of the
    careless split, `notes` single sentences. Several parts may add to one card. `record_helps` is the verdict on a
    model that reads the clinical record: whether it is handed one without being asked.
    """

    model_config = ConfigDict(frozen=True)

    summary: dict[str, Estimate | float] = {}
    tables: dict[str, tuple[dict[str, str | int | float | None], ...]] = {}
    leaky: dict[str, Estimate | float] = {}
    notes: tuple[str, ...] = ()
    record_helps: bool | None = None


@dataclass(frozen=True)
class Section:
    """A chapter of the report. `intro` is paragraphs of plain text, `**bold**` and `code` allowed."""

    title: str
    intro: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    targets: tuple[Target, ...] = ()
    cards: dict[str, CardFigures] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part(Generic[Result]):
    """One part of the evaluation.

    `measure` raises `PartMissing` or `FileNotFoundError` where its predictions are not made yet. `render` is pure.
    `key` names the part in `results.json` and on the command line.
    """

    key: str
    result: type[Result]
    measure: Callable[[Place], Result]
    render: Callable[[Result], Section]

    def shown(self, stored: dict[str, Any]) -> Section:
        """The section of a result as it stands in `results.json`. Raises `ValidationError` where it is another form."""
        return self.render(self.result.model_validate(stored))
