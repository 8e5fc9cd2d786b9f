"""Words that every contract shares."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

StageName = Literal["view", "tumor", "clinical", "segmentation"]
Sequence = Literal["t1", "t1ce", "t2", "flair"]

TUMOR_LABELS = ("glioma", "meningioma", "no_tumor", "pituitary")
BINARY_LABELS = ("no_tumor", "tumor")
VIEW_LABELS = ("axial", "coronal", "sagittal")


class Contract(BaseModel):
    """Base of all that crosses a service boundary: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelRef(Contract):
    """Which model answered, on what: pinned in every result."""

    stage: StageName
    name: str
    version: str
    sha256: str
    backend: Literal["onnxruntime", "triton"]
    provider: str
    precision: str
