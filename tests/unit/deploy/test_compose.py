"""docker-compose.yml: confinement, health, and settings that the services really have."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from classifier_service.settings import ClassifierSettings
from gateway.settings import GatewaySettings, WorkerSettings
from metadata_service.settings import MetadataSettings
from segmenter_service.settings import SegmenterSettings

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
SETTINGS = {
    "gateway": GatewaySettings,
    "worker": WorkerSettings,
    "classifier-view": ClassifierSettings,
    "classifier-tumor": ClassifierSettings,
    "segmenter": SegmenterSettings,
    "metadata": MetadataSettings,
}
BASE_ENVIRONMENT = {name: {"GATEWAY_HOST": "0.0.0.0"} for name in ("gateway", "worker")}


def interpolate(text: str, environment: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        return environment.get(name, default or "")

    return re.sub(r"\$\{(?P<name>\w+)(?::[-?](?P<default>[^}]*))?\}", value, text)


def settings_of(service: str, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Any:
    variables = {**BASE_ENVIRONMENT.get(service, {}), **SERVICES[service]["environment"]}
    for name, text in variables.items():
        monkeypatch.setenv(name, interpolate(text, environment))
    return SETTINGS[service]()


@pytest.mark.parametrize("service", SERVICES)
def test_confined_limited_and_watched(service: str) -> None:
    spec = SERVICES[service]
    assert spec["read_only"] is True
    assert spec["cap_drop"] == ["ALL"]
    assert spec["security_opt"] == ["no-new-privileges:true"]
    assert spec["tmpfs"] == ["/tmp:size=128m"]  # noqa: S108
    assert spec["mem_limit"]
    assert spec["pids_limit"]
    assert spec["healthcheck"]["interval"]
    assert spec["restart"] == "unless-stopped"


def test_only_the_gateway_is_published_and_on_loopback() -> None:
    published = {name: spec["ports"] for name, spec in SERVICES.items() if "ports" in spec}
    assert published == {"gateway": ["127.0.0.1:${GATEWAY_PORT:-8000}:8000"]}


def test_only_the_gateway_has_a_way_out() -> None:
    internal = {name for name, spec in COMPOSE["networks"].items() if spec.get("internal")}
    assert {name for name, spec in SERVICES.items() if not set(spec["networks"]) <= internal} == {"gateway"}


@pytest.mark.parametrize("service", ["gateway", "worker"])
def test_gateway_and_worker_wait_for_the_others_to_be_healthy(service: str) -> None:
    others = {name for name in SERVICES if name not in {"gateway", "worker", "triton"}}
    assert SERVICES[service]["depends_on"] == {name: {"condition": "service_healthy"} for name in others}


def test_the_worker_is_the_gateways_image_with_another_command(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, worker = SERVICES["gateway"], SERVICES["worker"]
    assert worker["image"] == gateway["image"]
    assert worker["command"] == ["python", "-m", "gateway.worker"]
    settings = settings_of("worker", monkeypatch)
    assert float(worker["stop_grace_period"].removesuffix("s")) > settings.jobs.grace_s
    keys = json.dumps(["k" * 32])
    for service, asked in (
        ("worker", settings),
        ("gateway", settings_of("gateway", monkeypatch, GATEWAY_API_KEYS=keys)),
    ):
        assert f"blobs:{asked.jobs.blob_dir}" in SERVICES[service]["volumes"]
    assert "blobs" in COMPOSE["volumes"]


def test_a_worker_has_room_for_its_studies_and_the_segmenter_places(monkeypatch: pytest.MonkeyPatch) -> None:
    worker, segmenter = settings_of("worker", monkeypatch), settings_of("segmenter", monkeypatch)
    limit = SERVICES["worker"]["mem_limit"]
    assert limit.endswith("g")
    # As sent, decoded, and on the wire: each of at most four bytes a voxel.
    studies_bytes = worker.jobs.concurrency * worker.volumes.max_voxels * 3 * 4
    assert int(limit.removesuffix("g")) * 2**30 > studies_bytes + 2**29
    assert worker.jobs.concurrency <= segmenter.volumes_at_once + segmenter.volumes_waiting


def test_webhooks_are_off_until_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not settings_of("worker", monkeypatch).webhooks.enabled
    variables = {"GATEWAY_WEBHOOK_HOSTS": '["ris.example"]', "GATEWAY_WEBHOOK_SECRETS": json.dumps(["s" * 24])}
    assert settings_of("worker", monkeypatch, **variables).webhooks.enabled


def test_keys_are_required_and_have_no_default() -> None:
    assert SERVICES["gateway"]["environment"]["GATEWAY_API_KEYS"].startswith("${GATEWAY_API_KEYS:?")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.search(r"^GATEWAY_API_KEYS=$", example, re.MULTILINE)


@pytest.mark.parametrize("service", SETTINGS)
def test_environment_makes_valid_settings(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = json.dumps(["k" * 32])
    settings = settings_of(service, monkeypatch, GATEWAY_API_KEYS=keys)
    known = {f"{settings.model_config['env_prefix']}{name}".upper() for name in type(settings).model_fields}
    assert {name.split("__")[0] for name in SERVICES[service]["environment"]} <= known


def test_gateway_looks_for_each_service_where_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = settings_of("gateway", monkeypatch, GATEWAY_API_KEYS=json.dumps(["k" * 32]))
    for service, url in {
        "classifier-view": gateway.view_url,
        "classifier-tumor": gateway.tumor_url,
        "segmenter": gateway.segmenter_url,
        "metadata": gateway.metadata_url,
    }.items():
        assert url == f"http://{service}:{settings_of(service, monkeypatch).port}"


@pytest.mark.parametrize("service", ["classifier-view", "classifier-tumor", "segmenter", "metadata"])
def test_one_variable_switches_to_triton(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(service, monkeypatch).inference.backend == "onnxruntime"
    switched = settings_of(service, monkeypatch, INFERENCE_BACKEND="triton")
    assert switched.inference.backend == "triton"
    assert switched.inference.triton_url == "triton:8000"
    assert SERVICES["triton"]["profiles"] == ["triton"]


def test_redis_keeps_what_it_acknowledged() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
