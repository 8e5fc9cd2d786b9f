"""Answers as the OpenAPI document shows them."""

from service_kit.contracts.classification import (
    TumorClassification,
    TumorResult,
    ViewClassification,
    ViewResult,
)
from service_kit.contracts.common import ModelRef, StageName


def _model(stage: StageName) -> ModelRef:
    return ModelRef(
        stage=stage,
        name=stage,
        version="1",
        sha256="0" * 64,
        backend="onnxruntime",
        provider="CPUExecutionProvider",
        precision="fp32",
    )


VIEW_EXAMPLE = ViewResult(
    view=ViewClassification(label="axial", probabilities={"axial": 0.99, "coronal": 0.01, "sagittal": 0.0}),
    model=_model("view"),
)

TUMOR_EXAMPLE = TumorResult(
    tumor=TumorClassification(
        label="glioma",
        present_probability=0.98,
        probabilities={"glioma": 0.9, "meningioma": 0.08, "no_tumor": 0.02, "pituitary": 0.0},
        prediction_set=("glioma", "meningioma"),
        coverage=0.95,
    ),
    model=_model("tumor"),
    heatmap_label="glioma",
    heatmap_extent=(-8.5, -31.0, 520.0, 520.0),
)
