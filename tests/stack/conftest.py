"""The deployed stack, as tests/stack/run.sh has started it."""

import json
import os
import subprocess
from typing import Any

import pytest

SERVICES = ("gateway", "worker", "classifier-view", "classifier-tumor", "segmenter", "metadata", "redis")
OURS = SERVICES[:-1]


class Stack:
    """The compose project's containers, through the docker client."""

    def __init__(self, project: str) -> None:
        self._project = project

    def container(self, service: str) -> str:
        """The id of a service's one container."""
        labels = (f"com.docker.compose.project={self._project}", f"com.docker.compose.service={service}")
        found = docker("ps", "-q", *(part for label in labels for part in ("--filter", f"label={label}"))).split()
        assert len(found) == 1, f"{service}: {len(found)} containers"
        return found[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of it."""
        return dict(json.loads(docker("inspect", self.container(service)))[0])

    def run(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        return subprocess.run(
            ["docker", "exec", self.container(service), *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def logs(self, service: str) -> str:
        """All that it has written, to the standard output and the standard error."""
        command = ["docker", "logs", self.container(service)]
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, timeout=60
        ).stdout


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=90).stdout


@pytest.fixture(scope="session")
def stack() -> Stack:
    project = os.environ.get("COMPOSE_PROJECT_NAME")
    if not project or "GATEWAY_URL" not in os.environ:
        pytest.skip("no deployed stack: run tests/stack/run.sh (make stack)")
    return Stack(project)
