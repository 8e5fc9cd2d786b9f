"""What readers said of the answer, as a part of its report."""

from collections.abc import Iterator
from typing import Final

from gateway.reporting.content import ORIGIN, Note, Section
from gateway.reporting.overlay import TUMOR_NAMES
from gateway.review_schemas import Review
from gateway.schemas import Analysis

_REVIEWED: Final = "Made by software; a reader wrote the part \u201cReader\u2019s review\u201d alone."


def review_sections(analysis: Analysis) -> tuple[Section, ...]:
    """One section a review, the oldest first."""
    return tuple(
        Section(f"Reader's review, {one.created_at:%Y-%m-%d %H:%M} UTC", lead=tuple(_notes(one)))
        for one in analysis.reviews
    )


def origin(analysis: Analysis) -> str:
    """Who made the page."""
    return _REVIEWED if analysis.reviews else ORIGIN


def _notes(review: Review) -> Iterator[Note]:
    yield Note(_decision(review), "plain")
    if review.reviewer is not None:
        yield Note(review.reviewer)
    for line in (review.comment or "").splitlines():
        if line.strip():
            yield Note(line.strip(), "small")


def _decision(review: Review) -> str:
    if review.label is not None:
        return f"Corrected: {TUMOR_NAMES[review.label].lower()}."
    return "Agrees with the answer." if review.decision == "agree" else "Disagrees with the answer."
