"""What the segmenter service answers. The mask travels beside it as array `mask`, uint8: `[slices, rows, columns]` of
slices, `[x, y, z]` of a volume.
"""

from service_kit.contracts.common import Contract, ModelRef


class BoundaryBand(Contract):
    """How far a model's outline may lie from the true one, fitted on patients kept back from training.

    With the probability `coverage`, the true volume lies within the outline's, plus or minus `volume_mm` times its
    surface, and a diameter within plus or minus `diameter_mm`. `fitted_on` says whose outlines it was fitted on.
    """

    volume_mm: float
    diameter_mm: float
    coverage: float
    fitted_on: str


class SegmentationResult(Contract):
    """Answer of `POST /v1/segmentations`.

    `labels` counts pixels by label name. `sequences` are the model's channels, in its order; `substituted` maps a
    channel that was not sent to the sequence that stood in for it. `clinical_left_out`: a vector was sent, and the
    model reads it only when asked to, because it did not help in evaluation. `band` is None where none was fitted.
    """

    labels: dict[str, int]
    sequences: tuple[str, ...]
    substituted: dict[str, str]
    clinical_used: bool
    clinical_left_out: bool = False
    band: BoundaryBand | None = None
    model: ModelRef


class VolumeSegmentationResult(Contract):
    """Answer of `POST /v1/volume-segmentations`.

    `names` says what each value of the mask is, `labels` counts voxels by name. `sequences` are the model's channels,
    in its order; `missing` are those that were not sent, and stayed empty. `tiles` is how often the model ran.
    """

    names: dict[int, str]
    labels: dict[str, int]
    sequences: tuple[str, ...]
    missing: tuple[str, ...] = ()
    tiles: int
    band: BoundaryBand | None = None
    model: ModelRef
