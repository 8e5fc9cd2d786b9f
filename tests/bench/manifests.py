"""What the Kubernetes manifests reserve: pods, the autoscalers' aim, Redis' memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

_UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "kb": 2**10, "mb": 2**20, "gb": 2**30}


@dataclass(frozen=True, slots=True)
class Requests:
    """What one pod reserves, the memory that it may take, and how many the autoscaler keeps and starts at most."""

    cores: float
    memory_bytes: int
    limit_bytes: int
    least: int = 1
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the manifests say: pods by deployment, CPU that the autoscalers aim at, what Redis may hold."""

    pods: Mapping[str, Requests]
    utilization: float
    redis_bytes: int


def read_cluster(root: Path) -> Cluster:
    """The manifests below `root` (`k8s`)."""
    deployments = {
        one["metadata"]["name"]: one
        for path in sorted((root / "base").glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text())
        if one["kind"] in {"Deployment", "StatefulSet"}
    }
    scaled = list(yaml.safe_load_all((root / "components/autoscaling/autoscalers.yaml").read_text()))
    ranges = {
        one["spec"]["scaleTargetRef"]["name"]: (one["spec"]["minReplicas"], one["spec"]["maxReplicas"])
        for one in scaled
    }
    aims = {
        metric["resource"]["target"]["averageUtilization"]
        for one in scaled
        for metric in one["spec"]["metrics"]
        if metric["type"] == "Resource"
    }
    (aim,) = aims  # one for all, or the arithmetic above is wrong
    command = _container(deployments["redis"])["command"]
    return Cluster(
        {name: _requests(one, *ranges.get(name, (1, None))) for name, one in deployments.items()},
        aim / 100,
        bytes_of(command[command.index("--maxmemory") + 1]),
    )


def _container(workload: Mapping[str, Any]) -> Mapping[str, Any]:
    (one,) = workload["spec"]["template"]["spec"]["containers"]
    return one  # type: ignore[no-any-return]


def _requests(workload: Mapping[str, Any], least: int, most: int | None) -> Requests:
    resources = _container(workload)["resources"]
    wanted, allowed = resources["requests"], resources["limits"]
    cpu = str(wanted["cpu"])
    cores = float(cpu[:-1]) / 1000 if cpu.endswith("m") else float(cpu)
    return Requests(cores, bytes_of(wanted["memory"]), bytes_of(allowed["memory"]), least, most)


def bytes_of(text: str) -> int:
    """`256Mi` or Redis' `512mb`."""
    return int(text[:-2]) * _UNITS[text[-2:]]
