"""A Triton inference server, over HTTP with binary tensors. The only file that imports tritonclient."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import aiohttp
import numpy as np
from numpy.typing import NDArray
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from service_kit.contracts.common import ModelRef
from service_kit.deadline import remaining_s
from service_kit.errors import (
    DeadlineExceeded,
    InferenceFailed,
    ModelInvalid,
    NotReady,
    Overloaded,
    ServiceError,
    UpstreamFailed,
)
from service_kit.inference.backend import Arrays, InputCheck, check_signature, model_ref
from service_kit.inference.manifest import ModelManifest

_log = logging.getLogger(__name__)

_UNKNOWN = "unknown"
_PROVIDERS = {"KIND_CPU": "CPUExecutionProvider", "KIND_GPU": "CUDAExecutionProvider"}
_ACCELERATORS = {"tensorrt": "TensorrtExecutionProvider", "openvino": "OpenVINOExecutionProvider"}
_MODEL_VERSION = "1"


class TritonBackend:
    """One model of a Triton server, which may start later than this, or again.

    The server is asked at the first need, and again after it was away, whether its model is the manifest's: until
    then `ref.provider` is "unknown". Calls of more inputs than the server's `max_batch_size` are sent in pieces.

    Args:
        manifest: what the server's model must be.
        url: `host:port` of its HTTP endpoint.
        provider: the execution provider that is wanted.
        require_provider: not ready on any other.
        connections: most calls at the same time.
        timeout_s: longest that a call may take where the caller has no deadline.
    """

    def __init__(
        self,
        manifest: ModelManifest,
        url: str,
        *,
        provider: str = "CPUExecutionProvider",
        require_provider: bool = False,
        connections: int = 16,
        timeout_s: float = 30.0,
    ) -> None:
        self.manifest = manifest
        self.requested_provider = provider
        self.ref: ModelRef = model_ref(manifest, "triton", _UNKNOWN)
        self._url = url
        self._require_provider = require_provider
        self._connections = connections
        self._timeout_s = timeout_s
        self._check = InputCheck(manifest)
        self._types = {spec.name: spec.dtype for spec in manifest.inputs}
        self._outputs = [InferRequestedOutput(spec.name, binary_data=True) for spec in manifest.outputs]
        self._client: InferenceServerClient | None = None
        self._max_batch: int | None = None
        self._closed = False

    async def infer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """See `InferenceBackend.infer`."""
        rows = self._check(arrays)
        with self._translated():
            async with asyncio.timeout(self._patience_s()):
                client = self._connect()
                step = await self._verify(client) or rows
                pieces = [
                    await self._send(client, {name: array[begin : begin + step] for name, array in arrays.items()})
                    for begin in range(0, rows, step)
                ]
        if len(pieces) == 1:
            return pieces[0]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    async def ready(self) -> bool:
        """Whether the server is there, has this model loaded, and runs it on what is required."""
        try:
            with self._translated():
                async with asyncio.timeout(self._patience_s()):
                    client = self._connect()
                    if not await client.is_model_ready(self.manifest.name, _MODEL_VERSION):
                        self._forget()
                        return False
                    await self._verify(client)
        except ServiceError as error:
            _log.warning("%s is not ready: %s", self.manifest.name, error.detail)
            return False
        return not self._require_provider or self.ref.provider == self.requested_provider

    async def aclose(self) -> None:
        """Close the connections."""
        self._closed = True
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    def _connect(self) -> InferenceServerClient:
        """The client; it belongs to the event loop that is running, so it cannot be made earlier."""
        if self._closed:
            raise NotReady(f"{self.manifest.name} is being closed")
        if self._client is None:
            self._client = InferenceServerClient(self._url, conn_limit=self._connections, conn_timeout=self._timeout_s)
        return self._client

    async def _verify(self, client: InferenceServerClient) -> int:
        """Compare the server's model with the manifest, once; returns its max_batch_size, 0 for no limit."""
        if self._max_batch is not None:
            return self._max_batch
        name = self.manifest.name
        metadata = await client.get_model_metadata(name, _MODEL_VERSION)
        config = await client.get_model_config(name, _MODEL_VERSION)
        for side in ("inputs", "outputs"):
            check_signature(self.manifest, side, {t["name"]: (t["datatype"], _shape(t)) for t in metadata[side]})
        self.ref = model_ref(self.manifest, "triton", _provider(config))
        if self.ref.provider != self.requested_provider:
            _log.warning("%s: Triton runs it on %s, not on %s", name, self.ref.provider, self.requested_provider)
        self._max_batch = int(config.get("max_batch_size", 0))
        return self._max_batch

    def _forget(self) -> None:
        """Ask the server again at the next need: it may come back with another model."""
        self._max_batch = None
        self.ref = model_ref(self.manifest, "triton", _UNKNOWN)

    async def _send(self, client: InferenceServerClient, arrays: Arrays) -> dict[str, NDArray[Any]]:
        inputs = []
        for name, array in arrays.items():
            tensor = InferInput(name, list(array.shape), self._types[name])
            tensor.set_data_from_numpy(np.ascontiguousarray(array), binary_data=True)
            inputs.append(tensor)
        result = await client.infer(self.manifest.name, inputs, _MODEL_VERSION, outputs=self._outputs)
        return {spec.name: _output(result, spec.name) for spec in self.manifest.outputs}

    def _patience_s(self) -> float:
        remaining = remaining_s()
        return self._timeout_s if remaining is None else min(self._timeout_s, remaining)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """The client library's errors as this system's."""
        name = self.manifest.name
        try:
            yield
        except TimeoutError as error:
            remaining = remaining_s()
            if remaining is not None and remaining <= 0:
                raise DeadlineExceeded(f"Triton did not answer for {name} in time") from error
            self._forget()
            raise NotReady(f"Triton does not answer for {name}") from error
        except (aiohttp.ClientError, OSError) as error:
            self._forget()
            raise NotReady(f"Triton cannot be reached for {name}") from error
        except InferenceServerException as error:
            raise self._answered(error) from error
        except (ValueError, LookupError, TypeError) as error:
            # The client library does not check what it reads.
            raise UpstreamFailed(f"Triton's answer for {name} cannot be read") from error
        except ModelInvalid:
            self._forget()
            raise

    def _answered(self, error: InferenceServerException) -> ServiceError:
        """What Triton's own error means. Its text is for the log: it may repeat what was sent."""
        name = self.manifest.name
        text = str(error.message()).lower()
        if "unknown model" in text or "is not ready" in text or "not found" in text:
            self._forget()
            return NotReady(f"Triton does not serve {name}")
        if error.status() in {"429", "503"} or "maximum queue size" in text:
            return Overloaded(f"too many calls wait for {name}", retry_after_s=1)
        return InferenceFailed(f"{name} failed on its input")


def _output(result: Any, name: str) -> NDArray[Any]:
    values: NDArray[Any] | None = result.as_numpy(name)
    if values is None:
        raise LookupError(name)
    return values


def _shape(tensor: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(size) for size in tensor["shape"])


def _provider(config: dict[str, Any]) -> str:
    """The execution provider that a model's configuration amounts to."""
    accelerators = config.get("optimization", {}).get("execution_accelerators", {})
    for side in ("gpu_execution_accelerator", "cpu_execution_accelerator"):
        for accelerator in accelerators.get(side, ()):
            if accelerator.get("name") in _ACCELERATORS:
                return _ACCELERATORS[accelerator["name"]]
    kinds = [group.get("kind", _UNKNOWN) for group in config.get("instance_group", ())]
    return _PROVIDERS.get(kinds[0], kinds[0]) if kinds else _UNKNOWN
