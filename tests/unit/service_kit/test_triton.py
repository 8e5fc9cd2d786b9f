"""TritonBackend against a few lines that answer as no real server would on demand; the real one is in tests/triton."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service_kit.deadline import deadline
from service_kit.errors import (
    DeadlineExceeded,
    InferenceFailed,
    ModelInvalid,
    NotReady,
    Overloaded,
    ServiceError,
    UpstreamFailed,
)
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.triton import TritonBackend
from service_kit.testing import tiny_model
from tests.unit.service_kit.serving import on_a_socket

ROW = {"record": np.array([[40, 1, 2]], np.float32)}


class Imitation:
    """What the server says next."""

    def __init__(self) -> None:
        self.ready = 200
        self.answer: Response | None = None
        self.delay_s = 0.0
        self.datatype = "FP32"
        self.config: dict[str, Any] = {"max_batch_size": 2, "instance_group": [{"kind": "KIND_CPU"}]}
        self.sizes: list[int] = []

    async def model(self, request: Request) -> Response:
        tensors = [{"name": "record", "datatype": self.datatype, "shape": [-1, 3]}]
        outputs = [{"name": "vector", "datatype": "FP32", "shape": [-1, 3]}]
        return JSONResponse({"name": "clinical", "versions": ["1"], "inputs": tensors, "outputs": outputs})

    async def is_ready(self, request: Request) -> Response:
        return Response(status_code=self.ready)

    async def configuration(self, request: Request) -> Response:
        return JSONResponse(self.config)

    async def infer(self, request: Request) -> Response:
        await asyncio.sleep(self.delay_s)
        if self.answer is not None:
            return self.answer
        body = await request.body()
        header = json.loads(body[: int(request.headers["inference-header-content-length"])])
        rows = header["inputs"][0]["shape"][0]
        self.sizes.append(rows)
        values = [0.5] * (rows * 3)
        output = {"name": "vector", "datatype": "FP32", "shape": [rows, 3], "data": values}
        return JSONResponse({"model_name": "clinical", "model_version": "1", "outputs": [output]})

    def application(self) -> Starlette:
        model = "/v2/models/clinical/versions/1"
        return Starlette(
            routes=[
                Route(model, self.model),
                Route(f"{model}/ready", self.is_ready),
                Route(f"{model}/config", self.configuration),
                Route(f"{model}/infer", self.infer, methods=["POST"]),
            ]
        )


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> ModelManifest:
    return tiny_model(tmp_path_factory.mktemp("models"), "clinical")


@pytest.fixture
def imitation() -> Imitation:
    return Imitation()


@pytest.fixture
async def url(imitation: Imitation) -> AsyncIterator[str]:
    async with on_a_socket(imitation.application()) as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture
async def backend(manifest: ModelManifest, url: str) -> AsyncIterator[TritonBackend]:
    backend = TritonBackend(manifest, url, timeout_s=5)
    yield backend
    await backend.aclose()


async def test_answer_is_read(backend: TritonBackend) -> None:
    outputs = await backend.infer(ROW)
    np.testing.assert_array_equal(outputs["vector"], [[0.5, 0.5, 0.5]])
    assert backend.ref.provider == "CPUExecutionProvider"


async def test_calls_are_cut_to_the_servers_batch_size(backend: TritonBackend, imitation: Imitation) -> None:
    outputs = await backend.infer({"record": np.zeros((5, 3), np.float32)})
    assert outputs["vector"].shape == (5, 3)
    assert imitation.sizes == [2, 2, 1]


async def test_server_without_a_batch_limit_gets_all_at_once(backend: TritonBackend, imitation: Imitation) -> None:
    imitation.config["max_batch_size"] = 0
    await backend.infer({"record": np.zeros((5, 3), np.float32)})
    assert imitation.sizes == [5]


@pytest.mark.parametrize(
    ("config", "provider"),
    [
        ({"instance_group": [{"kind": "KIND_CPU"}]}, "CPUExecutionProvider"),
        ({"instance_group": [{"kind": "KIND_GPU"}]}, "CUDAExecutionProvider"),
        ({"instance_group": [{"kind": "KIND_AUTO"}]}, "KIND_AUTO"),
        ({}, "unknown"),
        (
            {
                "instance_group": [{"kind": "KIND_GPU"}],
                "optimization": {"execution_accelerators": {"gpu_execution_accelerator": [{"name": "tensorrt"}]}},
            },
            "TensorrtExecutionProvider",
        ),
        (
            {
                "instance_group": [{"kind": "KIND_CPU"}],
                "optimization": {"execution_accelerators": {"cpu_execution_accelerator": [{"name": "openvino"}]}},
            },
            "OpenVINOExecutionProvider",
        ),
    ],
)
async def test_provider_is_what_the_configuration_amounts_to(
    backend: TritonBackend, imitation: Imitation, config: dict[str, Any], provider: str
) -> None:
    imitation.config = config
    assert await backend.ready()
    assert backend.ref.provider == provider


async def test_required_provider_decides_readiness(manifest: ModelManifest, url: str, imitation: Imitation) -> None:
    backend = TritonBackend(manifest, url, provider="CUDAExecutionProvider", require_provider=True)
    assert not await backend.ready()
    await backend.aclose()
    imitation.config = {"instance_group": [{"kind": "KIND_GPU"}]}
    backend = TritonBackend(manifest, url, provider="CUDAExecutionProvider", require_provider=True)
    assert await backend.ready()
    await backend.aclose()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (JSONResponse({"error": "busy"}, 503), Overloaded),
        (JSONResponse({"error": "busy"}, 429), Overloaded),
        (JSONResponse({"error": "Exceeds maximum queue size"}, 400), Overloaded),
        (JSONResponse({"error": "Request for unknown model: 'clinical'"}, 400), NotReady),
        (JSONResponse({"error": "model 'clinical' is not ready"}, 400), NotReady),
        (JSONResponse({"error": "cannot take 1970-01-01"}, 400), InferenceFailed),
        (JSONResponse({"error": "crashed"}, 500), InferenceFailed),
        (Response(b"<html>", 502), InferenceFailed),
        (JSONResponse({"model_name": "clinical", "outputs": []}), UpstreamFailed),
        (JSONResponse({"model_name": "clinical"}), UpstreamFailed),
        (Response(b"<html>"), UpstreamFailed),
        (Response(b""), UpstreamFailed),
    ],
)
async def test_errors_are_told_apart_and_not_repeated(
    backend: TritonBackend, imitation: Imitation, answer: Response, expected: type[ServiceError]
) -> None:
    imitation.answer = answer
    with pytest.raises(ServiceError) as raised:
        await backend.infer(ROW)
    assert type(raised.value) is expected
    assert "1970" not in raised.value.detail
    imitation.answer = None
    assert (await backend.infer(ROW))["vector"].shape == (1, 3)


async def test_deadline_ends_the_wait(backend: TritonBackend, imitation: Imitation) -> None:
    assert await backend.ready()
    imitation.delay_s = 0.5
    with deadline(0.05), pytest.raises(DeadlineExceeded):
        await backend.infer(ROW)
    assert backend.ref.provider == "CPUExecutionProvider"


async def test_server_that_does_not_answer_is_not_ready(
    manifest: ModelManifest, url: str, imitation: Imitation
) -> None:
    imitation.delay_s = 1.0
    backend = TritonBackend(manifest, url, timeout_s=0.3)
    with pytest.raises(NotReady, match="does not answer"):
        await backend.infer(ROW)
    await backend.aclose()


async def test_model_that_is_unloaded_is_not_ready_and_looked_at_again(
    backend: TritonBackend, imitation: Imitation
) -> None:
    assert await backend.ready()
    imitation.ready = 400
    assert not await backend.ready()
    imitation.ready, imitation.datatype = 200, "FP16"
    assert not await backend.ready()
    with pytest.raises(ModelInvalid, match="record is FP16"):
        await backend.infer(ROW)
    imitation.datatype = "FP32"
    assert await backend.ready()


async def test_nobody_listens(manifest: ModelManifest, unused_port: int) -> None:
    backend = TritonBackend(manifest, f"127.0.0.1:{unused_port}")
    assert not await backend.ready()
    with pytest.raises(NotReady, match="cannot be reached"):
        await backend.infer(ROW)
    await backend.aclose()
    await backend.aclose()
    assert not await backend.ready()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        port: int = candidate.getsockname()[1]
        return port
