"""What the networks' findings on each slice say about each other: heat against outline, outline against type."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import SliceRecord
from model_export.evaluation.metrics import softmax
from model_export.evaluation.predictions import PublishedModel
from service_kit.contracts.common import TUMOR_LABELS
from service_kit.inference.agreement import Place, head_area_px, head_box, heat_share, mask_place
from service_kit.inference.manifest import Calibration, ModelManifest, Postprocessing
from service_kit.inference.postprocessing import postprocess
from service_kit.inference.preprocessing import Placement

_CHUNK = 32


@dataclass(frozen=True, slots=True)
class Networks:
    """The three models that look at a T1 slice, of one fold or published.

    `calibration` and `cut` are the published ones: they make probabilities, sets and masks.
    """

    view: PublishedModel
    tumor: PublishedModel
    outline: PublishedModel
    calibration: Calibration
    cut: Postprocessing

    @classmethod
    def open(cls, folder: Path, models: Path, threads: int) -> "Networks":
        """The models `view`, `tumor` and `seg-t1` of the repository `folder`, as those of `models` are published.

        Raises:
            ModelInvalid: a model is missing.
            ValueError: the published tumor model has no calibration.
        """
        view, tumor, outline = (PublishedModel.open(folder, name, threads) for name in ("view", "tumor", "seg-t1"))
        calibration = ModelManifest.load(models / "tumor").calibration
        if calibration is None:
            raise ValueError("the published tumor model has no calibration: publish it first")
        cut = ModelManifest.load(models / "seg-t1").postprocessing or Postprocessing()
        return cls(view, tumor, outline, calibration, cut)


@dataclass(frozen=True, slots=True)
class Finding:
    """One slice. `head_share` is the outlined share of the head, `place` the outline's, `heat_share` on the outline.

    `heat_share` and `place` are None where nothing was outlined. `probability` is the label's, calibrated; `alone` says
    whether the prediction set holds the label and nothing else.
    """

    fold: int
    group: str
    view: str | None
    truth: str
    label: str
    probability: float
    alone: bool
    head_share: float
    place: Place | None
    heat_share: float | None

    @property
    def right(self) -> bool:
        """Whether the type was right."""
        return self.truth == self.label


def find(networks: Networks, records: Sequence[SliceRecord], fold: int) -> Iterator[Finding]:
    """What the networks find on each slice, as the product does it; every slice is outlined."""
    for start in range(0, len(records), _CHUNK):
        part = records[start : start + _CHUNK]
        pixels = [read_gray(record.image) for record in part]
        features = networks.view.model.run({"image": _images(networks.view, pixels)})["features"]
        answer = networks.tumor.model.run({"image": _images(networks.tumor, pixels), "view_features": features})
        planes = networks.outline.model.run({"image": _images(networks.outline, pixels)}, batch=16)["probabilities"]
        for number, record in enumerate(part):
            yield _finding(networks, record, pixels[number], answer, planes[number, 0], number, fold)


def _finding(
    networks: Networks,
    record: SliceRecord,
    pixels: NDArray[np.uint8],
    answer: dict[str, NDArray[np.float32]],
    plane: NDArray[np.float32],
    number: int,
    fold: int,
) -> Finding:
    probabilities = softmax(answer["logits"][number][None], networks.calibration.temperature)[0]
    index = int(probabilities.argmax())
    kept = [
        label
        for label, probability in zip(TUMOR_LABELS, probabilities, strict=True)
        if probability >= networks.calibration.thresholds[label]
    ]
    mask = postprocess(plane, networks.outline.place(pixels)[1], networks.cut) > 0
    outlined = bool(mask.any())
    placement, size = networks.tumor.place(pixels)[1], _size(networks.tumor)
    evidence = on_the_picture(answer["cam"][number, index], placement, size)
    return Finding(
        fold=fold,
        group=record.group,
        view=record.view,
        truth=record.tumor_class,
        label=TUMOR_LABELS[index],
        probability=float(probabilities[index]),
        alone=kept == [TUMOR_LABELS[index]],
        head_share=np.count_nonzero(mask) / max(head_area_px(pixels), 1) if outlined else 0.0,
        place=mask_place(mask, head_box(pixels)) if outlined else None,
        heat_share=heat_share(evidence, extent_of(placement, size), mask) if outlined else None,
    )


def on_the_picture(cam: NDArray[np.float32], placement: Placement, size: int) -> NDArray[np.float32]:
    """The positive part of a map, 0 on positions that lie wholly on the grid's bars: what the service shows."""
    top, left, height, width = placement.target
    inside = [
        (edges[1:] > start) & (edges[:-1] < start + length)
        for edges, start, length in (
            (np.arange(cam.shape[0] + 1) * (size / cam.shape[0]), top, height),
            (np.arange(cam.shape[1] + 1) * (size / cam.shape[1]), left, width),
        )
    ]
    return np.asarray(np.maximum(cam, 0) * inside[0][:, None] * inside[1][None, :], np.float32)


def extent_of(placement: Placement, size: int) -> tuple[float, float, float, float]:
    """Where the model's grid lies in the picture: (top, left, height, width) in its pixels."""
    y, x, height, width = placement.source
    top, left, grid_height, grid_width = placement.target
    per_row, per_column = height / grid_height, width / grid_width
    return (y - top * per_row, x - left * per_column, size * per_row, size * per_column)


def _images(model: PublishedModel, pixels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack([model.place(each)[0][None] for each in pixels])


def _size(model: PublishedModel) -> int:
    if model.manifest.preprocessing is None:
        raise ValueError(f"{model.manifest.name} reads no picture")
    return model.manifest.preprocessing.size
