"""What tests need of the kit: a fake behind the inference port, small real models, an application without a socket."""

import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import httpx
from fastapi import FastAPI
from numpy.typing import NDArray

from service_kit.contracts.common import ModelRef
from service_kit.errors import NotReady
from service_kit.inference.backend import Arrays, InputCheck, model_ref
from service_kit.inference.manifest import ModelManifest
from service_kit.tiny_graphs import CLINICAL_COLUMNS, FEATURES
from service_kit.tiny_models import (
    CLINICAL_FEATURES,
    TINY_NAMES,
    tiny_model,
    tiny_repository,
    tiny_volume_model,
    triton_config,
)

__all__ = [
    "CLINICAL_COLUMNS",
    "CLINICAL_FEATURES",
    "FEATURES",
    "TINY_NAMES",
    "FakeBackend",
    "Function",
    "running_app",
    "tiny_model",
    "tiny_repository",
    "tiny_volume_model",
    "triton_config",
]

Function = Callable[[Arrays], Mapping[str, NDArray[Any]] | Awaitable[Mapping[str, NDArray[Any]]]]


class FakeBackend:
    """A backend that answers with `function(arrays)`, which may be a coroutine function. Inputs are checked."""

    def __init__(self, manifest: ModelManifest, function: Function, *, provider: str = "CPUExecutionProvider") -> None:
        self.manifest = manifest
        self.requested_provider = provider
        self.is_ready = True
        self.closed = False
        self.calls: list[dict[str, NDArray[Any]]] = []
        self.ref: ModelRef = model_ref(manifest, "onnxruntime", provider)
        self._function = function
        self._check = InputCheck(manifest)

    async def infer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """What the function makes of them; every call is kept in `calls`."""
        self._check(arrays)
        if self.closed:
            raise NotReady(f"{self.manifest.name} is closed")
        self.calls.append(dict(arrays))
        outputs = self._function(arrays)
        return dict(await outputs if inspect.isawaitable(outputs) else outputs)

    async def ready(self) -> bool:
        """`is_ready`, until it is closed."""
        return self.is_ready and not self.closed

    async def aclose(self) -> None:
        """Refuse every later call."""
        self.closed = True


@contextlib.asynccontextmanager
async def running_app(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that talks to the application in memory, while its lifespan runs."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service", trust_env=False) as client,
    ):
        yield client
