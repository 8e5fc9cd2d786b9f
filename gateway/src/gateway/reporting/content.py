"""What stands in a report, whatever it is written as: `html` and `pdf` lay it out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.schemas import Verdict

ORIGIN = "Made by software without a reader. No name or identifier of a patient is on this page."

Tone = Literal["plain", "faint", "small", "fine"]
"""Plain and small text; both in a quieter color are faint and fine."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One probability: `percent` is 0..100; `chosen` is the label, `plausible` is in the prediction set."""

    name: str
    percent: float
    chosen: bool
    plausible: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture: the bytes of a PNG. A `wide` one has the page's width to itself."""

    png: bytes
    caption: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of measures."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: str
    tone: Tone = "fine"


@dataclass(frozen=True, slots=True)
class Table:
    """Lines of as many cells as the header has."""

    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report, in this order: `lead`, the bars, the rows, the table, `notes`."""

    title: str
    lead: tuple[Note, ...] = ()
    bars: tuple[Bar, ...] = ()
    rows: tuple[Row, ...] = ()
    table: Table | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The whole of it. `left` and `right` stand side by side, `below` under both."""

    analysis_id: str
    created_at: datetime
    subject: str
    verdict: Verdict
    headline: str
    lead: str
    reasons: tuple[str, ...]
    figures: tuple[Figure, ...]
    left: tuple[Section, ...]
    right: tuple[Section, ...]
    below: tuple[Section, ...]
    disclaimer: str
    origin: str = ORIGIN

    @property
    def title(self) -> str:
        """Of the document."""
        return f"NeuroGate report {self.analysis_id}"

    @property
    def wide_figures(self) -> tuple[Figure, ...]:
        """Figures that have a line each."""
        return tuple(figure for figure in self.figures if figure.wide)

    @property
    def paired_figures(self) -> tuple[Figure, ...]:
        """Figures that share a line."""
        return tuple(figure for figure in self.figures if not figure.wide)


VERDICTS: dict[Verdict, str] = {"answer": "Answer", "review": "For review", "refuse": "Refused"}
