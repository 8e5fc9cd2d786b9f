"""k8s/: renders, is valid by the schemas, obeys the restricted profile, and sets settings that exist."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from prometheus_client import REGISTRY, generate_latest

from classifier_service.settings import ClassifierSettings
from gateway.jobs.metrics import JOB_METRICS
from gateway.settings import GatewaySettings, WorkerSettings
from metadata_service.settings import MetadataSettings
from segmenter_service.settings import SegmenterSettings
from service_kit.metrics import RequestMetrics

ROOT = Path(__file__).resolve().parents[3]
VERSION = "1.32"
OVERLAYS = ("cpu", "gpu-triton")
OURS = ("gateway", "worker", "classifier-view", "classifier-tumor", "segmenter", "metadata")
CUSTOM = ("ServiceMonitor", "PrometheusRule")  # the Prometheus operator's kinds: not in Kubernetes' own schemas
SETTINGS = (GatewaySettings, ClassifierSettings, SegmenterSettings, MetadataSettings)

Resource = dict[str, Any]


@functools.cache
def renderer() -> tuple[str, ...]:
    if kustomize := shutil.which("kustomize"):
        return (kustomize, "build")
    if kubectl := shutil.which("kubectl"):
        return (kubectl, "kustomize")
    reason = "neither kubectl nor kustomize is installed, so the manifests cannot be rendered"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def render(folder: Path) -> list[Resource]:
    result = subprocess.run([*renderer(), str(folder)], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    return [resource for resource in yaml.safe_load_all(result.stdout) if resource]


@functools.cache
def overlay(name: str) -> tuple[Resource, ...]:
    return tuple(render(ROOT / "k8s" / "overlays" / name))


@pytest.fixture(params=OVERLAYS)
def resources(request: pytest.FixtureRequest) -> tuple[Resource, ...]:
    return overlay(request.param)


def of_kind(resources: tuple[Resource, ...], *kinds: str) -> Iterator[Resource]:
    return (resource for resource in resources if resource["kind"] in kinds)


def name_of(resource: Resource) -> str:
    return str(resource["metadata"]["name"])


def workloads(resources: tuple[Resource, ...]) -> dict[str, Resource]:
    return {name_of(item): item["spec"]["template"] for item in of_kind(resources, "Deployment", "StatefulSet")}


def config(resources: tuple[Resource, ...]) -> dict[str, str]:
    (found,) = of_kind(resources, "ConfigMap")
    return dict(found["data"])


def selects(selector: Resource, labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(
        (labels.get(rule["key"]) in rule["values"]) == (rule["operator"] == "In")
        for rule in selector.get("matchExpressions", [])
    )


def test_valid_by_kubernetes_own_schemas(resources: tuple[Resource, ...]) -> None:
    assert len(resources) > 20
    for resource in resources:
        kubernetes_validate.validate(resource, VERSION, strict=True)


@pytest.mark.parametrize("component", ["autoscaling", "network-policies", "ingress", "monitoring"])
def test_each_component_can_be_added_to_the_base(component: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "k8s", tmp_path / "k8s")
    site = tmp_path / "k8s" / "site"
    site.mkdir()
    (site / "kustomization.yaml").write_text(f"resources: [../base]\ncomponents: [../components/{component}]\n")
    rendered = render(site)
    assert len(rendered) > len(render(ROOT / "k8s" / "base"))
    for resource in rendered:
        if resource["kind"] not in CUSTOM:
            kubernetes_validate.validate(resource, VERSION, strict=True)


def test_every_workload_has_its_service_and_budget(resources: tuple[Resource, ...]) -> None:
    names = set(workloads(resources))
    assert names >= {*OURS, "redis"}
    assert {name_of(service) for service in of_kind(resources, "Service")} == names
    assert {name_of(budget) for budget in of_kind(resources, "PodDisruptionBudget")} == names


def test_pods_obey_the_restricted_profile(resources: tuple[Resource, ...]) -> None:
    (namespace,) = of_kind(resources, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, template in workloads(resources).items():
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_containers_are_probed_and_limited(resources: tuple[Resource, ...]) -> None:
    for name, template in workloads(resources).items():
        for container in template["spec"]["containers"]:
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), name
            for bound in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(container["resources"][bound]), name


def test_liveness_asks_no_other_service(resources: tuple[Resource, ...]) -> None:
    for name in OURS:
        (container,) = workloads(resources)[name]["spec"]["containers"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
        assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_settings_exist(resources: tuple[Resource, ...]) -> None:
    known = {f"{cls.model_config['env_prefix']}{field}".upper(): cls for cls in SETTINGS for field in cls.model_fields}
    variables = set(config(resources))
    for name, template in workloads(resources).items():
        if name not in OURS:
            continue
        variables |= {entry["name"] for entry in template["spec"]["containers"][0].get("env", [])}
    assert {name.split("__")[0] for name in variables} <= set(known)


def test_gateway_looks_for_each_service_where_it_listens(resources: tuple[Resource, ...]) -> None:
    ports = {name_of(service): service["spec"]["ports"][0]["port"] for service in of_kind(resources, "Service")}
    settings = config(resources)
    urls = {
        "VIEW": "classifier-view",
        "TUMOR": "classifier-tumor",
        "SEGMENTER": "segmenter",
        "METADATA": "metadata",
    }
    for variable, service in urls.items():
        assert settings[f"GATEWAY_{variable}_URL"] == f"http://{service}:{ports[service]}"
    assert settings["GATEWAY_REDIS_URL"] == f"redis://redis:{ports['redis']}/0"
    for service in OURS:
        (container,) = workloads(resources)[service]["spec"]["containers"]
        assert container["ports"][0]["containerPort"] == ports[service]


def test_keys_come_from_a_secret_that_is_not_here(resources: tuple[Resource, ...]) -> None:
    assert not list(of_kind(resources, "Secret"))
    (container,) = workloads(resources)["gateway"]["spec"]["containers"]
    (keys,) = [entry for entry in container["env"] if entry["name"] == "GATEWAY_API_KEYS"]
    assert "secretKeyRef" in keys["valueFrom"]


def test_every_service_scales_on_its_own(resources: tuple[Resource, ...]) -> None:
    scaled = {item["spec"]["scaleTargetRef"]["name"] for item in of_kind(resources, "HorizontalPodAutoscaler")}
    assert scaled == set(OURS)
    for deployment in of_kind(resources, "Deployment"):
        assert ("replicas" in deployment["spec"]) == (name_of(deployment) not in scaled)


def test_workers_scale_by_the_queue(resources: tuple[Resource, ...]) -> None:
    (scaler,) = (item for item in of_kind(resources, "HorizontalPodAutoscaler") if name_of(item) == "worker")
    (metric,) = scaler["spec"]["metrics"]
    exposed = generate_latest(REGISTRY).decode()
    assert metric["type"] == "External"
    assert f"# TYPE {metric['external']['metric']['name']} gauge" in exposed


def test_gateway_and_worker_share_the_uploads(resources: tuple[Resource, ...]) -> None:
    (claim,) = of_kind(resources, "PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    folder = config(resources)["GATEWAY_JOBS__BLOB_DIR"]
    for name in ("gateway", "worker"):
        pod = workloads(resources)[name]["spec"]
        (volume,) = (item for item in pod["volumes"] if "persistentVolumeClaim" in item)
        assert volume["persistentVolumeClaim"]["claimName"] == name_of(claim)
        assert {"name": volume["name"], "mountPath": folder} in pod["containers"][0]["volumeMounts"]
        assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsUser"]


def test_a_worker_has_time_to_give_its_jobs_back(resources: tuple[Resource, ...]) -> None:
    pod = workloads(resources)["worker"]["spec"]
    assert pod["containers"][0]["command"] == ["python", "-m", "gateway.worker"]
    assert pod["terminationGracePeriodSeconds"] > WorkerSettings().jobs.grace_s + 10


def test_a_worker_has_room_for_its_studies(resources: tuple[Resource, ...]) -> None:
    (container,) = workloads(resources)["worker"]["spec"]["containers"]
    settings = WorkerSettings()
    limit = container["resources"]["limits"]["memory"]
    assert limit.endswith("Gi")
    # As sent, decoded, and on the wire: each of at most four bytes a voxel.
    studies_bytes = settings.jobs.concurrency * settings.volumes.max_voxels * 3 * 4
    assert int(limit.removesuffix("Gi")) * 2**30 > studies_bytes + 2**29


def test_segmenters_have_places_for_the_workers_volumes(resources: tuple[Resource, ...]) -> None:
    scalers = {name_of(item): item["spec"] for item in of_kind(resources, "HorizontalPodAutoscaler")}
    segmenter = SegmenterSettings()
    for bound in ("minReplicas", "maxReplicas"):
        jobs = scalers["worker"][bound] * WorkerSettings().jobs.concurrency
        assert jobs <= scalers["segmenter"][bound] * (segmenter.volumes_at_once + segmenter.volumes_waiting)


def test_models_run_on_the_gpu_or_not_at_all() -> None:
    resources = overlay("gpu-triton")
    (triton,) = workloads(resources)["triton"]["spec"]["containers"]
    assert triton["resources"]["limits"]["nvidia.com/gpu"] == 1
    settings = config(resources)
    for prefix in ("CLASSIFIER", "SEGMENTER"):
        assert settings[f"{prefix}_INFERENCE__BACKEND"] == "triton"
        assert settings[f"{prefix}_INFERENCE__TRITON_URL"] == "triton:8000"
        assert settings[f"{prefix}_INFERENCE__REQUIRE_PROVIDER"] == "true"
    assert "triton" not in workloads(overlay("cpu"))


@pytest.mark.parametrize(
    ("source", "target", "allowed"),
    [
        ("gateway", "redis", True),
        ("gateway", "classifier-view", True),
        ("gateway", "classifier-tumor", True),
        ("gateway", "segmenter", True),
        ("gateway", "metadata", True),
        ("segmenter", "triton", True),
        ("classifier-tumor", "triton", True),
        ("metadata", "triton", False),
        ("gateway", "triton", False),
        ("worker", "redis", True),
        ("worker", "classifier-view", True),
        ("worker", "segmenter", True),
        ("worker", "triton", False),
        ("worker", "gateway", False),
        ("gateway", "worker", False),
        ("segmenter", "redis", False),
        ("classifier-view", "segmenter", False),
        ("redis", "gateway", False),
    ],
)
def test_network_policies_allow_the_stacks_own_calls_alone(source: str, target: str, *, allowed: bool) -> None:
    resources = overlay("gpu-triton")
    labels = {name: template["metadata"]["labels"] for name, template in workloads(resources).items()}

    def permits(direction: str, pod: str, peer: str) -> bool:
        return any(
            "podSelector" in entry and selects(entry["podSelector"], labels[peer])
            for policy in of_kind(resources, "NetworkPolicy")
            if selects(policy["spec"]["podSelector"], labels[pod])
            for rule in policy["spec"].get(direction, [])
            for entry in rule["from" if direction == "ingress" else "to"]
        )

    assert (permits("egress", source, target) and permits("ingress", target, source)) is allowed


def test_alerts_ask_for_metrics_that_exist() -> None:
    rules = yaml.safe_load((ROOT / "k8s/components/monitoring/rules.yaml").read_text(encoding="utf-8"))
    entries = [rule for group in rules["spec"]["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for rule in entries if "record" in rule}
    metrics = RequestMetrics()
    assert JOB_METRICS  # in the process's registry
    metrics.observe("POST", "/v1/analyses", 201, 0.1)
    exposed = set(re.findall(r"^# TYPE (\S+)", metrics.render().decode(), re.MULTILINE))
    exposed = {name.removesuffix("_total") for name in exposed}
    for rule in entries:
        for name in re.findall(r"\bneurogate[\w:]+", rule["expr"]):
            plain = re.sub(r"_(count|bucket|sum|total)$", "", name)
            assert name in recorded or plain in exposed, name
