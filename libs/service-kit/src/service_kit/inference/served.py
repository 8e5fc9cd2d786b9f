"""The models that a service has opened for one stage: the default, and others of the repository by name."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from service_kit.contracts.common import StageName
from service_kit.contracts.models import ServedModel, TensorDescription
from service_kit.errors import InvalidRequest, ModelInvalid
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.factory import InferenceSettings, ModelRepository, open_backend
from service_kit.inference.manifest import TensorSpec


class StageModels:
    """Opened backends of one stage, in order of preference: the first is used when a caller names none.

    Raises:
        ModelInvalid: no model at all, one of another stage, or two of one name.
    """

    def __init__(self, stage: StageName, backends: Sequence[InferenceBackend]) -> None:
        self.stage = stage
        self._backends = {backend.ref.name: backend for backend in backends}
        if not backends:
            raise ModelInvalid(f"no model is published for the stage {stage}")
        if len(self._backends) != len(backends):
            raise ModelInvalid(f"two models of the stage {stage} have one name")
        for backend in backends:
            if backend.manifest.stage != stage:
                raise ModelInvalid(f"{backend.ref.name} is a model of the stage {backend.manifest.stage}, not {stage}")

    @classmethod
    def open(cls, settings: InferenceSettings, stage: StageName, preferred: Iterable[str]) -> Self:
        """Open every published model of the stage, `preferred` first.

        Raises:
            ModelInvalid: a preferred model is not published for the stage, or a model cannot be served.
        """
        repository = ModelRepository(settings.models_dir)
        published = [manifest.name for manifest in repository.by_stage(stage)]
        first = list(dict.fromkeys(preferred))
        missing = [name for name in first if name not in published]
        if missing:
            known = ", ".join(published) or "none"
            raise ModelInvalid(f"{settings.models_dir}: no {stage} model called {missing[0]}; published: {known}")
        order = first + [name for name in published if name not in first]
        return cls(stage, [open_backend(settings, name, repository=repository) for name in order])

    def __iter__(self) -> Iterator[InferenceBackend]:
        return iter(self._backends.values())

    def choose(self, name: str | None) -> InferenceBackend:
        """The model called `name`, or the default.

        Raises:
            InvalidRequest: no such model here; the detail names those that are.
        """
        if name is None:
            return next(iter(self._backends.values()))
        backend = self._backends.get(name)
        if backend is None:
            raise InvalidRequest(
                f"model: no such model for the stage {self.stage}; choose one of {', '.join(self._backends)}",
                stage=self.stage,
            )
        return backend

    async def ready(self) -> dict[str, bool]:
        """Whether each model can answer, by name."""
        return {name: await backend.ready() for name, backend in self._backends.items()}

    async def aclose(self) -> None:
        """Close every backend."""
        for backend in self:
            await backend.aclose()

    def describe(self) -> tuple[ServedModel, ...]:
        """What `GET /v1/models` says of them."""
        return tuple(_describe(backend) for backend in self)


def _describe(backend: InferenceBackend) -> ServedModel:
    manifest = backend.manifest
    return ServedModel(
        ref=backend.ref,
        requested_provider=backend.requested_provider,
        title=manifest.title,
        labels=manifest.labels,
        sequences=manifest.sequences,
        inputs=_tensors(manifest.inputs),
        outputs=_tensors(manifest.outputs),
    )


def _tensors(specs: tuple[TensorSpec, ...]) -> tuple[TensorDescription, ...]:
    return tuple(TensorDescription(name=spec.name, dtype=spec.dtype, shape=spec.shape) for spec in specs)
