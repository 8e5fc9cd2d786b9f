"""What the clinical record does to the outline: the same slice outlined without it, and without each of its fields."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from gateway.clients.segmenter import SegmentationAnswer
from gateway.errors import InvalidOptions
from gateway.findings import Mask, Pixels
from gateway.schemas import AnalysisOptions, FieldEffect, MetadataEffect
from service_kit.contracts.clinical import ClinicalAblation, ClinicalVector
from service_kit.contracts.common import Sequence as SequenceName
from service_kit.contracts.models import ServedModel
from service_kit.offload import on_pixels

MAX_FIELDS = 8
"""More fields than a record has: what a metadata service of another version may make us do is bounded."""
_AT_ONCE = 4
_ASKED = "options: explain_metadata"

Spacing = tuple[float, float] | None


class ExplainedSlice(Protocol):
    """A slice in its sequences: a `Study`, or one slice of a volume."""

    @property
    def sequences(self) -> Mapping[SequenceName, Pixels]:
        """Arrays `[rows, columns]` of one shape."""

    @property
    def primary(self) -> Pixels:
        """The one that is classified."""

    @property
    def spacing_mm(self) -> Spacing:
        """(between rows, between columns), None where unknown."""


class Outliner(Protocol):
    """The segmenter, as far as it is needed here."""

    async def segment(
        self,
        sequences: Mapping[SequenceName, Pixels],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
    ) -> SegmentationAnswer:
        """`sequences`: arrays `[rows, columns]` of one shape; `always_read` as in `SegmenterClient.segment`."""

    async def models(self) -> tuple[ServedModel, ...]:
        """The models that are served."""


class Ablator(Protocol):
    """The metadata service, as far as it is needed here."""

    async def ablate(self, record: dict[str, Any]) -> ClinicalAblation:
        """Raises `InvalidClinicalRecord`."""


def check_asked(record: dict[str, Any] | None, options: AnalysisOptions) -> None:
    """Refuse, before any work, what cannot be explained.

    Raises:
        InvalidOptions: `explain_metadata` was asked for without a record, or where an outline need not be made.
    """
    if not options.explain_metadata:
        return
    if record is None:
        raise InvalidOptions(
            f"{_ASKED} asks what the clinical record does to the outline, and none was sent: add the form field "
            '`clinical`, such as {"age": 61, "sex": "female"}.'
        )
    if options.segment == "never" or options.gate:
        raise InvalidOptions(f"{_ASKED} needs an outline: leave `gate` out, and `segment` too, or set it to always.")


class Explainer:
    """Outlines a slice again and again, each time with less of the record; all within the caller's deadline."""

    def __init__(self, segmenter: Outliner, normalizer: Ablator) -> None:
        self._segmenter = segmenter
        self._normalizer = normalizer

    async def explain(
        self, study: ExplainedSlice, record: dict[str, Any], outline: SegmentationAnswer, *, model: str | None = None
    ) -> MetadataEffect:
        """The effect of `record` on `outline`, which was made with it by `model`.

        Raises:
            InvalidOptions: the outline's model reads no record, or the record gives nothing that is read.
            NotReady, Overloaded, DeadlineExceeded, UpstreamFailed: a service gave no answer.
        """
        if not outline.result.clinical_used:
            raise InvalidOptions(await self._no_reader(outline.result.model.name))
        ablation = await self._normalizer.ablate(record)
        if not ablation.without:
            raise InvalidOptions(
                f"{_ASKED}: the record gives no field that the clinical model knows: send at least one of "
                f"{', '.join(ablation.vector.imputed)}."
            )
        fields = tuple(ablation.without)[:MAX_FIELDS]
        vectors = [ablation.empty, *(ablation.without[field] for field in fields)]
        calls = [
            lambda features=features: self._segmenter.segment(
                study.sequences,
                ablation.vector.model_copy(update={"features": features}),
                always_read=True,
                model=model,
            )
            for features in vectors
        ]
        masks = [answer.mask for answer in await _in_turn(calls)]
        return await on_pixels(len(masks), study.primary.size, compare, outline.mask, masks, fields, study.spacing_mm)

    async def _no_reader(self, name: str) -> str:
        readers = [
            f"{served.ref.name} (reads {', '.join(served.sequences)})"
            for served in await self._segmenter.models()
            if any(tensor.name == "clinical" for tensor in served.inputs)
        ]
        advice = "; no segmentation model that is served here does."
        if readers:
            advice = (
                ". Send the slice as `flair` (or with `sequence: flair`), or name a model that does in "
                f"`models.segmentation`: {', '.join(readers)}."
            )
        return f"{_ASKED}: the outline was made by {name}, which reads no clinical record{advice}"


def compare(outline: Mask, masks: Sequence[Mask], fields: Sequence[str], spacing_mm: Spacing) -> MetadataEffect:
    """`outline` (with the whole record) against `masks`: first the one without the record, then without each field."""
    without, *partial = masks
    effects = tuple(
        FieldEffect(
            field=field,
            dice=dice(outline, mask),
            area_change_px=_change_px(outline, mask),
            area_change_mm2=_change_mm2(outline, mask, spacing_mm),
            ml_change=None,
        )
        for field, mask in zip(fields, partial, strict=True)
    )
    return MetadataEffect(
        dice_with_without=dice(outline, without),
        area_change_px=_change_px(outline, without),
        area_change_mm2=_change_mm2(outline, without, spacing_mm),
        ml_change=None,
        fields=effects,
        summary=_summary(outline, without, effects, spacing_mm),
    )


def dice(one: Mask, other: Mask) -> float:
    """Twice the overlap over the sum of both areas; 1 where both are empty."""
    areas = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / areas if areas else 1.0


def _change_px(outline: Mask, without: Mask) -> int:
    return int(np.count_nonzero(outline)) - int(np.count_nonzero(without))


def _change_mm2(outline: Mask, without: Mask, spacing_mm: Spacing) -> float | None:
    return None if spacing_mm is None else _change_px(outline, without) * spacing_mm[0] * spacing_mm[1]


def _summary(outline: Mask, without: Mask, effects: Sequence[FieldEffect], spacing_mm: Spacing) -> str:
    overlap = dice(outline, without)
    if overlap == 1.0:
        whole = "The record as a whole does not change the outline: it is the same, pixel by pixel, without it."
    else:
        size = _size(_change_px(outline, without), spacing_mm)
        whole = f"With the record the outline {size} without it (Dice {overlap:.3f} between the two)."
    changing = [effect for effect in effects if effect.dice < 1.0]
    if not changing:
        return f"{whole} No single field changes it."
    most = min(changing, key=lambda effect: effect.dice)
    size = _size(most.area_change_px, spacing_mm)
    return (
        f"{whole} Of single fields, {most.field.replace('_', ' ')} changes it most: with it the outline {size} "
        f"without it (Dice {most.dice:.3f})."
    )


def _size(change_px: int, spacing_mm: Spacing) -> str:
    if change_px == 0:
        return "has the same area, in another place, as"
    word = "larger" if change_px > 0 else "smaller"
    amount = f"{abs(change_px)} px"
    if spacing_mm is not None:
        amount = f"{abs(change_px) * spacing_mm[0] * spacing_mm[1]:.1f} mm²"
    return f"is {amount} {word} than"


async def _in_turn(calls: Sequence[Callable[[], Awaitable[SegmentationAnswer]]]) -> list[SegmentationAnswer]:
    """All answers, a few calls at a time. The first failure ends the rest, and is raised."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Callable[[], Awaitable[SegmentationAnswer]]) -> SegmentationAnswer:
        async with places:
            return await call()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(call)) for call in calls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
