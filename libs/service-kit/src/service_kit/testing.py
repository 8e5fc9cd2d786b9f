"""What tests need of the kit: a fake behind the inference port, small real models, an application without a socket."""

import contextlib
import hashlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray

from service_kit.contracts.common import BINARY_LABELS, TUMOR_LABELS, VIEW_LABELS, ModelRef, StageName
from service_kit.errors import NotReady
from service_kit.inference.backend import Arrays, InputCheck, model_ref
from service_kit.inference.manifest import (
    VIEW_FEATURES,
    Calibration,
    ClinicalColumn,
    DType,
    ModelManifest,
    Postprocessing,
    TensorSpec,
    Training,
)
from service_kit.inference.preprocessing import Preprocessing

Function = Callable[[Arrays], Mapping[str, NDArray[Any]] | Awaitable[Mapping[str, NDArray[Any]]]]

FEATURES = 128
TINY_NAMES: dict[StageName, str] = {
    "view": "view",
    "tumor": "tumor",
    "segmentation": "seg-t1",
    "clinical": "clinical",
}
CLINICAL_COLUMNS = (
    ClinicalColumn(name="age", kind="number", unit="years", minimum=20.0, maximum=80.0, imputed=50.0),
    ClinicalColumn(name="sex", kind="category", codes={"female": 1, "male": 2}, imputed=1.0),
    ClinicalColumn(name="who_grade", kind="number", minimum=2.0, maximum=3.0, imputed=2.0),
)
CLINICAL_FEATURES = tuple(column.name for column in CLINICAL_COLUMNS)

_OPSET = 21
_IR_VERSION = 10
_ONNX_TYPES = {"UINT8": "UINT8", "INT64": "INT64", "FP16": "FLOAT16", "FP32": "FLOAT"}


class FakeBackend:
    """A backend that answers with `function(arrays)`, which may be a coroutine function. Inputs are checked."""

    def __init__(self, manifest: ModelManifest, function: Function, *, provider: str = "CPUExecutionProvider") -> None:
        self.manifest = manifest
        self.requested_provider = provider
        self.is_ready = True
        self.closed = False
        self.calls: list[dict[str, NDArray[Any]]] = []
        self.ref: ModelRef = model_ref(manifest, "onnxruntime", provider)
        self._function = function
        self._check = InputCheck(manifest)

    async def infer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """What the function makes of them; every call is kept in `calls`."""
        self._check(arrays)
        if self.closed:
            raise NotReady(f"{self.manifest.name} is closed")
        self.calls.append(dict(arrays))
        outputs = self._function(arrays)
        return dict(await outputs if inspect.isawaitable(outputs) else outputs)

    async def ready(self) -> bool:
        """`is_ready`, until it is closed."""
        return self.is_ready and not self.closed

    async def aclose(self) -> None:
        """Refuse every later call."""
        self.closed = True


@contextlib.asynccontextmanager
async def running_app(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that talks to the application in memory, while its lifespan runs."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service", trust_env=False) as client,
    ):
        yield client


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
    replaces fields of the manifest. Needs the package onnx.
    """
    name = name or TINY_NAMES[stage]
    target = folder / name
    (target / "1").mkdir(parents=True, exist_ok=True)
    labels = labels or (VIEW_LABELS if stage == "view" else TUMOR_LABELS)
    inputs, outputs = _signature(stage, size, len(sequences), clinical=clinical, classes=len(labels))
    if stage == "tumor" and not reads_view:
        inputs = inputs[:1]
    if not outputs_beside:
        outputs = outputs[:1]
    content = _model(stage, size, inputs, outputs, seed)
    (target / "1" / "model.onnx").write_bytes(content)
    fields: dict[str, Any] = {
        "name": name,
        "version": "1",
        "stage": stage,
        "title": f"Tiny {stage} model for tests",
        "architecture": "tiny",
        "precision": "fp32",
        "sha256": hashlib.sha256(content).hexdigest(),
        "inputs": inputs,
        "outputs": outputs,
        "training": Training(
            command="none", seed=0, config={}, dataset="none", groups_sha256="0" * 64, groups={"train": 0}
        ),
    }
    manifest = ModelManifest(
        **{**fields, **_stage_fields(stage, size, tuple(sequences), labels, clinical=clinical), **changes}
    )
    manifest.dump(target)
    (target / "card.json").write_text(f'{{"name": "{name}", "title": "{manifest.title}"}}\n', encoding="utf-8")
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
            return (image, spec("view_features", FEATURES)), (
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


def _model(
    stage: StageName, size: int, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], seed: int
) -> bytes:
    from onnx import TensorProto, checker, helper, numpy_helper  # noqa: PLC0415 - only tests have it

    classes = outputs[0].shape[-1]
    nodes, weights = _graph(stage, size, [spec.name for spec in inputs], classes, seed)

    def info(spec: TensorSpec) -> Any:
        shape = ["batch" if side == -1 else side for side in spec.shape]
        return helper.make_tensor_value_info(spec.name, getattr(TensorProto, _ONNX_TYPES[spec.dtype]), shape)

    graph = helper.make_graph(
        [helper.make_node(op, list(sources), [target], **attributes) for op, sources, target, attributes in nodes],
        f"tiny_{stage}",
        [info(spec) for spec in inputs],
        [info(spec) for spec in outputs],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    checker.check_model(model)
    return cast("bytes", model.SerializeToString())


_Node = tuple[str, Sequence[str], str, dict[str, Any]]
_Weights = dict[str, Any]


def _graph(stage: StageName, size: int, inputs: Sequence[str], classes: int, seed: int) -> tuple[list[_Node], _Weights]:
    """Nodes (operator, inputs, output, attributes) and constants."""
    random = np.random.default_rng(seed)
    float_type = 1
    scaled: list[_Node] = [
        ("Cast", ["image"], "image_f", {"to": float_type}),
        ("Div", ["image_f", "white"], "gray", {}),
    ]
    white = np.float32(255.0)
    match stage:
        case "view":
            nodes: list[_Node] = [
                *scaled,
                ("AveragePool", ["gray"], "pooled", {"kernel_shape": [size // 8] * 2, "strides": [size // 8] * 2}),
                ("Flatten", ["pooled"], "cells", {"axis": 1}),
                ("MatMul", ["cells", "to_features"], "features", {}),
                ("MatMul", ["features", "to_logits"], "logits", {}),
            ]
            return nodes, {
                "white": white,
                "to_features": random.normal(0, 0.3, (64, FEATURES)).astype(np.float32),
                "to_logits": random.normal(0, 0.3, (FEATURES, 3)).astype(np.float32),
            }
        case "tumor":
            nodes = [
                *scaled,
                ("AveragePool", ["gray"], "pooled", {"kernel_shape": [8, 8], "strides": [8, 8]}),
                ("Conv", ["pooled", "to_cam", "cam_bias"], "cam", {}),
            ]
            told = VIEW_FEATURES in inputs
            nodes.append(("ReduceMean", ["cam", "grid_axes"], "evidence" if told else "logits", {"keepdims": 0}))
            weights: _Weights = {
                "white": white,
                "to_cam": random.normal(0, 3, (classes, 1, 1, 1)).astype(np.float32),
                "cam_bias": random.normal(0, 0.3, classes).astype(np.float32),
                "grid_axes": np.array([2, 3], np.int64),
            }
            if told:
                nodes += [
                    ("MatMul", [VIEW_FEATURES, "from_view"], "from_features", {}),
                    ("Add", ["evidence", "from_features"], "logits", {}),
                ]
                weights["from_view"] = random.normal(0, 0.1, (FEATURES, classes)).astype(np.float32)
            return nodes, weights
        case "segmentation":
            nodes = [*scaled, ("ReduceMean", ["gray", "channel_axis"], "mean", {"keepdims": 1})]
            weights = {
                "white": white,
                "channel_axis": np.array([1], np.int64),
                "half": np.float32(0.5),
                "slope": np.float32(20.0),
            }
            shifted = "mean"
            if "clinical" in inputs:
                nodes += [
                    ("ReduceMean", ["clinical", "channel_axis"], "shift_flat", {"keepdims": 1}),
                    ("Mul", ["shift_flat", "tenth"], "shift_small", {}),
                    ("Unsqueeze", ["shift_small", "grid_axes"], "shift", {}),
                    ("Add", ["mean", "shift"], "shifted", {}),
                ]
                weights |= {"tenth": np.float32(0.1), "grid_axes": np.array([2, 3], np.int64)}
                shifted = "shifted"
            nodes += [
                ("Sub", [shifted, "half"], "above", {}),
                ("Mul", ["above", "slope"], "score", {}),
                ("Sigmoid", ["score"], "probabilities", {}),
            ]
            return nodes, weights
        case "clinical":
            lowest = [column.minimum if column.minimum is not None else 0.0 for column in CLINICAL_COLUMNS]
            highest = [column.maximum if column.maximum is not None else 1.0 for column in CLINICAL_COLUMNS]
            nodes = [
                ("IsNaN", ["record"], "missing", {}),
                ("Where", ["missing", "imputed", "record"], "filled", {}),
                ("Sub", ["filled", "lowest"], "above", {}),
                ("Div", ["above", "span"], "vector", {}),
            ]
            return nodes, {
                "imputed": np.array([column.imputed for column in CLINICAL_COLUMNS], np.float32),
                "lowest": np.array(lowest, np.float32),
                "span": (np.array(highest) - np.array(lowest)).astype(np.float32),
            }
