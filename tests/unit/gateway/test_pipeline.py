"""What the pipeline asks whom, and what it makes of failures."""

import asyncio
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from pydantic import ValidationError

from gateway.analysis import summarize_outline
from gateway.clients.classifier import ViewAnswer, ViewFeatures
from gateway.errors import InvalidClinicalRecord, InvalidOptions
from gateway.findings import Findings
from gateway.imaging.errors import NotBrainMri
from gateway.imaging.study import Study
from gateway.pipeline import Pipeline, wants_segmentation
from gateway.schemas import AnalysisOptions, SegmentationSummary
from gateway.stopwatch import Stopwatch
from service_kit.contracts.classification import Novelty, TumorLabel
from service_kit.errors import DeadlineExceeded, InvalidRequest, NotReady, Overloaded, ServiceError, UpstreamFailed
from tests.unit.gateway.fakes import (
    FakeClassifier,
    FakeNormalizer,
    FakeRoster,
    FakeSegmenter,
    study,
    tumor,
    view_answer,
)

FILES = {
    "self", "input", "mask", "overlay", "heatmap", "report", "report_pdf", "evidence", "saliency", "thumbnail",
}  # fmt: skip
UNAVAILABLE = [
    NotReady("down", stage="segmentation"),
    Overloaded("busy", stage="segmentation"),
    DeadlineExceeded("late", stage="segmentation"),
    UpstreamFailed("broken", stage="segmentation"),
]


async def analyze(
    classifier: FakeClassifier | None = None,
    segmenter: FakeSegmenter | None = None,
    normalizer: FakeNormalizer | None = None,
    *,
    record: dict[str, object] | None = None,
    options: AnalysisOptions | None = None,
    scan: Study | None = None,
    roster: FakeRoster | None = None,
) -> Findings:
    pipeline = Pipeline(
        classifier or FakeClassifier(),
        segmenter or FakeSegmenter(),
        normalizer or FakeNormalizer(),
        roster or FakeRoster(),
    )
    watch = Stopwatch()
    with watch.span("decode"):
        pass
    return await pipeline.analyze(scan or study(), record, options or AnalysisOptions(), watch)


async def test_a_clear_tumor_is_classified_outlined_measured_and_answered() -> None:
    classifier, segmenter = FakeClassifier(), FakeSegmenter()
    findings = await analyze(classifier, segmenter, record={"age": 61})
    analysis = findings.analysis
    assert (analysis.state, analysis.verdict, analysis.reasons) == ("succeeded", "answer", ())
    assert [model.stage for model in analysis.models] == ["view", "tumor", "clinical", "segmentation"]
    assert (analysis.progress.done, analysis.progress.total) == (4, 4)
    assert findings.mask is not None
    assert analysis.segmentation is not None
    assert analysis.segmentation.area_px == np.count_nonzero(findings.mask) > 50
    assert analysis.segmentation.area_mm2 == pytest.approx(analysis.segmentation.area_px * 0.25)
    assert_diameters_lie_across(analysis.segmentation, (0.5, 0.5))
    assert analysis.segmentation.clinical_used
    assert analysis.clinical is not None
    assert analysis.clinical.imputed == ("sex",)
    assert analysis.problem is None
    assert set(analysis.links) == FILES
    assert [name for name, _ in classifier.calls] == ["view", "tumor"]
    np.testing.assert_array_equal(classifier.calls[1][1]["features"].values, view_answer().features)


def assert_diameters_lie_across(outline: SegmentationSummary, spacing_mm: tuple[float, float]) -> None:
    top, left, bottom, right = outline.bounding_box
    for axis, length_mm in (
        (outline.longest_axis_px, outline.longest_diameter_mm),
        (outline.perpendicular_axis_px, outline.perpendicular_diameter_mm),
    ):
        assert axis is not None
        start, end = np.array(axis)
        assert np.hypot(*((end - start) * spacing_mm)) == pytest.approx(length_mm, abs=0.1)
        assert (np.array(axis) >= (top - 1, left - 1)).all()
        assert (np.array(axis) <= (bottom, right)).all()
        np.testing.assert_array_equal(np.array(axis), np.round(axis, 1))


async def test_without_spacing_the_diameters_are_in_pixels_alone_and_an_empty_outline_has_none() -> None:
    segmenter, scan = FakeSegmenter(), study()
    outline = (await analyze(segmenter=segmenter, scan=replace(scan, spacing_mm=None))).analysis.segmentation
    known = (await analyze(segmenter=segmenter, scan=scan)).analysis.segmentation
    assert outline is not None
    assert known is not None
    assert outline.longest_axis_px == known.longest_axis_px is not None
    assert outline.longest_diameter_mm is outline.perpendicular_diameter_mm is outline.area_mm2 is None
    answer = await segmenter.segment(scan.sequences)
    empty = summarize_outline(replace(answer, mask=np.zeros_like(answer.mask)), scan.spacing_mm)
    assert (empty.area_px, empty.longest_axis_px, empty.perpendicular_axis_px) == (0, None, None)


@pytest.mark.parametrize("policy", ["auto", "always"])
async def test_a_record_that_does_not_help_is_left_out_unless_asked_for_and_the_answer_says_so(
    policy: Literal["auto", "always"],
) -> None:
    options = AnalysisOptions(clinical=policy)
    findings = await analyze(segmenter=FakeSegmenter(record_helps=False), record={"age": 61}, options=options)
    outline, clinical = findings.analysis.segmentation, findings.analysis.clinical
    assert outline is not None
    assert clinical is not None
    assert (outline.clinical_used, outline.clinical_left_out) == (policy == "always", policy == "auto")
    assert any("`clinical: always` hands it over" in warning for warning in clinical.warnings) == (policy == "auto")


async def test_what_did_not_run_is_null_and_has_no_link() -> None:
    normalizer = FakeNormalizer(error=AssertionError("no record was sent"))
    findings = await analyze(normalizer=normalizer, options=AnalysisOptions(segment="never", heatmap=False))
    analysis = findings.analysis
    parts = (analysis.clinical, analysis.segmentation, findings.mask, findings.saliency)
    assert [part for part in parts if part is not None] == []
    assert analysis.timings_ms.clinical is analysis.timings_ms.segmentation is None
    assert set(analysis.links) == {"self", "input", "report", "report_pdf", "evidence", "thumbnail"}
    assert (analysis.progress.stage, analysis.progress.done) == ("tumor", 2)


@pytest.mark.parametrize(
    ("policy", "present", "prediction_set", "wanted"),
    [
        ("auto", 0.5, (), True),
        ("auto", 0.49, ("no_tumor",), False),
        ("auto", 0.1, ("no_tumor", "pituitary"), True),
        ("auto", 0.1, (), False),
        ("always", 0.0, ("no_tumor",), True),
        ("never", 1.0, ("glioma",), False),
    ],
)
def test_where_an_outline_is_wanted(policy: str, present: float, prediction_set: tuple[str, ...], wanted: bool) -> None:
    options = AnalysisOptions.model_validate({"segment": policy})
    classification = tumor().model_copy(update={"present_probability": present, "prediction_set": prediction_set})
    assert wants_segmentation(classification, options.segment) is wanted


@pytest.mark.parametrize(("label", "wanted"), [("no_tumor", False), ("glioma", True), ("tumor", True)])
async def test_the_gate_opens_where_the_label_is_a_tumor(label: TumorLabel, wanted: bool) -> None:
    unsure = tumor(label, ("no_tumor", "glioma"), present_probability=0.6)
    segmenter = FakeSegmenter()
    await analyze(FakeClassifier(tumor=unsure), segmenter, options=AnalysisOptions(gate=True))
    assert bool(segmenter.calls) is wanted
    assert wants_segmentation(unsure, "auto")


@pytest.mark.parametrize("policy", ["always", "never"])
def test_the_gate_goes_with_auto(policy: str) -> None:
    with pytest.raises(ValidationError, match="gate goes with segment auto"):
        AnalysisOptions.model_validate({"gate": True, "segment": policy})


@pytest.mark.parametrize("error", UNAVAILABLE, ids=lambda error: error.code)
async def test_without_the_segmenter_the_answer_is_partial(error: ServiceError) -> None:
    analysis = (await analyze(segmenter=FakeSegmenter(error=error))).analysis
    assert (analysis.state, analysis.verdict, analysis.segmentation) == ("succeeded", "review", None)
    assert [reason.code for reason in analysis.reasons] == ["stage_unavailable"]
    assert analysis.problem is not None
    assert (analysis.problem.code, analysis.problem.stage, analysis.problem.status) == (
        error.code,
        "segmentation",
        error.status,
    )
    assert (analysis.progress.done, analysis.progress.total) == (2, 3)
    assert "overlay" not in analysis.links


async def test_without_the_metadata_service_the_outline_is_made_without_a_vector() -> None:
    segmenter = FakeSegmenter()
    normalizer = FakeNormalizer(error=NotReady("down", stage="clinical"))
    analysis = (await analyze(segmenter=segmenter, normalizer=normalizer, record={})).analysis
    assert segmenter.calls == [(("t1ce",), None, None)]
    assert analysis.segmentation is not None
    assert analysis.clinical is None
    assert analysis.verdict == "review"
    assert analysis.problem is not None
    assert analysis.problem.stage == "clinical"


@pytest.mark.parametrize("stage", ["view", "tumor"])
async def test_without_a_classifier_there_is_no_answer(stage: str) -> None:
    down = NotReady("down", stage=stage)
    classifier = FakeClassifier(view=down) if stage == "view" else FakeClassifier(tumor=down)
    normalizer = FakeNormalizer(delay_s=30)
    with pytest.raises(NotReady) as caught:
        await analyze(classifier, normalizer=normalizer, record={})
    assert caught.value.stage == stage
    assert normalizer.canceled


async def test_a_refused_record_refuses_the_whole_request() -> None:
    segmenter = FakeSegmenter()
    normalizer = FakeNormalizer(error=InvalidClinicalRecord("laterality leaks the answer"))
    with pytest.raises(InvalidClinicalRecord):
        await analyze(segmenter=segmenter, normalizer=normalizer, record={"laterality": "left"})
    assert not segmenter.calls


async def test_the_record_is_normalized_while_the_picture_is_classified() -> None:
    order: list[str] = []

    class SlowClassifier(FakeClassifier):
        async def classify_view(self, pixels: object, *, model: str | None = None):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0)
            order.append("view")
            return view_answer()

    class Noting(FakeNormalizer):
        async def normalize(self, record: dict[str, object]):  # type: ignore[no-untyped-def]
            order.append("clinical")
            return await super().normalize(record)

    await analyze(SlowClassifier(), normalizer=Noting(), record={})
    assert order == ["clinical", "view"]


async def test_named_models_are_checked_first_and_asked_for() -> None:
    classifier, segmenter, roster = FakeClassifier(), FakeSegmenter(), FakeRoster()
    named = AnalysisOptions(models={"segmentation": "seg-flair-film", "view": "view"})
    findings = await analyze(classifier, segmenter, options=named, roster=roster)
    assert roster.checked == [(named.models, {"t1ce"})]
    assert segmenter.calls[0][2] == "seg-flair-film"
    assert findings.analysis.models[-1].name == "seg-flair-film"
    with pytest.raises(InvalidRequest, match="stage tumor is served by tumor"):
        await analyze(options=AnalysisOptions(models={"tumor": "other"}))


async def test_nothing_runs_when_a_name_is_refused() -> None:
    classifier, roster = FakeClassifier(), FakeRoster(error=InvalidOptions("no such model"))
    options = AnalysisOptions(models={"segmentation": "nothing"}, segment="never")
    with pytest.raises(InvalidOptions):
        await analyze(classifier, options=options, roster=roster)
    assert roster.checked == [({"segmentation": "nothing"}, None)], "no outline is wanted: no sequence is needed"
    assert not classifier.calls


async def test_features_come_from_the_view_model_that_the_tumor_model_reads() -> None:
    other = view_answer("coronal", "view-vgg16")
    classifier = FakeClassifier(others={"view-vgg16": other})
    analysis = (await analyze(classifier, roster=FakeRoster(features_of=("view-vgg16",)))).analysis
    assert [call["model"] for name, call in classifier.calls if name == "view"] == [None, "view-vgg16"]
    assert classifier.calls[-1][1]["features"] == ViewFeatures(other.features, "view-vgg16")
    assert analysis.view is not None
    assert analysis.view.label == "axial"
    assert [model.name for model in analysis.models] == ["view", "view-vgg16", "tumor", "seg-t1"]
    assert analysis.progress.done == 3


async def test_a_tumor_model_that_reads_no_features_gets_none() -> None:
    classifier = FakeClassifier()
    await analyze(classifier, roster=FakeRoster(features_of=()))
    assert classifier.calls[-1][1]["features"] is None


async def test_features_of_a_variant_serve_as_well_where_it_ran_anyway() -> None:
    variant = view_answer(name="view-int8", novelty=Novelty(value=0.1, review_above=1.0, refuse_above=2.0))
    classifier, roster = FakeClassifier(others={"view-int8": variant}), FakeRoster(features_of=("view", "view-int8"))
    await analyze(classifier, options=AnalysisOptions(models={"view": "view-int8"}, segment="never"), roster=roster)
    sent = classifier.calls[-1][1]["features"]
    assert (sent.values is variant.features, sent.view_model) == (True, "view")
    assert [name for name, _ in classifier.calls] == ["view", "tumor"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (InvalidRequest("no such model"), "features of the view model view-vgg16, which is not served"),
        (replace(view_answer(name="view-vgg16"), features=None), "features of view-vgg16, which gives none"),
    ],
)
async def test_a_tumor_model_whose_features_nobody_gives_is_our_fault(
    source: ViewAnswer | Exception, reason: str
) -> None:
    classifier = FakeClassifier(others={"view-vgg16": source})
    with pytest.raises(UpstreamFailed, match=reason) as caught:
        await analyze(classifier, roster=FakeRoster(features_of=("view-vgg16",)))
    assert caught.value.stage == "view"


async def test_another_view_model_does_not_open_the_door() -> None:
    strange = Novelty(value=9.0, review_above=1.0, refuse_above=2.0)
    classifier = FakeClassifier(view_answer(novelty=strange), others={"view-plain": view_answer(name="view-plain")})
    with pytest.raises(NotBrainMri):
        await analyze(classifier, options=AnalysisOptions(models={"view": "view-plain"}))
    odd = strange.model_copy(update={"refuse_above": 10.0})
    classifier.view = view_answer(novelty=odd)
    analysis = (await analyze(classifier, options=AnalysisOptions(models={"view": "view-plain"}))).analysis
    assert [reason.code for reason in analysis.reasons] == ["unusual_input"]
    assert [model.name for model in analysis.models] == ["view-plain", "view", "tumor", "seg-t1"]


async def test_an_answer_without_calibration_wants_a_reader() -> None:
    raw = tumor(prediction_set=("glioma", "no_tumor")).model_copy(update={"coverage": 1.0, "warnings": ("raw scores",)})
    analysis = (await analyze(FakeClassifier(tumor=raw))).analysis
    assert (analysis.verdict, [reason.code for reason in analysis.reasons]) == ("review", ["not_calibrated"])
    assert analysis.tumor is not None
    assert analysis.tumor.warnings == ("raw scores",)


async def test_the_dicom_orientation_decides_the_view_and_a_disagreement_is_a_reason() -> None:
    analysis = (await analyze(scan=study(view="coronal"))).analysis
    assert analysis.view is not None
    assert (analysis.view.label, analysis.view.source) == ("coronal", "dicom")
    assert analysis.view.probabilities["axial"] == 0.98
    assert [reason.code for reason in analysis.reasons] == ["view_disagreement"]
    agreeing = (await analyze(scan=study(view="axial"))).analysis
    assert (agreeing.verdict, agreeing.view.source if agreeing.view else None) == ("answer", "dicom")


async def test_the_orientation_that_a_file_states_is_told_and_none_is_made_up() -> None:
    cosines = (1.0, 0.0, 0.0, 0.0, 0.98, -0.2)
    stated = (await analyze(scan=replace(study(view="axial"), orientation=cosines))).analysis
    assert stated.input.orientation == cosines
    silent = (await analyze(scan=study(view=None))).analysis
    assert silent.input.orientation is None


async def test_without_spacing_there_are_no_millimeters() -> None:
    analysis = (await analyze(scan=study(spacing_mm=None))).analysis
    assert analysis.segmentation is not None
    assert analysis.segmentation.area_px > 0
    assert analysis.segmentation.area_mm2 is analysis.segmentation.longest_diameter_mm is None
