"""TritonBackend against a real tritonserver."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service_kit.deadline import deadline
from service_kit.errors import DeadlineExceeded, InferenceFailed, ModelInvalid, NotReady
from service_kit.inference.factory import InferenceSettings, ModelRepository, open_backend
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.onnx import OnnxBackend
from service_kit.inference.triton import TritonBackend
from service_kit.testing import TINY_NAMES, tiny_model
from tests.triton.server import TritonServer, running_server

pytestmark = pytest.mark.triton

PUBLISHED = ModelRepository(Path(__file__).parents[2] / "models").names()
TINY = (*TINY_NAMES.values(), "seg-flair-film")


def inputs_of(manifest: ModelManifest, rows: int) -> dict[str, NDArray[Any]]:
    """Random inputs; for a clinical record also missing values."""
    random = np.random.default_rng(11)
    arrays: dict[str, NDArray[Any]] = {}
    for spec in manifest.inputs:
        shape = (rows, *spec.shape[1:])
        if spec.dtype == "UINT8":
            arrays[spec.name] = random.integers(0, 256, shape, dtype=np.uint8)
        else:
            arrays[spec.name] = random.normal(size=shape).astype(np.float32)
            if manifest.stage == "clinical":
                arrays[spec.name][random.random(shape) < 0.5] = np.nan
    return arrays


async def both(folder: Path, server: TritonServer, name: str, rows: int) -> None:
    """Compare the two backends on one model."""
    repository = ModelRepository(folder)
    manifest = repository.manifest(name)
    triton = TritonBackend(manifest, server.url)
    onnx = OnnxBackend(manifest, repository.model_path(name))
    try:
        assert await triton.ready()
        arrays = inputs_of(manifest, rows)
        expected, found = await onnx.infer(arrays), await triton.infer(arrays)
        assert triton.ref == onnx.ref.model_copy(update={"backend": "triton"})
        assert found.keys() == expected.keys()
        for key, values in expected.items():
            assert found[key].dtype == values.dtype
            np.testing.assert_allclose(found[key], values, atol=1e-4, err_msg=f"{name}: {key}")
    finally:
        await triton.aclose()
        await onnx.aclose()


@pytest.fixture
async def view(tiny_models: Path, tiny_server: TritonServer) -> AsyncIterator[TritonBackend]:
    backend = TritonBackend(ModelRepository(tiny_models).manifest("view"), tiny_server.url)
    yield backend
    await backend.aclose()


@pytest.mark.parametrize("name", TINY)
async def test_same_outputs_as_onnxruntime(tiny_models: Path, tiny_server: TritonServer, name: str) -> None:
    await both(tiny_models, tiny_server, name, rows=3)


async def test_more_inputs_than_the_servers_batch_limit(tiny_models: Path, tiny_server: TritonServer) -> None:
    await both(tiny_models, tiny_server, "view", rows=37)


@pytest.mark.parametrize("name", PUBLISHED)
async def test_published_models_unchanged(models_dir: Path, published_server: TritonServer, name: str) -> None:
    await both(models_dir, published_server, name, rows=2)


async def test_provider_is_read_from_the_server(view: TritonBackend) -> None:
    assert view.ref.provider == "unknown"
    assert await view.ready()
    assert view.ref.provider == "CPUExecutionProvider"
    assert view.ref.backend == "triton"


async def test_required_provider_that_is_not_in_use(tiny_models: Path, tiny_server: TritonServer) -> None:
    manifest = ModelRepository(tiny_models).manifest("view")
    backend = TritonBackend(manifest, tiny_server.url, provider="CUDAExecutionProvider", require_provider=True)
    assert not await backend.ready()
    assert backend.requested_provider == "CUDAExecutionProvider"
    await backend.aclose()


async def test_model_that_the_server_does_not_have(tiny_models: Path, tiny_server: TritonServer) -> None:
    manifest = ModelRepository(tiny_models).manifest("view").model_copy(update={"name": "absent"})
    backend = TritonBackend(manifest, tiny_server.url)
    assert not await backend.ready()
    with pytest.raises(NotReady, match="does not serve absent"):
        await backend.infer(inputs_of(manifest, 1))
    await backend.aclose()


async def test_server_that_serves_another_signature(tiny_models: Path, tiny_server: TritonServer) -> None:
    manifest = ModelRepository(tiny_models).manifest("flaky")
    backend = TritonBackend(manifest, tiny_server.url)
    assert not await backend.ready()
    with pytest.raises(ModelInvalid, match="outputs are"):
        await backend.infer(inputs_of(manifest, 1))
    await backend.aclose()


async def test_wrong_arrays_never_reach_the_server(view: TritonBackend) -> None:
    arrays: Mapping[str, NDArray[Any]] = {"image": np.zeros((1, 1, 32, 32), np.float32)}
    with pytest.raises(InferenceFailed, match="uint8"):
        await view.infer(arrays)


async def test_many_calls_at_the_same_time(tiny_models: Path, tiny_server: TritonServer) -> None:
    settings = InferenceSettings(models_dir=tiny_models, backend="triton", triton_url=tiny_server.url)
    backend = open_backend(settings, "view")
    arrays = inputs_of(backend.manifest, 40)
    together = (await backend.infer(arrays))["logits"]
    alone = await asyncio.gather(*(backend.infer({"image": arrays["image"][i : i + 1]}) for i in range(40)))
    np.testing.assert_allclose(np.concatenate([outputs["logits"] for outputs in alone]), together, atol=1e-4)
    await backend.aclose()


async def test_deadline_that_has_passed(view: TritonBackend) -> None:
    arrays = inputs_of(view.manifest, 1)
    with deadline(-1.0), pytest.raises(DeadlineExceeded):
        await view.infer(arrays)
    assert (await view.infer(arrays))["logits"].shape == (1, 3)


async def test_server_that_stops_and_comes_back(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path / "models", "clinical")
    arrays = inputs_of(manifest, 1)
    with running_server(tmp_path / "models", tmp_path / "server.log") as server:
        backend = TritonBackend(manifest, server.url)
        expected = await backend.infer(arrays)
        await asyncio.to_thread(server.stop)
        assert not await backend.ready()
        with pytest.raises(NotReady, match="cannot be reached"):
            await backend.infer(arrays)
        assert backend.ref.provider == "unknown"
        await asyncio.to_thread(server.start)
        assert await backend.ready()
        np.testing.assert_array_equal((await backend.infer(arrays))["vector"], expected["vector"])
        await backend.aclose()
    with pytest.raises(NotReady, match="being closed"):
        await backend.infer(arrays)
