"""The OpenVINO execution provider, really installed, beside the CPU provider."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service_kit.inference.manifest import ModelManifest
from service_kit.inference.onnx import OnnxBackend
from service_kit.testing import tiny_model

MODELS = Path(__file__).parents[2] / "models"
PROVIDER = "OpenVINOExecutionProvider"


def _inputs(manifest: ModelManifest, count: int) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(count)
    found: dict[str, NDArray[Any]] = {}
    for spec in manifest.inputs:
        shape = (count, *spec.shape[1:])
        is_picture = spec.dtype == "UINT8"
        found[spec.name] = (
            random.integers(0, 256, shape, dtype=np.uint8) if is_picture else random.random(shape, dtype=np.float32)
        )
    return found


async def _compare(manifest: ModelManifest, folder: Path, tolerance: float, **settings: Any) -> None:
    """Answers of both providers differ by at most this share of the largest value."""
    path = folder / manifest.file
    on_cpu = OnnxBackend(manifest, path)
    backend = OnnxBackend(manifest, path, provider=PROVIDER, require_provider=True, **settings)
    assert (backend.ref.provider, backend.ref.precision) == (PROVIDER, manifest.precision)
    assert await backend.ready()
    inputs = _inputs(manifest, 3)
    found, expected = await backend.infer(inputs), await on_cpu.infer(inputs)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=tolerance, atol=tolerance * float(np.abs(values).max()))
    await backend.aclose()
    await on_cpu.aclose()


@pytest.mark.parametrize("concurrent_runs", [1, 2])
async def test_it_computes_in_the_manifests_precision(tmp_path: Path, concurrent_runs: int) -> None:
    manifest = tiny_model(tmp_path, "view")
    # bf16 keeps eight bits of a number: this is a tenth of what it would lose.
    await _compare(manifest, tmp_path / "view", 2e-4, concurrent_runs=concurrent_runs)


@pytest.mark.parametrize("name", ["view", "tumor", "seg-t1", "seg-flair-film"])
async def test_the_published_models_answer_as_on_the_cpu_provider(name: str) -> None:
    await _compare(ModelManifest.load(MODELS / name), MODELS / name, 2e-4)
