import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from service_kit.errors import InferenceFailed, ModelInvalid, NotReady
from service_kit.inference.manifest import ModelManifest, TensorSpec
from service_kit.inference.onnx import OnnxBackend
from service_kit.testing import tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_model(folder, "view")
    tiny_model(folder, "segmentation")
    return folder


@pytest.fixture(scope="module")
def manifest(folder: Path) -> ModelManifest:
    return ModelManifest.load(folder / "view")


@pytest.fixture
async def backend(folder: Path, manifest: ModelManifest) -> AsyncIterator[OnnxBackend]:
    backend = OnnxBackend(manifest, folder / "view" / manifest.file)
    yield backend
    await backend.aclose()


def pictures(count: int, size: int = 32) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, 1, size, size), dtype=np.uint8)


def open_changed(folder: Path, manifest: ModelManifest, **changes: Any) -> OnnxBackend:
    return OnnxBackend(manifest.model_copy(update=changes), folder / "view" / manifest.file)


async def test_outputs_have_the_manifests_names_types_and_shapes(backend: OnnxBackend) -> None:
    outputs = await backend.infer({"image": pictures(5)})
    assert {name: (values.dtype.name, values.shape) for name, values in outputs.items()} == {
        "logits": ("float32", (5, 3)),
        "features": ("float32", (5, 128)),
    }


async def test_each_input_is_answered_alone(backend: OnnxBackend) -> None:
    images = pictures(3)
    together = (await backend.infer({"image": images}))["logits"]
    alone = [(await backend.infer({"image": images[i : i + 1]}))["logits"] for i in range(3)]
    np.testing.assert_allclose(np.concatenate(alone), together, atol=1e-5)


async def test_views_of_larger_arrays_are_taken(backend: OnnxBackend) -> None:
    large = pictures(2, size=64)
    view = large[:, :, ::2, ::2]
    view.flags.writeable = False
    expected = await backend.infer({"image": np.ascontiguousarray(view)})
    np.testing.assert_array_equal((await backend.infer({"image": view}))["logits"], expected["logits"])


async def test_provider_in_use_is_read_back(backend: OnnxBackend, manifest: ModelManifest) -> None:
    assert backend.ref.model_dump() == {
        "stage": "view",
        "name": "view",
        "version": "1",
        "sha256": manifest.sha256,
        "backend": "onnxruntime",
        "provider": "CPUExecutionProvider",
        "precision": "fp32",
    }
    assert await backend.ready()


@pytest.mark.parametrize("require", [False, True])
async def test_missing_provider_is_never_silent(
    folder: Path, manifest: ModelManifest, caplog: pytest.LogCaptureFixture, *, require: bool
) -> None:
    backend = OnnxBackend(
        manifest, folder / "view" / manifest.file, provider="CUDAExecutionProvider", require_provider=require
    )
    assert backend.requested_provider == "CUDAExecutionProvider"
    assert backend.ref.provider == "CPUExecutionProvider"
    assert "CUDAExecutionProvider is not available" in caplog.text
    assert await backend.ready() is not require
    await backend.aclose()


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({}, r"takes \['image'\], not \[\]"),
        ({"picture": pictures(1)}, "not .'picture'."),
        ({"image": pictures(1), "more": pictures(1)}, "not .'image', 'more'."),
        ({"image": pictures(1).astype(np.float32)}, "must be uint8, not float32"),
        ({"image": pictures(1, size=16)}, r"must be \[-1, 1, 32, 32\], not \[1, 1, 16, 16\]"),
        ({"image": pictures(1)[0]}, r"not \[1, 32, 32\]"),
        ({"image": pictures(1)[:0]}, "0 inputs"),
    ],
)
async def test_arrays_that_are_not_the_manifests_are_refused(
    backend: OnnxBackend, arrays: dict[str, NDArray[Any]], reason: str
) -> None:
    with pytest.raises(InferenceFailed, match=reason):
        await backend.infer(arrays)


async def test_inputs_must_agree_on_their_number(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path, "tumor")
    backend = OnnxBackend(manifest, tmp_path / "tumor" / manifest.file)
    with pytest.raises(InferenceFailed, match="view_features has 2 inputs, where others have 1"):
        await backend.infer({"image": pictures(1), "view_features": np.zeros((2, 128), np.float32)})
    await backend.aclose()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"inputs": (TensorSpec(name="picture", dtype="UINT8", shape=(-1, 1, 32, 32)),)}, "the model's inputs are"),
        ({"inputs": (TensorSpec(name="image", dtype="FP32", shape=(-1, 1, 32, 32)),)}, "image is UINT8"),
        ({"inputs": (TensorSpec(name="image", dtype="UINT8", shape=(-1, 1, 64, 64)),)}, "image is UINT8"),
        ({"inputs": (TensorSpec(name="image", dtype="UINT8", shape=(-1, 32, 32)),)}, "image is UINT8"),
        ({"outputs": (TensorSpec(name="logits", dtype="FP32", shape=(-1, 3)),)}, "the model's outputs are"),
    ],
)
def test_signature_that_is_not_the_manifests_fails_at_the_start(
    folder: Path, manifest: ModelManifest, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ModelInvalid, match=reason):
        open_changed(folder, manifest, **changes)


def test_manifest_may_not_promise_more_than_the_model(folder: Path, manifest: ModelManifest) -> None:
    # The model's picture is 32 x 32; a manifest that allows any size would let callers fail.
    spec = TensorSpec(name="image", dtype="UINT8", shape=(-1, 1, -1, -1))
    with pytest.raises(ModelInvalid, match="image is UINT8"):
        open_changed(folder, manifest, inputs=(spec,))


@pytest.mark.parametrize("content", [b"", b"not a model", "truncated"])
def test_file_that_is_no_model_fails_at_the_start(
    folder: Path, manifest: ModelManifest, tmp_path: Path, content: bytes | str
) -> None:
    path = tmp_path / "model.onnx"
    whole = (folder / "view" / manifest.file).read_bytes()
    path.write_bytes(content if isinstance(content, bytes) else whole[: len(whole) // 2])
    with pytest.raises(ModelInvalid, match="cannot load the model"):
        OnnxBackend(manifest, path)


def lookup_model(path: Path, manifest: ModelManifest, values: int) -> ModelManifest:
    """A graph that looks up x in a table of so many values, and fails on what is not in it."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "x"], ["y"])],
        "lookup",
        [helper.make_tensor_value_info("x", TensorProto.INT64, ["n", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor("table", TensorProto.FLOAT, [values], [0.5] * values)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    inputs = (TensorSpec(name="x", dtype="INT64", shape=(-1, 1)),)
    outputs = (TensorSpec(name="y", dtype="FP32", shape=(-1, 1)),)
    return manifest.model_copy(update={"inputs": inputs, "outputs": outputs})


def test_model_that_cannot_run_fails_at_the_start(manifest: ModelManifest, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    changed = lookup_model(path, manifest, values=0)
    with pytest.raises(ModelInvalid, match="cannot run"):
        OnnxBackend(changed, path)


async def test_failure_of_the_engine_is_inference_failed(manifest: ModelManifest, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    backend = OnnxBackend(lookup_model(path, manifest, values=3), path)
    with pytest.raises(InferenceFailed, match="failed on its input") as raised:
        await backend.infer({"x": np.array([[99]])})
    assert "99" not in raised.value.detail
    assert (await backend.infer({"x": np.array([[2]])}))["y"] == 0.5
    await backend.aclose()


async def test_runs_do_not_block_the_event_loop(backend: OnnxBackend) -> None:
    before = set(threading.enumerate())
    asked = [asyncio.create_task(backend.infer({"image": pictures(1)})) for _ in range(20)]
    await asyncio.gather(*asked)
    new = set(threading.enumerate()) - before
    assert {thread.name.rsplit("_", 1)[0] for thread in new} == {"onnx-view"}
    assert len(new) <= 2


async def test_closed_backend_answers_nothing(folder: Path, manifest: ModelManifest) -> None:
    backend = OnnxBackend(manifest, folder / "view" / manifest.file)
    running = asyncio.create_task(backend.infer({"image": pictures(1)}))
    await asyncio.sleep(0)
    await backend.aclose()
    assert (await running)["logits"].shape == (1, 3)
    assert not await backend.ready()
    with pytest.raises(NotReady):
        await backend.infer({"image": pictures(1)})


def test_weights_beside_the_model_file_are_found(folder: Path, manifest: ModelManifest, tmp_path: Path) -> None:
    target = tmp_path / "view"
    shutil.copytree(folder / "view", target)
    path = target / manifest.file
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="model.onnx.data", size_threshold=64)
    assert (path.parent / "model.onnx.data").is_file()
    OnnxBackend(manifest, path)


async def test_missing_openvino_is_never_silent(
    folder: Path, manifest: ModelManifest, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = "OpenVINOExecutionProvider"
    backend = OnnxBackend(manifest, folder / "view" / manifest.file, provider=wanted, require_provider=True)
    assert (backend.requested_provider, backend.ref.provider) == (wanted, "CPUExecutionProvider")
    assert f"{wanted} is not available, CPUExecutionProvider is in use" in caplog.text
    assert not await backend.ready()
    await backend.aclose()
