"""Services that answer from memory, behind the pipeline's ports."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.clients.classifier import TumorAnswer, ViewAnswer, ViewFeatures
from gateway.clients.segmenter import SegmentationAnswer
from gateway.clients.volume_outlines import VolumeSegmentationAnswer
from gateway.findings import Pixels, Saliency
from gateway.imaging.study import Study
from service_kit.contracts.classification import Novelty, TumorClassification, TumorLabel, ViewClassification, ViewLabel
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import ModelRef, Sequence, StageName
from service_kit.contracts.segmentation import SegmentationResult, VolumeSegmentationResult


def model_ref(stage: StageName, name: str | None = None) -> ModelRef:
    return ModelRef(
        stage=stage,
        name=name or stage,
        version="1",
        sha256="0" * 64,
        backend="onnxruntime",
        provider="CPUExecutionProvider",
        precision="fp32",
    )


def view_answer(label: ViewLabel = "axial", name: str = "view", novelty: Novelty | None = None) -> ViewAnswer:
    probabilities: dict[ViewLabel, float] = {"axial": 0.01, "coronal": 0.01, "sagittal": 0.01}
    probabilities[label] = 0.98
    view = ViewClassification(label=label, probabilities=probabilities)
    return ViewAnswer(view, model_ref("view", name), np.linspace(0, 1, 128, dtype=np.float32), novelty)


def tumor(
    label: TumorLabel = "glioma",
    prediction_set: tuple[TumorLabel, ...] = ("glioma",),
    present_probability: float = 0.97,
) -> TumorClassification:
    probabilities: dict[TumorLabel, float] = {"glioma": 0.01, "meningioma": 0.01, "no_tumor": 0.01, "pituitary": 0.01}
    probabilities[label] = 0.97
    return TumorClassification(
        label=label,
        present_probability=present_probability,
        probabilities=probabilities,
        prediction_set=prediction_set,
        coverage=0.95,
    )


def saliency() -> Saliency:
    """Nearly all of the evidence at the bright spot of `picture`, whatever the fitted limits are."""
    values = np.linspace(0, 0.02, 16, dtype=np.float32).reshape(4, 4)
    values[1, 1] = 1.0
    return Saliency(values, (-8.0, 0.0, 96.0, 80.0), "glioma")


def picture(rows: int = 80, columns: int = 64) -> NDArray[np.uint8]:
    """A bright disk (the head) on black, with a brighter spot in it."""
    y, x = np.mgrid[0:rows, 0:columns]
    head = ((y - rows / 2) / (rows * 0.4)) ** 2 + ((x - columns / 2) / (columns * 0.4)) ** 2 < 1
    spot = (y - rows * 0.4) ** 2 + (x - columns * 0.6) ** 2 < 36
    gray: NDArray[np.uint8] = (head * 120 + (head & spot) * 120).astype(np.uint8)
    return gray


def study(view: ViewLabel | None = None, spacing_mm: tuple[float, float] | None = (0.5, 0.5)) -> Study:
    return Study(
        kind="slice",
        format="png" if view is None else "dicom",
        sha256="a" * 64,
        sequences={"t1ce": picture()},
        spacing_mm=spacing_mm,
        view=view,
        warnings=(),
    )


@dataclass
class FakeClassifier:
    """`others` are the answers of the view models beside the default, by name."""

    view: ViewAnswer | Exception = field(default_factory=view_answer)
    tumor: TumorClassification | Exception = field(default_factory=tumor)
    others: dict[str, ViewAnswer | Exception] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def classify_view(self, pixels: Pixels, *, model: str | None = None) -> ViewAnswer:
        self.calls.append(("view", {"pixels": pixels, "model": model}))
        await asyncio.sleep(0)
        answer = self.others.get(model or "", self.view)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def classify_tumor(
        self, pixels: Pixels, features: ViewFeatures | None, *, heatmap: bool = True, model: str | None = None
    ) -> TumorAnswer:
        self.calls.append(("tumor", {"pixels": pixels, "features": features, "heatmap": heatmap, "model": model}))
        await asyncio.sleep(0)
        if isinstance(self.tumor, Exception):
            raise self.tumor
        return TumorAnswer(self.tumor, model_ref("tumor"), saliency() if heatmap else None)


@dataclass
class FakeRoster:
    """Every name is known, unless `error`; `features_of` are the view models that each tumor model reads."""

    features_of: tuple[str, ...] = ("view",)
    in_3d: tuple[str, ...] = ("unet3d", "attention-unet3d")
    error: Exception | None = None
    checked: list[tuple[dict[StageName, str], frozenset[Sequence] | None]] = field(default_factory=list)

    async def check(
        self, named: Mapping[StageName, str], present: AbstractSet[Sequence] | None = None, *, volume: bool = False
    ) -> None:
        self.checked.append((dict(named), None if present is None else frozenset(present)))
        if self.error is not None:
            raise self.error

    async def view_models_of(self, tumor: str | None) -> tuple[str, ...]:
        return self.features_of

    async def volume_models(self) -> tuple[str, ...]:
        return self.in_3d


@dataclass
class FakeSegmenter:
    """Outlines what is brighter than `threshold`; its model reads a record unasked where that helps."""

    threshold: float = 200
    record_helps: bool = True
    error: Exception | None = None
    calls: list[tuple[tuple[str, ...], ClinicalVector | None, str | None]] = field(default_factory=list)

    async def segment(
        self,
        sequences: Mapping[Sequence, Pixels],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
    ) -> SegmentationAnswer:
        self.calls.append((tuple(sequences), vector, model))
        left_out = vector is not None and not (self.record_helps or always_read)
        if self.error is not None:
            raise self.error
        mask = next(iter(sequences.values())) > self.threshold
        result = SegmentationResult(
            labels={"tumor": int(np.count_nonzero(mask))},
            sequences=("t1",),
            substituted={},
            clinical_used=vector is not None and not left_out,
            clinical_left_out=left_out,
            model=model_ref("segmentation", model or "seg-t1"),
        )
        return SegmentationAnswer(mask, result)

    async def segment_stack(
        self,
        sequences: Mapping[Sequence, NDArray[Any]],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
        progress: Callable[[int, int], Awaitable[None]],
    ) -> SegmentationAnswer:
        """As for slices, over `[slices, rows, columns]`; progress by slice."""
        slices = next(iter(sequences.values())).shape[0]
        for done in range(1, slices + 1):
            await progress(done, slices)
        return await self.segment(sequences, vector, always_read=always_read, model=model)

    async def segment_volume(
        self,
        sequences: Mapping[Sequence, NDArray[Any]],
        voxel_mm: tuple[float, float, float],
        *,
        model: str | None = None,
        progress: Callable[[int, int], Awaitable[None]],
    ) -> VolumeSegmentationAnswer:
        """Label 3 where it is brighter, 2 on its lower half; progress in five tiles."""
        self.calls.append((tuple(sequences), None, model))
        for done in range(1, 6):
            await progress(done, 5)
        if self.error is not None:
            raise self.error
        bright = next(iter(sequences.values())) > self.threshold
        labels = np.where(bright, 3, 0).astype(np.uint8)
        labels[:, :, : labels.shape[2] // 2][labels[:, :, : labels.shape[2] // 2] > 0] = 2
        names = {1: "necrotic_core", 2: "edema", 3: "enhancing_tumor"}
        result = VolumeSegmentationResult(
            names=names,
            labels={name: int(np.count_nonzero(labels == label)) for label, name in names.items()},
            sequences=("t1", "t1ce", "t2", "flair"),
            missing=tuple(name for name in ("t1", "t1ce", "t2", "flair") if name not in sequences),
            tiles=5,
            model=model_ref("segmentation", model or "unet3d"),
        )
        return VolumeSegmentationAnswer(labels, result)


@dataclass
class FakeNormalizer:
    error: Exception | None = None
    delay_s: float = 0.0
    canceled: bool = False

    async def normalize(self, record: dict[str, Any]) -> ClinicalVector:
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.canceled = True
            raise
        if self.error is not None:
            raise self.error
        return ClinicalVector(features={"age": 0.6}, imputed=("sex",), model=model_ref("clinical"))
