"""Small real models for tests: published as the large ones are, with their signatures and more."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service_kit.contracts.common import BINARY_LABELS, TUMOR_LABELS, VIEW_LABELS, StageName
from service_kit.inference.manifest import (
    VIEW_FEATURES,
    Calibration,
    DType,
    ModelManifest,
    Postprocessing,
    TensorSpec,
    Training,
)
from service_kit.inference.preprocessing import Preprocessing
from service_kit.inference.tumor_regions import REGIONS
from service_kit.inference.volume import VolumePreprocessing
from service_kit.tiny_graphs import CLINICAL_COLUMNS, FEATURES, tiny_graph, tiny_volume_graph

TINY_NAMES: dict[StageName, str] = {
    "view": "view",
    "tumor": "tumor",
    "segmentation": "seg-t1",
    "clinical": "clinical",
}
CLINICAL_FEATURES = tuple(column.name for column in CLINICAL_COLUMNS)


def tiny_model(
    folder: Path,
    stage: StageName,
    *,
    name: str | None = None,
    size: int = 32,
    sequences: Sequence[str] = ("t1ce",),
    clinical: bool = False,
    labels: tuple[str, ...] | None = None,
    reads_view: bool = True,
    outputs_beside: bool = True,
    seed: int = 7,
    **changes: Any,
) -> ModelManifest:
    """Write `folder/<name>/`: a real ONNX model of a few kilobytes with the published models' signature, and more.

    view and tumor are fixed random linear maps of the mean gray; segmentation marks what is brighter than half (of
    the channels' mean; `clinical` adds the input of that name, whose sum shifts the threshold); clinical fills in
    missing values and scales the numbers. A tumor model has `labels`, reads the view features with `reads_view`, and
    gives a map with `outputs_beside`, by which a view model gives features. `seed` draws the weights, `changes`
    replaces fields of the manifest; a view model with `novelty` measures the mean gray, 0 to 1. Needs the package onnx.
    """
    name = name or TINY_NAMES[stage]
    target = folder / name
    labels = labels or (VIEW_LABELS if stage == "view" else TUMOR_LABELS)
    inputs, outputs = _signature(stage, size, len(sequences), clinical=clinical, classes=len(labels))
    if stage == "tumor" and not reads_view:
        inputs = inputs[:1]
    if not outputs_beside:
        outputs = outputs[:1]
    if changes.get("novelty") is not None:
        outputs = (*outputs, TensorSpec(name="novelty", dtype="FP32", shape=(-1, 1)))
    content = tiny_graph(stage, size, inputs, outputs, seed)
    fields = _stage_fields(stage, size, tuple(sequences), labels, clinical=clinical)
    return _publish(target, stage, content, inputs=inputs, outputs=outputs, **{**fields, **changes})


def tiny_volume_model(
    folder: Path,
    *,
    name: str = "unet3d",
    patch: int = 16,
    sequences: Sequence[str] = ("t1", "t1ce", "t2", "flair"),
    labels: tuple[str, ...] = REGIONS,
    mirrored: tuple[int, ...] = (),
    **changes: Any,
) -> ModelManifest:
    """Write `folder/<name>/`: a real 3D model without weights, with the published ones' signature.

    Region `n` is where the mean of the sequences that are there lies above `VOLUME_LEVELS[n]` standard deviations.
    `changes` replaces fields of the manifest. Needs the package onnx.
    """
    cube = (patch,) * 3
    inputs = (
        TensorSpec(name="volume", dtype="FP32", shape=(-1, len(sequences), *cube)),
        TensorSpec(name="present", dtype="FP32", shape=(-1, len(sequences))),
    )
    outputs = (TensorSpec(name="probabilities", dtype="FP32", shape=(-1, len(labels), *cube)),)
    fields: dict[str, Any] = {
        "labels": labels,
        "sequences": tuple(sequences),
        "volume": VolumePreprocessing(patch_voxels=patch, mirrored=mirrored),
        "postprocessing": Postprocessing(),
    }
    content = tiny_volume_graph(inputs, outputs)
    return _publish(folder / name, "segmentation", content, inputs=inputs, outputs=outputs, **{**fields, **changes})


def _publish(target: Path, stage: StageName, content: bytes, **fields: Any) -> ModelManifest:
    (target / "1").mkdir(parents=True, exist_ok=True)
    (target / "1" / "model.onnx").write_bytes(content)
    common: dict[str, Any] = {
        "name": target.name,
        "version": "1",
        "stage": stage,
        "title": f"Tiny {stage} model for tests",
        "architecture": "tiny",
        "precision": "fp32",
        "sha256": hashlib.sha256(content).hexdigest(),
        "training": Training(
            command="none", seed=0, config={}, dataset="none", groups_sha256="0" * 64, groups={"train": 0}
        ),
    }
    manifest = ModelManifest(**{**common, **fields})
    manifest.dump(target)
    (target / "card.json").write_text(f'{{"name": "{manifest.name}", "title": "{manifest.title}"}}\n', encoding="utf-8")
    (target / "config.pbtxt").write_text(triton_config(manifest), encoding="utf-8")
    return manifest


def tiny_repository(folder: Path) -> Path:
    """The default models as tiny ones, and beside them one of each kind that a request may name."""
    tiny_model(folder, "view")
    tiny_model(folder, "view", name="view-vgg16", seed=8)
    tiny_model(folder, "view", name="view-plain", outputs_beside=False, seed=9, calibration=None)
    tiny_model(folder, "tumor", features_of="view")
    tiny_model(folder, "tumor", name="tumor-int8", variant_of="tumor", features_of="view", precision="int8")
    tiny_model(folder, "tumor", name="tumor-vgg16-view", features_of="view-vgg16", outputs_beside=False, size=64)
    tiny_model(folder, "tumor", name="tumor-resnet50", reads_view=False)
    tiny_model(folder, "tumor", name="detector-cnn", labels=BINARY_LABELS, reads_view=False, outputs_beside=False)
    tiny_model(folder, "tumor", name="imported", labels=BINARY_LABELS, reads_view=False, calibration=None)
    tiny_model(folder, "segmentation", fallback={"t1ce": "t1", "t1": "t2"})
    tiny_model(folder, "segmentation", name="seg-unet", size=64)
    tiny_model(
        folder,
        "segmentation",
        name="seg-flair-film",
        sequences=("t1", "flair", "t1ce"),
        clinical=True,
        fallback={"t1": "flair", "t1ce": "flair"},
    )
    tiny_volume_model(folder, patch=32)
    tiny_model(folder, "clinical")
    return folder


def triton_config(manifest: ModelManifest, *, max_batch_size: int = 16) -> str:
    """Triton's description of the model."""
    lines = [f'name: "{manifest.name}"', 'backend: "onnxruntime"', f"max_batch_size: {max_batch_size}"]
    for side, specs in (("input", manifest.inputs), ("output", manifest.outputs)):
        for spec in specs:
            dims = ", ".join(map(str, spec.shape[1:]))
            lines.append(f'{side} [ {{ name: "{spec.name}" data_type: TYPE_{spec.dtype} dims: [ {dims} ] }} ]')
    return "\n".join(lines) + "\n"


def _signature(
    stage: StageName, size: int, channels: int, *, clinical: bool, classes: int
) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    def spec(name: str, *shape: int, dtype: DType = "FP32") -> TensorSpec:
        return TensorSpec(name=name, dtype=dtype, shape=(-1, *shape))

    features = len(CLINICAL_FEATURES)
    match stage:
        case "view":
            return (spec("image", 1, size, size, dtype="UINT8"),), (spec("logits", 3), spec("features", FEATURES))
        case "tumor":
            grid = size // 8
            image = spec("image", 1, size, size, dtype="UINT8")
            return (image, spec(VIEW_FEATURES, FEATURES)), (
                spec("logits", classes),
                spec("cam", classes, grid, grid),
            )
        case "segmentation":
            image = spec("image", channels, size, size, dtype="UINT8")
            inputs = (image, spec("clinical", features)) if clinical else (image,)
            return inputs, (spec("probabilities", 1, size, size),)
        case "clinical":
            return (spec("record", features),), (spec("vector", features),)


def _stage_fields(
    stage: StageName, size: int, sequences: tuple[str, ...], labels: tuple[str, ...], *, clinical: bool
) -> dict[str, Any]:
    match stage:
        case "view" | "tumor":
            thresholds = dict.fromkeys(labels, 0.1)
            return {
                "labels": labels,
                "preprocessing": Preprocessing(size=size),
                "calibration": Calibration(temperature=1.0, coverage=0.95, thresholds=thresholds),
            }
        case "segmentation":
            return {
                "labels": ("tumor",),
                "sequences": sequences,
                "preprocessing": Preprocessing(size=size, crop_head=False),
                "postprocessing": Postprocessing(),
                "clinical_features": CLINICAL_FEATURES if clinical else (),
                "clinical_default": (0.5, 1.0, 0.0) if clinical else (),
            }
        case "clinical":
            return {
                "clinical_features": CLINICAL_FEATURES,
                "clinical_default": (0.5, 1.0, 0.0),
                "clinical_columns": CLINICAL_COLUMNS,
            }
