"""What `model-export novelty` measures, as it is kept and shown."""

from pydantic import BaseModel, ConfigDict

PICTURES_A_KIND = 30
BORDERLINE = "borderline"
PROTOCOL = (
    "Two things are left out at once: one source of real slices after the other, and the kinds of other pictures in "
    "three parts. What was left out is judged by statistics and limits fitted on the rest. A drawn body part and real "
    "pictures of it are left out together. Borderline kinds (brains, but spoilt ones) never serve to fit and are not "
    "counted in the means."
)


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class KindResult(_Result):
    """One kind of picture, mean over the left-out sources; shares of its pictures."""

    family: str
    auroc: float
    refused: float
    refused_or_reviewed: float


class SourceResult(_Result):
    """One source of real slices that the statistics never saw; shares of its slices."""

    slices: int
    auroc: float
    false_refusals: float
    for_review: float
    review_above: float
    refuse_above: float


class TurnedResult(_Result):
    """Real slices in another orientation, or at the rim; shares of them."""

    slices: int
    false_refusals: float
    for_review: float


class ArmResult(_Result):
    """One network's features. AUROC and shares are macro means: over kinds, over sources."""

    weights: str
    auroc: float
    refused: float
    refused_or_reviewed: float
    false_refusals: float
    for_review: float
    kinds: dict[str, KindResult]
    sources: dict[str, SourceResult]
    turned: dict[str, TurnedResult]


class Timing(_Result):
    """The view model without and with the output, one picture, in milliseconds (median of interleaved runs)."""

    without_ms: float
    with_ms: float
    ratio: float


class NoveltyResult(_Result):
    """What `docs/evaluation/novelty.json` holds."""

    protocol: str = PROTOCOL
    pictures_a_kind: int = PICTURES_A_KIND
    arms: dict[str, ArmResult]
    timing: Timing | None = None
