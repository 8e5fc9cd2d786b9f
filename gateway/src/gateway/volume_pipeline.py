"""The product on one screen, for series and volumes: a decoded study in, findings out."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.clients.classifier import TumorAnswer, ViewAnswer
from gateway.clients.segmenter import SegmentationAnswer
from gateway.door import check_body_part, check_novelty
from gateway.explain import Explainer, Outliner
from gateway.findings import Pixels
from gateway.imaging.door import VOLUME_ADVICE, check_slice
from gateway.imaging.volume import VolumeStudy
from gateway.judge.limits import JudgeLimits
from gateway.pipeline import Classifier, Normalizer, Roster, check_named, optional, wants_segmentation
from gateway.progress import ProgressReporter
from gateway.schemas import AnalysisOptions
from gateway.stopwatch import Stopwatch
from gateway.views import Views
from gateway.volume_analysis import VolumeAnswers, compose_volume
from gateway.volume_findings import VolumeFindings
from gateway.volume_outline import (
    VolumeOutline,
    VolumeOutliner,
    check_explained,
    outline_by_slices,
    outline_in_3d,
    outlined_in_3d,
    when_there_is_room,
)
from gateway.volume_slices import VolumeSlices, sampled, viewed
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import ModelRef, Sequence
from service_kit.errors import ServiceError

_DEFAULT_LIMITS = JudgeLimits()


class Segmenter(Outliner, VolumeOutliner, Protocol):
    """Where the tumor is, of slices and volumes."""


@dataclass(frozen=True, slots=True)
class _KeySlice:
    """One slice as the explanation sees it."""

    sequences: Mapping[Sequence, Pixels]
    primary: Pixels
    spacing_mm: tuple[float, float] | None


class VolumePipeline:
    """As `gateway.pipeline.Pipeline`: view and tumor must answer, record and outline may fail, and the result says so.

    A few slices are classified, unless an outline is asked for anyway; the volume is outlined, in 3D or slice by slice;
    then the slice of the outline's largest extent is classified for the answer, or that of those few which looks most
    like a tumor. Progress is told by slice and tile, where a canceled job stops.
    """

    def __init__(
        self,
        classifier: Classifier,
        segmenter: Segmenter,
        normalizer: Normalizer,
        roster: Roster,
        limits: JudgeLimits = _DEFAULT_LIMITS,
    ) -> None:
        self._classifier = classifier
        self._segmenter = segmenter
        self._normalizer = normalizer
        self._explainer = Explainer(segmenter, normalizer)
        self._roster = roster
        self._limits = limits

    async def analyze(
        self,
        study: VolumeStudy,
        record: dict[str, Any] | None,
        options: AnalysisOptions,
        watch: Stopwatch,
        progress: ProgressReporter,
    ) -> VolumeFindings:
        """Classify, outline where wanted, measure and judge. `watch` holds the span `decode` already.

        Raises:
            InvalidClinicalRecord, InvalidOptions, NotBrainMri: as for slices.
            BlankPicture, SaturatedPicture, PictureTooSmall: the volume's middle slice is no picture of a brain.
            NotReady, Overloaded, DeadlineExceeded, UpstreamFailed: view or tumor gave no answer; `stage` says which.
            Canceled: `progress` says that nobody wants the result any more.
        """
        check_body_part(study.body_part)
        present = None if options.segment == "never" else study.sequences.keys()
        if options.models:
            await self._roster.check(options.models, present, volume=True)
        slices = VolumeSlices.of(study)
        within = await asyncio.to_thread(slices.in_the_head)
        check_slice(slices.pixels(within[len(within) // 2]), advice=VOLUME_ADVICE)
        failures: list[ServiceError] = []
        vector = None
        if record is not None:
            with watch.span("clinical"):
                vector = await optional(self._normalizer.normalize(record), failures)
        with watch.span("view"):
            view = await self._view(slices, within, options, progress)
        check_novelty(view.novelty, volume=True)
        key: int | None = None
        outline = None
        wanted = options.segment == "always" or options.explain_metadata
        if not wanted:
            with watch.span("tumor"):
                key, wanted = await self._search(slices, within, options, progress)
        if wanted:
            with watch.span("segmentation"):
                outlining = self._outline(slices, vector, options, progress)
                outline = await optional(outlining, failures)
        if outline is not None:
            key = widest(slices, outline.labels, key)
        with watch.span("tumor"):
            if key is None:
                key, _ = await self._search(slices, within, options, progress)
            await progress.step("tumor", 0, 1)
            tumor, beside = await self._classify(slices, key, options, heatmap=options.heatmap)
        effect = None
        if options.explain_metadata and record is not None and outline is not None and outline.by_slices is not None:
            await progress.step("explanation", 0, 1)
            with watch.span("explanation"):
                explained = _KeySlice(slices.sequences(key), slices.pixels(key), slices.spacing_mm)
                at_key = SegmentationAnswer(outline.by_slices.mask[key], outline.by_slices.result)
                named = options.models.get("segmentation")
                explaining = self._explainer.explain(explained, record, at_key, model=named)
                effect = await optional(explaining, failures, "what the record does to the outline was not worked out")
        others = tuple(model for model in beside if model != view.model)
        answers = VolumeAnswers(view, tumor, vector, outline, key, tuple(failures), others, effect=effect)
        check_named(answers, options.models)
        # The last place where a canceled job stops: what follows is one piece.
        await progress.step("tumor", 1, 1)
        return await asyncio.to_thread(compose_volume, slices, answers, watch, self._limits)

    async def _view(
        self, slices: VolumeSlices, within: list[int], options: AnalysisOptions, progress: ProgressReporter
    ) -> ViewAnswer:
        """The mean of the middle slices' answers, with the median of their novelties."""
        chosen, answers = viewed(within), []
        for done, index in enumerate(chosen):
            await progress.step("view", done, len(chosen))
            views = Views(self._classifier, slices.pixels(index))
            named = options.models.get("view")
            answer = await views.ask(named)
            answers.append(replace(answer, novelty=(await views.measuring_novelty(named)).novelty))
        return middle(answers)

    async def _search(
        self, slices: VolumeSlices, within: list[int], options: AnalysisOptions, progress: ProgressReporter
    ) -> tuple[int, bool]:
        """The slice that looks most like a tumor, and whether an outline is wanted."""
        chosen = sampled(within)
        best, highest, wanted = chosen[0], -1.0, False
        for done, index in enumerate(chosen):
            await progress.step("tumor", done, len(chosen))
            tumor = (await self._classify(slices, index, options, heatmap=False))[0].tumor
            wanted = wanted or wants_segmentation(tumor, options.segment, gate=options.gate)
            if tumor.present_probability > highest:
                best, highest = index, tumor.present_probability
        return best, wanted

    async def _classify(
        self, slices: VolumeSlices, index: int, options: AnalysisOptions, *, heatmap: bool
    ) -> tuple[TumorAnswer, tuple[ModelRef, ...]]:
        """The tumor's type on one slice, and the view models that ran for it."""
        named = options.models.get("tumor")
        views = Views(self._classifier, slices.pixels(index))
        features = await views.features(await self._roster.view_models_of(named))
        tumor = await self._classifier.classify_tumor(slices.pixels(index), features, heatmap=heatmap, model=named)
        return tumor, views.models

    async def _outline(
        self,
        slices: VolumeSlices,
        vector: ClinicalVector | None,
        options: AnalysisOptions,
        progress: ProgressReporter,
    ) -> VolumeOutline:
        named = options.models.get("segmentation")
        on_step = partial(progress.step, "segmentation")
        await on_step(0, 1)
        in_3d = await self._roster.volume_models()
        present = slices.study.sequences.keys()
        if options.explain_metadata:
            check_explained(named, in_3d, present)
        if outlined_in_3d(named, in_3d, present):
            return await when_there_is_room(
                lambda: outline_in_3d(self._segmenter, slices.study, model=named, progress=on_step)
            )
        return await outline_by_slices(
            self._segmenter, slices, vector, always_read=options.record_always_read, model=named, progress=on_step
        )


def middle(answers: list[ViewAnswer]) -> ViewAnswer:
    """One answer of several: mean probabilities, the median novelty."""
    first = answers[len(answers) // 2]
    labels = first.view.probabilities
    mean = {label: float(np.mean([one.view.probabilities[label] for one in answers])) for label in labels}
    view = first.view.model_copy(update={"label": max(mean, key=mean.__getitem__), "probabilities": mean})
    novelties = sorted((one.novelty for one in answers if one.novelty is not None), key=lambda found: found.value)
    return replace(first, view=view, novelty=novelties[len(novelties) // 2] if novelties else None)


def widest(slices: VolumeSlices, labels: NDArray[np.uint8], otherwise: int | None) -> int | None:
    """The slice on which most is outlined; `otherwise` where nothing is."""
    areas = np.count_nonzero(slices.stack.take(labels), axis=(1, 2))
    return int(areas.argmax()) if areas.any() else otherwise
