"""The models that a service serves for one stage: the defaults in memory, the others opened when they are asked for."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from service_kit.contracts.common import ModelRef, StageName
from service_kit.contracts.models import ServedModel, TensorDescription
from service_kit.errors import InvalidRequest, ModelInvalid
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.factory import InferenceSettings, ModelRepository, open_backend
from service_kit.inference.manifest import ModelManifest, TensorSpec
from service_kit.inference.on_demand import ModelPool, OnDemandBackend


class StageModels:
    """The backends of one stage: `defaults`, in order of preference, then `others`, which are used only by name.

    Raises:
        ModelInvalid: no default at all, a model of another stage, or two of one name.
    """

    def __init__(
        self, stage: StageName, defaults: Sequence[InferenceBackend], others: Sequence[InferenceBackend] = ()
    ) -> None:
        self.stage = stage
        self.defaults = tuple(defaults)
        everything = (*defaults, *others)
        self._backends = {backend.manifest.name: backend for backend in everything}
        if not defaults:
            raise ModelInvalid(f"no model is published for the stage {stage}")
        if len(self._backends) != len(everything):
            raise ModelInvalid(f"two models of the stage {stage} have one name")
        for manifest in (backend.manifest for backend in everything):
            if manifest.stage != stage:
                raise ModelInvalid(f"{manifest.name} is a model of the stage {manifest.stage}, not {stage}")

    @classmethod
    def open(
        cls,
        settings: InferenceSettings,
        stage: StageName,
        defaults: Iterable[str],
        *,
        volumes: bool = False,
        repository: ModelRepository | None = None,
    ) -> Self:
        """Open the `defaults`, and make the stage's other published models ready to be opened.

        They are those that read slices; with `volumes`, those that read volumes. `repository` is for callers that have
        read the one of the settings already.

        Raises:
            ModelInvalid: a default is not published for the stage, or cannot be served.
        """
        repository = repository or ModelRepository(settings.models_dir)
        published = {manifest.name: manifest for manifest in repository.by_stage(stage, volumes=volumes)}
        first = list(dict.fromkeys(defaults))
        missing = [name for name in first if name not in published]
        if missing:
            known = ", ".join(published) or "none"
            raise ModelInvalid(f"{settings.models_dir}: no {stage} model called {missing[0]}; published: {known}")
        pool = ModelPool(settings.on_demand_models)
        return cls(
            stage,
            [open_backend(settings, name, repository=repository) for name in first],
            [
                _on_demand(settings, repository, manifest, pool)
                for name, manifest in published.items()
                if name not in first
            ],
        )

    def __iter__(self) -> Iterator[InferenceBackend]:
        return iter(self._backends.values())

    def choose(self, name: str | None) -> InferenceBackend:
        """The model called `name`, or the first default.

        Raises:
            InvalidRequest: no such model here; the detail names those that are.
        """
        if name is None:
            return self.defaults[0]
        backend = self._backends.get(name)
        if backend is None:
            raise InvalidRequest(
                f"model: no such model for the stage {self.stage}; choose one of {', '.join(self._backends)}",
                stage=self.stage,
            )
        return backend

    async def ready(self) -> dict[str, bool]:
        """Whether each default can answer, by name. The others need not be in memory, and no probe waits for them."""
        return {backend.manifest.name: await backend.ready() for backend in self.defaults}

    async def aclose(self) -> None:
        """Close every backend."""
        for backend in self:
            await backend.aclose()

    def describe(self) -> tuple[ServedModel, ...]:
        """What `GET /v1/models` says of them, the defaults first."""
        return tuple(_describe(backend, default=backend in self.defaults) for backend in self)


def _on_demand(
    settings: InferenceSettings, repository: ModelRepository, manifest: ModelManifest, pool: ModelPool
) -> OnDemandBackend:
    def opened() -> InferenceBackend:
        repository.verify(manifest.name)
        return open_backend(settings, manifest.name, repository=repository)

    provider = manifest.provider or settings.provider
    return OnDemandBackend(manifest, pool, opened, engine=settings.backend, provider=provider)


def _describe(backend: InferenceBackend, *, default: bool) -> ServedModel:
    manifest = backend.manifest
    ref, loaded = _state(backend)
    return ServedModel(
        ref=ref,
        requested_provider=backend.requested_provider,
        title=manifest.title,
        labels=manifest.labels,
        sequences=manifest.sequences,
        inputs=_tensors(manifest.inputs),
        outputs=_tensors(manifest.outputs),
        fallback=manifest.fallback,
        features_of=manifest.view_model,
        variant_of=manifest.variant_of,
        reads="slices" if manifest.volume is None else "volumes",
        default=default,
        loaded=loaded,
    )


def _state(backend: InferenceBackend) -> tuple[ModelRef, bool]:
    if isinstance(backend, OnDemandBackend):
        return backend.present_ref, backend.loaded
    return backend.ref, True


def _tensors(specs: tuple[TensorSpec, ...]) -> tuple[TensorDescription, ...]:
    return tuple(TensorDescription(name=spec.name, dtype=spec.dtype, shape=spec.shape) for spec in specs)
