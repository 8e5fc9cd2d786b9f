"""What the record does to the outline: asked for, worked out, put into words."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.clients.segmenter import SegmentationAnswer
from gateway.errors import InvalidOptions
from gateway.explain import MAX_FIELDS, Explainer, check_asked, compare, dice
from gateway.findings import Pixels
from gateway.pipeline import Pipeline
from gateway.schemas import Analysis, AnalysisOptions, MetadataEffect
from gateway.stopwatch import Stopwatch
from service_kit.contracts.clinical import ClinicalAblation, ClinicalVector
from service_kit.contracts.common import Sequence
from service_kit.contracts.models import ServedModel, TensorDescription
from service_kit.contracts.segmentation import SegmentationResult
from service_kit.errors import DeadlineExceeded, NotReady, Overloaded
from tests.unit.gateway.fakes import FakeClassifier, FakeNormalizer, FakeRoster, model_ref, study

ASKED = AnalysisOptions(explain_metadata=True)
IMAGE = TensorDescription(name="image", dtype="UINT8", shape=(-1, 1, 32, 32))
CLINICAL = TensorDescription(name="clinical", dtype="FP32", shape=(-1, 2))


def rows(count: int) -> NDArray[np.bool_]:
    """A mask of the slice's first rows, 64 pixels each."""
    mask = np.zeros((80, 64), np.bool_)
    mask[:count] = True
    return mask


def vector(**features: float) -> ClinicalVector:
    return ClinicalVector(features=features, imputed=("sex",), model=model_ref("clinical"))


def answer(mask: NDArray[np.bool_], name: str = "seg-flair-film", *, used: bool = True) -> SegmentationAnswer:
    result = SegmentationResult(
        labels={"tumor": int(mask.sum())},
        sequences=("flair",),
        substituted={},
        clinical_used=used,
        model=model_ref("segmentation", name),
    )
    return SegmentationAnswer(mask, result)


@dataclass
class RowSegmenter:
    """Outlines as many rows as the features' sum; notes how many calls it had at the same time."""

    error: Exception | None = None
    served: tuple[ServedModel, ...] = ()
    calls: list[tuple[dict[str, float], str | None]] = field(default_factory=list)
    always_read: bool = True
    running: int = 0
    most: int = 0

    async def segment(
        self,
        sequences: Mapping[Sequence, Pixels],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
    ) -> SegmentationAnswer:
        assert vector is not None
        self.always_read &= always_read
        self.calls.append((vector.features, model))
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if self.error is not None:
            raise self.error
        return answer(rows(round(sum(vector.features.values()))))

    async def models(self) -> tuple[ServedModel, ...]:
        return self.served


@dataclass
class Leaver:
    """Leaves out what it is told, whatever the record."""

    empty: dict[str, float] = field(default_factory=lambda: {"age": 4, "who_grade": 4})
    without: dict[str, dict[str, float]] = field(
        default_factory=lambda: {"age": {"age": 4, "who_grade": 6}, "who_grade": {"age": 6, "who_grade": 4}}
    )

    async def ablate(self, record: dict[str, Any]) -> ClinicalAblation:
        return ClinicalAblation(vector=vector(age=6, who_grade=6), empty=self.empty, without=self.without)


async def explained(
    segmenter: RowSegmenter | None = None, leaver: Leaver | None = None, *, model: str | None = None
) -> MetadataEffect:
    explainer = Explainer(segmenter or RowSegmenter(), leaver or Leaver())
    return await explainer.explain(study(), {"age": 61}, answer(rows(12)), model=model)


def served(name: str, *inputs: TensorDescription, sequences: tuple[str, ...] = ("flair",)) -> ServedModel:
    return ServedModel.model_construct(
        ref=model_ref("segmentation", name), inputs=inputs, sequences=sequences, outputs=(), title="", labels=()
    )


async def test_the_slice_is_outlined_without_the_record_and_without_each_field() -> None:
    segmenter = RowSegmenter()
    found = await explained(segmenter, model="seg-flair-film")
    assert [features for features, _ in segmenter.calls] == [
        {"age": 4, "who_grade": 4},
        {"age": 4, "who_grade": 6},
        {"age": 6, "who_grade": 4},
    ]
    assert {model for _, model in segmenter.calls} == {"seg-flair-film"}
    assert found.dice_with_without == pytest.approx(2 * 8 / (12 + 8))
    assert (found.area_change_px, found.area_change_mm2, found.ml_change) == (256, 64.0, None)
    assert [effect.field for effect in found.fields] == ["age", "who_grade"]
    assert found.fields[0].dice == pytest.approx(2 * 10 / 22)
    assert (found.fields[0].area_change_px, found.fields[0].area_change_mm2) == (128, 32.0)


async def test_a_few_calls_run_at_the_same_time_and_all_of_them_are_bounded() -> None:
    many = {f"field {number}": {"age": 1.0} for number in range(MAX_FIELDS + 5)}
    segmenter = RowSegmenter()
    found = await explained(segmenter, Leaver(without=many))
    assert len(found.fields) == MAX_FIELDS
    assert len(segmenter.calls) == MAX_FIELDS + 1
    assert 1 < segmenter.most <= 4


@pytest.mark.parametrize("error", [NotReady("down", stage="segmentation"), DeadlineExceeded("late")])
async def test_the_first_failure_is_the_answer(error: Exception) -> None:
    with pytest.raises(type(error)):
        await explained(RowSegmenter(error=error))


async def test_a_model_that_reads_no_record_is_refused_with_those_that_do() -> None:
    models = (served("seg-t1", IMAGE), served("seg-flair-film", IMAGE, CLINICAL, sequences=("t1", "flair", "t1ce")))
    explainer = Explainer(RowSegmenter(served=models), Leaver())
    with pytest.raises(InvalidOptions) as caught:
        await explainer.explain(study(), {"age": 61}, answer(rows(3), "seg-t1", used=False))
    assert "made by seg-t1, which reads no clinical record. Send the slice as `flair`" in caught.value.detail
    assert caught.value.detail.endswith("`models.segmentation`: seg-flair-film (reads t1, flair, t1ce).")
    with pytest.raises(InvalidOptions, match="no segmentation model that is served here does"):
        await Explainer(RowSegmenter(served=models[:1]), Leaver()).explain(
            study(), {}, answer(rows(3), "seg-t1", used=False)
        )


async def test_a_record_without_a_field_that_is_read_is_refused() -> None:
    with pytest.raises(InvalidOptions, match="gives no field that the clinical model knows: send at least one of sex"):
        await explained(leaver=Leaver(without={}))


@pytest.mark.parametrize(
    ("record", "options", "words"),
    [
        (None, ASKED, "add the form field `clinical`"),
        ({"age": 61}, AnalysisOptions(explain_metadata=True, segment="never"), "needs an outline"),
        ({"age": 61}, AnalysisOptions(explain_metadata=True, gate=True), "needs an outline"),
    ],
)
def test_what_cannot_be_explained_is_refused_at_once(
    record: dict[str, Any] | None, options: AnalysisOptions, words: str
) -> None:
    with pytest.raises(InvalidOptions, match=words):
        check_asked(record, options)


@pytest.mark.parametrize(
    ("record", "options"),
    [
        ({"age": 61}, ASKED),
        ({}, AnalysisOptions(explain_metadata=True, segment="always")),
        (None, AnalysisOptions()),
        (None, AnalysisOptions(segment="never")),
        ({}, AnalysisOptions(gate=True)),
    ],
)
def test_what_can_be_explained_or_was_not_asked_passes(record: dict[str, Any] | None, options: AnalysisOptions) -> None:
    check_asked(record, options)


def test_dice_of_two_masks() -> None:
    assert dice(rows(4), rows(4)) == 1
    assert dice(rows(0), rows(0)) == 1
    assert dice(rows(4), rows(0)) == 0
    assert dice(rows(4), ~rows(4)) == 0
    assert dice(rows(2), rows(6)) == 0.5


# Of the same area elsewhere.
MIRRORED = rows(12)[::-1].copy()


@pytest.mark.parametrize(
    ("masks", "spacing_mm", "summary"),
    [
        (
            [rows(12), rows(12)],
            None,
            "The record as a whole does not change the outline: it is the same, pixel by pixel, without it. "
            "No single field changes it.",
        ),
        (
            [rows(12), rows(10)],
            None,
            "The record as a whole does not change the outline: it is the same, pixel by pixel, without it. "
            "Of single fields, who grade changes it most: with it the outline is 128 px larger than without it "
            "(Dice 0.909).",
        ),
        (
            [rows(10), rows(14)],
            (0.5, 0.5),
            "With the record the outline is 32.0 mm² larger than without it (Dice 0.909 between the two). "
            "Of single fields, who grade changes it most: with it the outline is 32.0 mm² smaller than without it "
            "(Dice 0.923).",
        ),
        (
            [MIRRORED, rows(12)],
            None,
            "With the record the outline has the same area, in another place, as without it (Dice 0.000 between "
            "the two). No single field changes it.",
        ),
    ],
)
def test_the_summary_says_it_in_words(
    masks: list[NDArray[np.bool_]], spacing_mm: tuple[float, float] | None, summary: str
) -> None:
    assert compare(rows(12), masks, ["who_grade"], spacing_mm).summary == summary


async def test_without_spacing_there_are_no_millimeters() -> None:
    scan = replace(study(), spacing_mm=None)
    found = await Explainer(RowSegmenter(), Leaver()).explain(scan, {"age": 61}, answer(rows(12)))
    assert found.area_change_mm2 is None
    assert {effect.area_change_mm2 for effect in found.fields} == {None}
    assert found.area_change_px == 256


@dataclass
class TiringSegmenter(RowSegmenter):
    """Answers once; what comes after is too much."""

    async def segment(
        self,
        sequences: Mapping[Sequence, Pixels],
        vector: ClinicalVector | None = None,
        *,
        always_read: bool = False,
        model: str | None = None,
    ) -> SegmentationAnswer:
        found = await super().segment(sequences, vector, always_read=always_read, model=model)
        if len(self.calls) > 1:
            raise Overloaded("The segmenter has too much to do.", stage="segmentation")
        return found


class LeavingNormalizer(FakeNormalizer, Leaver):
    """A metadata service that answers both calls."""

    def __init__(self) -> None:
        FakeNormalizer.__init__(self)
        Leaver.__init__(self)


async def analysis(segmenter: RowSegmenter, *, asked: bool = True) -> Analysis:
    options = AnalysisOptions(explain_metadata=asked, heatmap=False)
    watch = Stopwatch()
    with watch.span("decode"):
        pass
    pipeline = Pipeline(FakeClassifier(), segmenter, LeavingNormalizer(), FakeRoster())
    return (await pipeline.analyze(study(), {"age": 61}, options, watch)).analysis


async def test_the_effect_is_part_of_the_analysis() -> None:
    segmenter = RowSegmenter()
    found = await analysis(segmenter)
    assert segmenter.always_read
    assert found.metadata_effect is not None
    assert [effect.field for effect in found.metadata_effect.fields] == ["age", "who_grade"]
    assert found.timings_ms.explanation is not None
    assert (found.verdict, found.problem) == ("answer", None)
    unasked = await analysis(segmenter, asked=False)
    assert not segmenter.always_read
    assert unasked.metadata_effect is unasked.timings_ms.explanation is None


async def test_without_the_effect_the_analysis_is_partial_and_says_what_is_missing() -> None:
    found = await analysis(TiringSegmenter())
    assert found.metadata_effect is None
    assert found.segmentation is not None
    assert found.verdict == "review"
    assert [reason.code for reason in found.reasons] == ["stage_unavailable"]
    assert "what the record does to the outline was not worked out" in found.reasons[0].detail
    assert found.problem is not None
    assert (found.problem.stage, found.problem.code) == ("segmentation", "overloaded")
