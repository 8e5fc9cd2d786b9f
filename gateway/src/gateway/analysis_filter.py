"""Which analyses of the work list a reader wants to see."""

import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from gateway.schemas import AnalysisState, Verdict
from service_kit.contracts.classification import TumorLabel

InputKind = Literal["slice", "series", "volume"]
MAX_SCANNED: Final = 1000
"""Analyses that one request looks at, whether they match or not."""


@dataclass(frozen=True, slots=True)
class AnalysisFilter:
    """What is not None must fit. `label` is the one that stands (see `standing_label`); `text` is a part of the
    analysis' id or of the file's SHA-256, in lower case.
    """

    state: AnalysisState | None = None
    verdict: Verdict | None = None
    label: TumorLabel | None = None
    kind: InputKind | None = None
    text: str | None = None

    def matches(self, document: bytes) -> bool:
        """Whether the analysis fits, given as its JSON document."""
        known = json.loads(document)
        sent = known["input"] or {}
        return (
            self.state in {None, known["state"]}
            and self.verdict in {None, known["verdict"]}
            and self.kind in {None, sent.get("kind")}
            and (self.label is None or self.label == standing_label(known))
            and (self.text is None or self.text in known["id"] or self.text in sent.get("sha256", ""))
        )


def standing_label(known: dict[str, Any]) -> str | None:
    """The last review's where that is a correction, else the models'; of an analysis as parsed JSON."""
    reviews, tumor = known.get("reviews"), known["tumor"]
    label: str | None = reviews[-1]["label"] if reviews else None
    if label is None and tumor is not None:
        label = tumor["label"]
    return label
