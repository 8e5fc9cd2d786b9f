from pathlib import Path

import pytest

from service_kit.errors import InvalidRequest, ModelInvalid
from service_kit.inference.factory import InferenceSettings
from service_kit.inference.served import StageModels
from service_kit.testing import FakeBackend, tiny_model


def fake(folder: Path, name: str) -> FakeBackend:
    return FakeBackend(tiny_model(folder, "view", name=name), lambda _: {})


def test_the_first_is_the_default_and_others_are_chosen_by_name(tmp_path: Path) -> None:
    models = StageModels("view", [fake(tmp_path, "b"), fake(tmp_path, "a")])
    assert models.choose(None).ref.name == "b"
    assert models.choose("a").ref.name == "a"
    assert [served.ref.name for served in models.describe()] == ["b", "a"]
    with pytest.raises(InvalidRequest, match="choose one of b, a"):
        models.choose("c")


def test_models_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match="no model is published for the stage view"):
        StageModels("view", [])
    with pytest.raises(ModelInvalid, match="is a model of the stage view, not tumor"):
        StageModels("tumor", [fake(tmp_path, "a")])
    with pytest.raises(ModelInvalid, match="one name"):
        StageModels("view", [fake(tmp_path, "a"), fake(tmp_path, "a")])


async def test_every_default_is_asked_whether_it_is_ready_and_every_model_closed(tmp_path: Path) -> None:
    one, other, third = fake(tmp_path, "a"), fake(tmp_path, "b"), fake(tmp_path, "c")
    models = StageModels("view", [one, other], [third])
    other.is_ready = third.is_ready = False
    assert await models.ready() == {"a": True, "b": False}
    assert [(served.ref.name, served.default) for served in models.describe()] == [
        ("a", True),
        ("b", True),
        ("c", False),
    ]
    assert models.choose("c") is third
    await models.aclose()
    assert [backend.closed for backend in (one, other, third)] == [True, True, True]


async def test_the_published_models_of_a_stage_are_opened_the_preferred_first(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        tiny_model(tmp_path, "view", name=name)
    tiny_model(tmp_path, "clinical")
    models = StageModels.open(InferenceSettings(models_dir=tmp_path), "view", ["c"])
    assert [served.ref.name for served in models.describe()] == ["c", "a", "b"]
    assert models.describe()[0].requested_provider == models.describe()[0].ref.provider == "CPUExecutionProvider"
    await models.aclose()


def test_a_preferred_model_must_be_published_for_the_stage(tmp_path: Path) -> None:
    tiny_model(tmp_path, "view")
    tiny_model(tmp_path, "clinical")
    with pytest.raises(ModelInvalid, match="no view model called clinical; published: view"):
        StageModels.open(InferenceSettings(models_dir=tmp_path), "view", ["clinical"])
