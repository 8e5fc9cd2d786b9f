"""What the classifier service answers. Arrays (view features, class activation maps) travel beside these."""

from typing import Literal

from service_kit.contracts.common import Contract, ModelRef

ViewLabel = Literal["axial", "coronal", "sagittal"]
TumorLabel = Literal["glioma", "meningioma", "no_tumor", "pituitary", "tumor"]


class ViewClassification(Contract):
    """The plane of a slice, with calibrated probabilities that sum to 1. `source`: what the label is taken from."""

    label: ViewLabel
    probabilities: dict[ViewLabel, float]
    source: Literal["model", "dicom", "nifti"] = "model"


class TumorClassification(Contract):
    """The tumor's type. `prediction_set` holds the true label with probability `coverage` (conformal prediction).

    A model that knows no types answers with the two labels no_tumor and tumor: present, of whatever type.
    An empty set is legal: no label is as probable as that label usually is, so the picture is unlike all that was
    calibrated on. It is passed on as it is; the verdict on it is the gateway's ("review"). A model without
    calibration promises nothing: its set holds every label, and its coverage is 1.

    `warnings` say what the model could not give, such as a heat map.
    """

    label: TumorLabel
    present_probability: float
    probabilities: dict[TumorLabel, float]
    prediction_set: tuple[TumorLabel, ...]
    coverage: float
    warnings: tuple[str, ...] = ()


class Novelty(Contract):
    """How unlike the model's training pictures this one is, and the limits of its manifest: larger is stranger.

    Above `review_above` a reader must look, above `refuse_above` it is taken for no brain MRI slice at all.
    """

    value: float
    review_above: float
    refuse_above: float


class ViewResult(Contract):
    """Answer of `POST /v1/view-classifications`; array `features [128]`. A model may lack features or novelty."""

    view: ViewClassification
    model: ModelRef
    novelty: Novelty | None = None


class TumorResult(Contract):
    """Answer of `POST /v1/tumor-classifications`; array `heatmap [rows, columns]` in 0..1 where it was asked for.

    The map is coarse: `heatmap_extent` (top, left, height, width) says where it lies, in pixels of the picture that
    was sent, and may reach outside it. `heatmap_label` is the class it explains: the label, or the likeliest tumor
    where the label is no_tumor. Both are None where no map was asked for, and where the model has none.
    """

    tumor: TumorClassification
    model: ModelRef
    heatmap_label: TumorLabel | None = None
    heatmap_extent: tuple[float, float, float, float] | None = None
