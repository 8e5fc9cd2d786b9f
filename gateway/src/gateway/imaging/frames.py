"""What a DICOM header says of each of its frames: a header of its own for every one, as a single slice would have it.

An enhanced object keeps a frame's place, spacing and scaling in functional groups (PS3.3 C.7.6.16), its own or those
that all frames share; a classic slice keeps them at the top.
"""

from typing import Any, Final

from gateway.imaging.dicom_rules import Header

KEYWORDS: Final = (
    "ImagePositionPatient", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID", "InstanceNumber",
    "SpacingBetweenSlices",
)  # fmt: skip

_MACROS: Final = (
    ("PlanePositionSequence", ("ImagePositionPatient",)),
    ("PlaneOrientationSequence", ("ImageOrientationPatient",)),
    ("PixelMeasuresSequence", ("PixelSpacing", "SpacingBetweenSlices")),
    ("PixelValueTransformationSequence", ("RescaleSlope", "RescaleIntercept")),
)


def read(header: Header, count: int) -> list[Header]:
    """`count` headers, one a frame; a frame's own group goes before the shared one, and that before the top."""
    shared = _item(header.get("SharedFunctionalGroupsSequence"), 0)
    found: list[Header] = []
    for number in range(count):
        own = _item(header.get("PerFrameFunctionalGroupsSequence"), number)
        frame = dict(header)
        for macro, keywords in _MACROS:
            for group in (shared, own):
                item = _item(group.get(macro), 0) if group is not None else None
                for keyword in keywords:
                    value = None if item is None else item.get(keyword)
                    if value is not None:
                        frame[keyword] = value
        found.append(frame)
    return found


def _item(items: Any, number: int) -> Any:
    return items[number] if items and number < len(items) else None
