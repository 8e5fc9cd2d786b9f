import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service_kit.testing import tiny_model, tiny_repository
from tests.triton.server import TritonServer, is_installed, running_server


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    if is_installed():
        return
    reason = "no tritonserver here: run tests/triton/install.sh (or make test-triton)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five names as tiny models, and `flaky`, which Triton serves with outputs that its manifest does not have."""
    folder = tiny_repository(tmp_path_factory.mktemp("tiny-models"))
    served = tiny_model(folder, "view", name="flaky")
    served.model_copy(update={"outputs": served.outputs[:1]}).dump(folder / "flaky")
    return folder


@pytest.fixture(scope="session")
def tiny_server(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    with running_server(tiny_models, tmp_path_factory.mktemp("triton") / "server.log") as server:
        yield server


@pytest.fixture(scope="session")
def published_server(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """A server on the repository's own models/, unchanged."""
    with running_server(models_dir, tmp_path_factory.mktemp("triton") / "server.log") as server:
        yield server
