import pytest
from pydantic import ValidationError

from classifier_service.settings import ClassifierSettings, Task


@pytest.mark.parametrize(
    ("text", "tasks"),
    [
        ("view", ("view",)),
        ("view,tumor", ("view", "tumor")),
        (" tumor , view ,", ("tumor", "view")),
        ('["view", "tumor"]', ("view", "tumor")),
        ("view,view", ("view",)),
    ],
)
def test_tasks_are_read_from_text(monkeypatch: pytest.MonkeyPatch, text: str, tasks: tuple[Task, ...]) -> None:
    monkeypatch.setenv("CLASSIFIER_TASKS", text)
    assert ClassifierSettings().tasks == tasks


@pytest.mark.parametrize("text", ["", "views", "view tumor", "[]"])
def test_wrong_tasks_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CLASSIFIER_TASKS", text)
    with pytest.raises(ValidationError, match="tasks"):
        ClassifierSettings()


def test_the_engine_is_set_by_nested_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSIFIER_INFERENCE__BACKEND", "triton")
    monkeypatch.setenv("CLASSIFIER_INFERENCE__TRITON_URL", "triton:8000")
    settings = ClassifierSettings()
    assert settings.inference.backend == "triton"
    assert settings.inference.triton_url == "triton:8000"
