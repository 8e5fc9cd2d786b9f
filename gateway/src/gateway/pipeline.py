"""The product on one screen: a decoded study in, findings out."""

import asyncio
from collections.abc import Coroutine, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from gateway.analysis import Answers, compose
from gateway.clients.classifier import TumorAnswer, ViewAnswer, ViewFeatures
from gateway.door import check_novelty
from gateway.explain import Ablator, Explainer, Outliner, check_asked
from gateway.findings import Findings, Pixels
from gateway.imaging.study import Study
from gateway.judge.limits import JudgeLimits
from gateway.progress import SILENT, ProgressReporter
from gateway.schemas import AnalysisOptions, SegmentPolicy
from gateway.stopwatch import Stopwatch
from gateway.views import Views
from gateway.volume_outline import check_explained
from service_kit.contracts.classification import TumorClassification
from service_kit.contracts.clinical import ClinicalVector
from service_kit.contracts.common import ModelRef, Sequence, StageName
from service_kit.errors import DeadlineExceeded, InvalidRequest, NotReady, Overloaded, ServiceError, UpstreamFailed
from service_kit.offload import on_pixels

_LIKELY = 0.5
_DEFAULT_LIMITS = JudgeLimits()
Answer = TypeVar("Answer")


class Classifier(Protocol):
    """Which plane, which tumor. `gateway.clients.classifier` has it over HTTP."""

    async def classify_view(self, pixels: Pixels, *, model: str | None = None) -> ViewAnswer:
        """`pixels [rows, columns]`."""

    async def classify_tumor(
        self, pixels: Pixels, features: ViewFeatures | None, *, heatmap: bool = True, model: str | None = None
    ) -> TumorAnswer:
        """`pixels [rows, columns]` with the view features for a model that reads them."""


class Segmenter(Outliner, Protocol):
    """Where the tumor is. `gateway.clients.segmenter` has it over HTTP."""


class Normalizer(Ablator, Protocol):
    """A clinical record as numbers. `gateway.clients.metadata` has it over HTTP."""

    async def normalize(self, record: dict[str, Any]) -> ClinicalVector:
        """Raises `InvalidClinicalRecord`."""


class Roster(Protocol):
    """Which models there are. `gateway.roster` asks the services."""

    async def check(
        self, named: Mapping[StageName, str], present: AbstractSet[Sequence] | None = None, *, volume: bool = False
    ) -> None:
        """Raises `InvalidOptions` for a name that cannot be followed, with these sequences where they are given.

        With `volume` the segmentation model may be one that reads volumes.
        """

    async def view_models_of(self, tumor: str | None) -> tuple[str, ...]:
        """The view model whose features a tumor model reads, then its variants."""

    async def volume_models(self) -> tuple[str, ...]:
        """The segmentation models that read volumes, the default one first."""


class Pipeline:
    """View and tumor must answer; the clinical vector and the outline may fail, and the result says so."""

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

    async def check(
        self,
        record: dict[str, Any] | None,
        options: AnalysisOptions,
        present: AbstractSet[Sequence] | None = None,
        *,
        volume: bool = False,
        told: AbstractSet[Sequence] = frozenset(),
    ) -> None:
        """What can be refused before pixels are decoded; `present` are the sequences, where they are known.

        `volume`: what was sent may be a volume; `told` are then the sequences, where every file's name tells one.

        Raises:
            InvalidOptions: a model that `options` names is not served, or cannot be fed with what was sent.
        """
        check_asked(record, options)
        named = options.models.get("segmentation")
        if options.explain_metadata and volume and (told or named is not None):
            check_explained(named, await self._roster.volume_models(), told)
        if options.models:
            present = None if options.segment == "never" else present
            await self._roster.check(options.models, present, volume=volume)

    async def analyze(
        self,
        study: Study,
        record: dict[str, Any] | None,
        options: AnalysisOptions,
        watch: Stopwatch,
        progress: ProgressReporter = SILENT,
    ) -> Findings:
        """Classify, outline where wanted, measure and judge. `watch` holds the span `decode` already.

        Raises:
            InvalidClinicalRecord: the record is refused.
            NotBrainMri: the view model knows nothing like this picture.
            InvalidOptions: a model that `options` names is not served, or cannot be fed with what was sent.
            NotReady, Overloaded, DeadlineExceeded, UpstreamFailed: view or tumor gave no answer; `stage` says which.
            Canceled: `progress` says that nobody wants the result any more.
        """
        await self.check(record, options, study.sequences.keys())
        named = options.models
        views = Views(self._classifier, study.primary)
        failures: list[ServiceError] = []
        normalizing = None if record is None else asyncio.create_task(self._normalize(record, failures, watch))
        try:
            await progress.step("view", 0, 1)
            with watch.span("view"):
                view = await views.ask(named.get("view"))
                novelty = (await views.measuring_novelty(named.get("view"))).novelty
            check_novelty(novelty)
            await progress.step("tumor", 0, 1)
            with watch.span("tumor"):
                features = await views.features(await self._roster.view_models_of(named.get("tumor")))
                tumor = await self._classifier.classify_tumor(
                    study.primary, features, heatmap=options.heatmap, model=named.get("tumor")
                )
            vector = None if normalizing is None else await normalizing
        finally:
            if normalizing is not None:
                normalizing.cancel()
                await asyncio.gather(normalizing, return_exceptions=True)
        outline = effect = None
        if options.explain_metadata or wants_segmentation(tumor.tumor, options.segment, gate=options.gate):
            await progress.step("segmentation", 0, 1)
            with watch.span("segmentation"):
                outlining = self._segmenter.segment(
                    study.sequences,
                    vector,
                    always_read=options.record_always_read,
                    model=named.get("segmentation"),
                )
                outline = await optional(outlining, failures)
        others = tuple(model for model in views.models if model != view.model)
        if options.explain_metadata and record is not None and vector is not None and outline is not None:
            await progress.step("explanation", 0, 1)
            with watch.span("explanation"):
                wanted = named.get("segmentation")
                explaining = self._explainer.explain(study, record, outline, model=wanted)
                effect = await optional(explaining, failures, "what the record does to the outline was not worked out")
        answers = Answers(
            replace(view, novelty=novelty), tumor, vector, outline, tuple(failures), others, effect=effect
        )
        check_named(answers, named)
        return await on_pixels(1, study.primary.size, compose, study, answers, watch, self._limits)

    async def _normalize(
        self, record: dict[str, Any], failures: list[ServiceError], watch: Stopwatch
    ) -> ClinicalVector | None:
        with watch.span("clinical"):
            return await optional(self._normalizer.normalize(record), failures)


def wants_segmentation(tumor: TumorClassification, policy: SegmentPolicy, *, gate: bool = False) -> bool:
    """`auto`: where a tumor is likelier than not, or cannot be excluded; with `gate` where it is the label."""
    if policy != "auto":
        return policy == "always"
    if gate:
        return tumor.label != "no_tumor"
    return tumor.present_probability >= _LIKELY or any(label != "no_tumor" for label in tumor.prediction_set)


async def optional(
    call: Coroutine[Any, Any, Answer], failures: list[ServiceError], missing: str | None = None
) -> Answer | None:
    """The answer, or None and a note of why there is none; `missing` says what is not there, where it is no stage."""
    try:
        return await call
    except (NotReady, Overloaded, DeadlineExceeded, UpstreamFailed) as error:
        if missing is not None:
            error.detail = f"{missing}. {error.detail}"
        failures.append(error)
        return None


class _Answered(Protocol):
    @property
    def stage_models(self) -> tuple[ModelRef, ...]: ...


def check_named(answers: _Answered, named: Mapping[StageName, str]) -> None:
    """Raises `InvalidRequest` where another model answered than the one that was named."""
    for model in answers.stage_models:
        wanted = named.get(model.stage)
        if wanted is not None and wanted != model.name:
            raise InvalidRequest(f"options: models: the stage {model.stage} is served by {model.name} alone.")
