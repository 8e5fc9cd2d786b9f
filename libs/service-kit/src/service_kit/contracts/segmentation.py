"""What the segmenter service answers. The mask travels beside it as array `mask [slices, rows, columns]`, uint8."""

from service_kit.contracts.common import Contract, ModelRef


class SegmentationResult(Contract):
    """Answer of `POST /v1/segmentations`.

    `labels` counts pixels by label name. `sequences` are the model's channels, in its order; `substituted` maps a
    channel that was not sent to the sequence that stood in for it. `clinical_left_out`: a vector was sent, and the
    model reads it only when asked to, because it did not help in evaluation.
    """

    labels: dict[str, int]
    sequences: tuple[str, ...]
    substituted: dict[str, str]
    clinical_used: bool
    clinical_left_out: bool = False
    model: ModelRef
