import os
import subprocess
import sys
from typing import Annotated

import pytest
from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from service_kit.inference.factory import InferenceSettings
from service_kit.settings import ServiceSettings, load_settings


class DemoSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="DEMO_")

    secret: str = "none"
    tags: tuple[str, ...] = ()
    inference: Annotated[InferenceSettings, Field(default_factory=InferenceSettings)]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("DEMO_"):
            monkeypatch.delenv(name)


def refused(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        load_settings(DemoSettings)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()


def test_environment_is_read_with_prefix_and_nesting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PORT", "8123")
    monkeypatch.setenv("DEMO_TAGS", '["a", "b"]')
    monkeypatch.setenv("DEMO_INFERENCE__MAX_BATCH", "3")
    monkeypatch.setenv("DEMO_INFERENCE__TRITON_URL", "triton:8000")
    settings = load_settings(DemoSettings)
    assert (settings.port, settings.tags) == (8123, ("a", "b"))
    assert (settings.inference.max_batch, settings.inference.triton_url) == (3, "triton:8000")


def test_settings_are_frozen() -> None:
    settings = ServiceSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_every_wrong_variable_has_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DEMO_PORT", "tcp://10.0.0.1:80")
    monkeypatch.setenv("DEMO_LOG_LEVEL", "loud")
    monkeypatch.setenv("DEMO_INFERENCE__MAX_BATCH", "0")
    monkeypatch.setenv("DEMO_INFERENCE__BACKEDN", "triton")
    lines = refused(capsys)
    assert sorted(line.split(":")[0] for line in lines) == [
        "DEMO_INFERENCE__BACKEDN",
        "DEMO_INFERENCE__MAX_BATCH",
        "DEMO_LOG_LEVEL",
        "DEMO_PORT",
    ]
    assert "10.0.0.1" not in "".join(lines)


def test_list_that_is_not_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DEMO_TAGS", "a,b")
    (line,) = refused(capsys)
    assert "tags" in line


def test_rule_over_several_fields_names_the_group(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEMO_INFERENCE__BACKEND", "triton")
    (line,) = refused(capsys)
    assert line.startswith("DEMO_INFERENCE: ")
    assert "triton_url" in line


def test_misspelled_variable_gets_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEMO_SECRETT", "hidden")
    monkeypatch.setenv("DEMO_PORT_8000_TCP", "tcp://10.0.0.1:8000")
    monkeypatch.setenv("DEMO_SERVICE_HOST", "10.0.0.1")
    assert load_settings(DemoSettings).secret == "none"
    errors = capsys.readouterr().err
    assert errors == "warning: DEMO_SECRETT: no such setting; DEMO_SECRET is meant?\n"


def test_program_ends_with_code_2() -> None:
    program = "from service_kit.settings import *; load_settings(ServiceSettings)"
    environment = {**os.environ, "PORT": "-1"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("PORT: ")
    assert "Traceback" not in ended.stderr
