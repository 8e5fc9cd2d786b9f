"""What a reader says of an answer."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from service_kit.contracts.classification import TumorLabel

ReviewDecision = Literal["agree", "disagree", "corrected"]
MAX_COMMENT_CHARACTERS = 2000
MAX_NAME_CHARACTERS = 100


def _printable(text: str | None) -> str | None:
    """Without the blanks around it; None for nothing. Lines end with a line feed."""
    tidy = (text or "").replace("\r\n", "\n").strip()
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in tidy):
        raise ValueError("control characters cannot be kept: send plain text")
    return tidy or None


def _one_line(text: str | None) -> str | None:
    if text is not None and "\n" in text:
        raise ValueError("a name has one line")
    return text


class ReviewRequest(BaseModel):
    """`corrected` says which label is right, the others say none. `comment` and `reviewer` are shown in the reports:
    no patient's name belongs there.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "decision": "corrected",
                    "label": "meningioma",
                    "comment": "Dural tail on the neighboring slices.",
                    "reviewer": "Reader 2",
                }
            ]
        },
    )

    decision: ReviewDecision
    label: TumorLabel | None = None
    comment: Annotated[str | None, Field(max_length=MAX_COMMENT_CHARACTERS), AfterValidator(_printable)] = None
    reviewer: Annotated[
        str | None, Field(max_length=MAX_NAME_CHARACTERS), AfterValidator(_printable), AfterValidator(_one_line)
    ] = None

    @model_validator(mode="after")
    def _label_with_correction(self) -> Self:
        if self.decision == "corrected" and self.label is None:
            raise ValueError("label: say which one is right, as the decision is corrected")
        if self.decision != "corrected" and self.label is not None:
            raise ValueError(f"label: goes with the decision corrected, not with {self.decision}")
        return self


class Review(BaseModel):
    """One review as it is kept: never changed, only followed by others."""

    model_config = ConfigDict(frozen=True)

    decision: ReviewDecision
    label: TumorLabel | None
    comment: str | None
    reviewer: str | None
    created_at: datetime
