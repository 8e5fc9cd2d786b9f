"""One file as it came with a request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the form. `name` is the form field: "file", or a sequence ("t1", "t1ce", "t2", "flair").

    `filename` and `content_type` are what the client claims; neither is trusted, stored or repeated.
    """

    name: str
    filename: str
    content: bytes
    content_type: str | None = None
