"""What a file's name says about its sequence, by the customs of BraTS, BIDS and hospital exports.

Names are hearsay: they decide only where the request and the header are silent, and a reader is told so. They may name
the patient, so they are never repeated.
"""

import re
from typing import Final, Literal

from gateway.imaging.geometry import sequence_of
from service_kit.contracts.common import Sequence

_EXTENSIONS: Final = re.compile(r"\.(nii|gz|zip|dcm|ima|hdr|img)(?=\.|$)")
_WORDS: Final[tuple[tuple[re.Pattern[str], Sequence], ...]] = (
    # BraTS 2023 writes t1n, t1c, t2w, t2f; the years before t1, t1ce, t2, flair.
    (re.compile(r"(?<![a-z0-9])t2[ _-]?f(?![a-z])"), "flair"),
    (re.compile(r"(?<![a-z0-9])t1[ _-]?n(?![a-z])"), "t1"),
    (re.compile(r"(?<![a-z0-9])t1[ _-]?w?[ _-]?(ce|c|gd|gad|post|km)(?![a-z])"), "t1ce"),
)
_MASK: Final = re.compile(r"(?<![a-z])(seg|segmentation|mask|labels?|ground[ _-]?truth)(?![a-z])")


def read_name(filename: str) -> Sequence | Literal["mask"] | None:
    """The sequence that a file's name (not its folder's) tells, "mask" for labels, None where it is silent."""
    stem = _EXTENSIONS.sub("", filename.replace("\\", "/").rsplit("/", 1)[-1].lower())
    if _MASK.search(stem):
        return "mask"
    found = [sequence for pattern, sequence in _WORDS if pattern.search(stem)]
    return found[0] if found else sequence_of({"SeriesDescription": stem})
