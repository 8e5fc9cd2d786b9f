"""How the containers are made and confined."""

import json
from pathlib import Path

import pytest

from tests.stack.conftest import OURS, SERVICES, Stack, docker

pytestmark = pytest.mark.stack

MAX_IMAGE_BYTES = 400_000_000
MODELS = Path(__file__).parents[2] / "models"
MODEL_SERVICES = ("classifier-view", "classifier-tumor", "segmenter", "metadata")


@pytest.mark.parametrize("service", OURS)
def test_image_is_at_most_400_mb(stack: Stack, service: str) -> None:
    size = json.loads(docker("image", "inspect", stack.inspect(service)["Image"]))[0]["Size"]
    assert size <= MAX_IMAGE_BYTES, f"{service}: {size / 1e6:.0f} MB"


@pytest.mark.parametrize("service", SERVICES)
def test_runs_without_privileges(stack: Stack, service: str) -> None:
    status = dict(line.split(":", 1) for line in stack.run(service, "cat", "/proc/1/status").stdout.splitlines())
    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize("service", SERVICES)
def test_root_file_system_is_read_only(stack: Stack, service: str) -> None:
    assert stack.inspect(service)["HostConfig"]["ReadonlyRootfs"] is True
    refused = stack.run(service, "touch", "/written")
    assert refused.returncode != 0
    assert "Read-only file system" in refused.stderr
    assert stack.run(service, "sh", "-c", "touch /tmp/written").returncode == 0


@pytest.mark.parametrize("service", OURS)
def test_has_no_compiler_and_no_package_cache(stack: Stack, service: str) -> None:
    found = stack.run(
        service, "sh", "-c", "command -v gcc cc g++ c++ clang make; ls -d /root/.cache /build 2>/dev/null"
    )
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("service", "modules"),
    [
        ("gateway", ("onnxruntime", "tritonclient", "torch", "classifier_service")),
        *((service, ("redis", "pydicom", "torch", "gateway", "pip")) for service in MODEL_SERVICES),
    ],
)
def test_carries_only_what_it_needs(stack: Stack, service: str, modules: tuple[str, ...]) -> None:
    code = f"import importlib.util as i; print([m for m in {modules!r} if i.find_spec(m)])"
    assert stack.run(service, "python", "-c", code).stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("service", "models"),
    [
        ("classifier-view", {"view", "tumor"}),
        ("segmenter", {"seg-t1", "seg-flair-film", "unet3d"}),
        ("metadata", {"clinical"}),
    ],
)
def test_an_image_carries_only_its_stages_defaults(stack: Stack, service: str, models: set[str]) -> None:
    image = stack.inspect(service)["Image"]
    assert set(docker("run", "--rm", "--entrypoint", "ls", image, "/models").split()) == models


@pytest.mark.parametrize("service", ["classifier-view", "classifier-tumor", "segmenter"])
def test_compose_mounts_every_published_model_to_be_read(stack: Stack, service: str) -> None:
    published = {path.parent.name for path in MODELS.glob("*/manifest.json")}
    assert set(stack.run(service, "ls", "/models").stdout.split()) >= published
    assert stack.run(service, "touch", "/models/new").returncode != 0


def test_only_the_gateway_is_published_and_on_loopback(stack: Stack) -> None:
    for service in SERVICES:
        bindings = stack.inspect(service)["HostConfig"]["PortBindings"] or {}
        addresses = {binding["HostIp"] for ports in bindings.values() for binding in ports}
        assert addresses == ({"127.0.0.1"} if service == "gateway" else set())


@pytest.mark.parametrize("service", [*MODEL_SERVICES, "worker", "redis"])
def test_services_have_no_way_out(stack: Stack, service: str) -> None:
    networks = stack.inspect(service)["NetworkSettings"]["Networks"]
    assert networks
    assert all(json.loads(docker("network", "inspect", name))[0]["Internal"] for name in networks)


@pytest.mark.parametrize("service", SERVICES)
def test_memory_and_processes_are_limited(stack: Stack, service: str) -> None:
    limits = stack.inspect(service)["HostConfig"]
    assert limits["Memory"] > 0
    assert 0 < limits["PidsLimit"] <= 256
