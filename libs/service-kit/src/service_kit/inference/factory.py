"""From settings to an opened model."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service_kit.cpu import cpu_quota
from service_kit.errors import ModelInvalid
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.batching import BatchingBackend
from service_kit.inference.repository import ModelRepository

__all__ = ["InferenceSettings", "ModelRepository", "open_backend"]


class InferenceSettings(BaseModel):
    """How models are run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: Annotated[
        Literal["onnxruntime", "triton"], Field(description="Run models in the service, or on a Triton server.")
    ] = "onnxruntime"
    models_dir: Annotated[
        Path, Field(description="The model repository: `<name>/manifest.json` and what it names.")
    ] = Path("models")
    triton_url: Annotated[
        str | None, Field(description="`host:port` of Triton's HTTP endpoint; needed for the backend triton.")
    ] = None
    provider: Annotated[
        str,
        Field(
            description="Execution provider of onnxruntime, such as `CUDAExecutionProvider`, for the models whose "
            "manifest names none."
        ),
    ] = "CPUExecutionProvider"
    require_provider: Annotated[
        bool, Field(description="Not ready on any other provider; else the CPU is used where it is missing.")
    ] = False
    intra_op_threads: Annotated[int, Field(ge=1, description="Threads of one run.")] = 1
    concurrent_runs: Annotated[int, Field(ge=1, description="Runs of a model at the same time; the CPU quota.")] = (
        Field(default_factory=cpu_quota)
    )
    max_batch: Annotated[int, Field(ge=1, description="Most inputs that waiting calls are merged to.")] = 8
    max_queue: Annotated[int, Field(ge=0, description="Most calls that wait for a model; more are refused.")] = 64

    on_demand_models: Annotated[
        int,
        Field(ge=1, description="Models beside the defaults that a stage keeps in memory; they are opened when asked."),
    ] = 2

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.backend == "triton" and not self.triton_url:
            raise ValueError("the backend triton needs triton_url")
        return self


def open_backend(
    settings: InferenceSettings, name: str, *, repository: ModelRepository | None = None
) -> InferenceBackend:
    """The model `name` of the repository, with batching before it.

    `repository` is for callers that have read the one of the settings already.

    Raises:
        ModelInvalid: it is not published, or cannot be served.
    """
    repository = repository or ModelRepository(settings.models_dir)
    if name not in repository.names():
        raise ModelInvalid(f"{settings.models_dir}: no model called {name}; published: {', '.join(repository.names())}")
    inner, slots = _open(settings, repository, name)
    return BatchingBackend(inner, settings.max_batch, settings.max_queue, slots=slots)


def _open(settings: InferenceSettings, repository: ModelRepository, name: str) -> tuple[InferenceBackend, int]:
    # Imported here, so that a service needs only the engine that it is told to use.
    manifest = repository.manifest(name)
    provider = manifest.provider or settings.provider
    if settings.backend == "triton":
        from service_kit.inference.triton import TritonBackend  # noqa: PLC0415

        # Triton batches what arrives together by itself: give it enough to choose from.
        slots = max(2 * settings.max_batch, settings.concurrent_runs)
        url = settings.triton_url or ""
        triton = TritonBackend(
            manifest, url, provider=provider, require_provider=settings.require_provider, connections=slots
        )
        return triton, slots
    from service_kit.inference.onnx import OnnxBackend  # noqa: PLC0415

    onnx = OnnxBackend(
        manifest,
        repository.model_path(name),
        provider=provider,
        require_provider=settings.require_provider,
        intra_op_threads=settings.intra_op_threads,
        concurrent_runs=settings.concurrent_runs,
    )
    return onnx, settings.concurrent_runs
