"""Reviews of an analysis: appended to its JSON document, at most `MAX_REVIEWS`."""

import json
from datetime import UTC, datetime
from typing import Final

from gateway.errors import AnalysisNotFinished, NotReviewable
from gateway.review_schemas import Review, ReviewRequest
from gateway.schemas import FINAL_STATES

MAX_REVIEWS: Final = 100
SHOWN_IN: Final = frozenset({"report.html", "report.pdf", "evidence.json"})
"""Artifacts in which the reviews stand."""


def review_now(request: ReviewRequest) -> Review:
    """The review, as of this moment."""
    return Review(**request.model_dump(), created_at=datetime.now(UTC))


def with_review(document: bytes, review: Review) -> tuple[bytes, int]:
    """The analysis' document with one review more, and how many it has then. All else in it stays as it is.

    Raises:
        AnalysisNotFinished: it waits or runs.
        NotReviewable: it failed or was canceled, or it has as many reviews as are kept.
    """
    known = json.loads(document)
    state, before = known["state"], known.get("reviews", [])
    if state not in FINAL_STATES:
        raise AnalysisNotFinished(f"The analysis is {state}: review it when it has succeeded.")
    if state != "succeeded":
        raise NotReviewable(f"The analysis has {'failed' if state == 'failed' else 'been canceled'}: it says nothing.")
    if len(before) >= MAX_REVIEWS:
        raise NotReviewable(f"The analysis has {len(before)} reviews, and no more are kept.")
    known["reviews"] = [*before, review.model_dump(mode="json")]
    return json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode(), len(known["reviews"])
