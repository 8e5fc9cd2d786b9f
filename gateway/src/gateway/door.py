"""The gate at the door, second part: the body part that the header names, and the novelty that the view model measures.

The pixel rules come first (`gateway.imaging.door`), the view model next, and nothing else runs on what is refused here.
"""

from collections.abc import Iterator

from gateway.imaging.errors import NotBrainMri
from gateway.schemas import Reason
from service_kit.contracts.classification import Novelty
from service_kit.errors import Measurement

OTHER_PARTS = frozenset(
    {
        "ABDOMEN", "ABDOMENPELVIS", "ANKLE", "AORTA", "ARM", "BLADDER", "BREAST", "CALF", "CARDIAC", "CHEST", "COCCYX",
        "COLON", "ELBOW", "EXTREMITY", "FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "HEART", "HIP", "HUMERUS",
        "KIDNEY", "KNEE", "LEG", "LIVER", "LOWER_LEG", "LSPINE", "LSSPINE", "LUNG", "PANCREAS", "PELVIS", "PHANTOM",
        "PROSTATE", "RECTUM", "RIB", "SACRUM", "SHOULDER", "SPLEEN", "SSPINE", "STERNUM", "TESTIS", "THIGH", "THORAX",
        "TIBIA", "TLSPINE", "TOE", "TSPINE", "UTERUS", "WRIST",
    }
)  # fmt: skip
"""Codes of DICOM PS3.16 Annex L for parts that no slice of a brain shows; NECK, CSPINE and free text are not here."""


_ONE_SLICE = "Send one slice of a brain MRI: gray, the whole head, no annotations, no sheet of several slices."
_WHOLE_VOLUME = "Send a volume of a brain MRI with the whole head in it, not a part that was cut out."


def check_body_part(body_part: str | None) -> None:
    """Raises `NotBrainMri` where the header names a part that cannot be the head."""
    if body_part in OTHER_PARTS:
        raise NotBrainMri(
            f"The DICOM header's BodyPartExamined is {body_part}; slices of the brain are accepted. Where the header "
            "is wrong, correct it, or send the slice as PNG."
        )


def check_novelty(novelty: Novelty | None, *, volume: bool = False) -> None:
    """Raises `NotBrainMri` where the picture, or the middle of a volume, is too unlike those that the view model
    learned from.
    """
    if novelty is not None and novelty.value > novelty.refuse_above:
        raise NotBrainMri(
            f"{'The middle of the volume' if volume else 'The picture'} is unlike every brain MRI slice that the view "
            f"model knows: its novelty is {novelty.value:.2f}, above the limit of {novelty.refuse_above:.2f}. "
            f"{_WHOLE_VOLUME if volume else _ONE_SLICE}",
            stage="view",
            measurement=Measurement("novelty", novelty.value, novelty.refuse_above),
        )


def unusual(novelty: Novelty | None, body_part: str | None) -> Iterator[Reason]:
    """Why a picture that was let in is for review all the same."""
    if novelty is not None and novelty.value > novelty.review_above:
        yield Reason(
            code="unusual_input",
            detail=(
                f"The picture is rather unlike the brain MRI slices that the view model knows: its novelty is "
                f"{novelty.value:.2f}, above {novelty.review_above:.2f} (refused above {novelty.refuse_above:.2f})."
            ),
            measured=novelty.value,
            limit=novelty.review_above,
        )
    if body_part is not None:
        yield Reason(
            code="unusual_input",
            detail=f"The DICOM header's BodyPartExamined is {body_part}, which is not the head.",
        )
