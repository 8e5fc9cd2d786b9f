"""Models that are opened when they are asked for."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from service_kit.errors import ModelInvalid, NotReady
from service_kit.inference.backend import InferenceBackend
from service_kit.inference.factory import InferenceSettings
from service_kit.inference.manifest import ModelManifest
from service_kit.inference.on_demand import ModelPool, OnDemandBackend
from service_kit.inference.served import StageModels
from service_kit.testing import FakeBackend, tiny_model

RECORD = {"record": np.zeros((1, 3), np.float32)}


class Shelf:
    """Models behind one pool; `made` are the backends in the order in which they were opened."""

    def __init__(self, folder: Path, capacity: int = 2) -> None:
        self._folder = folder
        self.pool = ModelPool(capacity)
        self.made: list[FakeBackend] = []

    def model(self, name: str, before: Callable[[], None] | None = None) -> OnDemandBackend:
        manifest = tiny_model(self._folder, "clinical", name=name)

        def opened() -> InferenceBackend:
            if before is not None:
                before()
            self.made.append(FakeBackend(manifest, lambda arrays: {"vector": arrays["record"]}, provider="Fake"))
            return self.made[-1]

        return OnDemandBackend(manifest, self.pool, opened, engine="onnxruntime", provider="Wanted")

    def opened(self) -> list[str]:
        return [backend.manifest.name for backend in self.made if not backend.closed]


async def test_a_model_is_opened_at_its_first_call_and_says_what_it_runs_on(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    model = shelf.model("a")
    assert (model.loaded, model.ref.provider, model.requested_provider) == (False, "not loaded", "Wanted")
    assert await model.ready()
    assert not shelf.made
    for _ in range(2):
        assert (await model.infer(RECORD))["vector"].shape == (1, 3)
    assert len(shelf.made) == 1
    assert (model.loaded, model.ref.provider, model.present_ref) == (True, "Fake", model.ref)


async def test_the_one_not_used_for_the_longest_makes_room_and_comes_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, capacity=2)
    a, b, c = (shelf.model(name) for name in "abc")
    for model in (a, b, a, c):
        await model.infer(RECORD)
    assert shelf.opened() == ["a", "c"]
    assert (b.loaded, b.present_ref.provider) == (False, "not loaded")
    assert b.ref.provider == "Fake", "the last answer keeps the provider that it came from"
    await b.infer(RECORD)
    assert shelf.opened() == ["c", "b"]


async def test_with_room_enough_none_is_closed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, capacity=4)
    for name in "abcd":
        await shelf.model(name).infer(RECORD)
    assert shelf.opened() == ["a", "b", "c", "d"]


async def test_callers_at_once_share_one_opening(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    model = shelf.model("a")
    await asyncio.gather(*(model.infer(RECORD) for _ in range(5)))
    assert len(shelf.made) == 1
    assert len(shelf.made[0].calls) == 5


async def test_more_models_than_room_all_answer(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, capacity=1)
    models = [shelf.model(name) for name in "abcd"]
    answers = await asyncio.gather(*(model.infer(RECORD) for model in models for _ in range(3)))
    assert len(answers) == 12
    assert len(shelf.opened()) == 1


async def test_a_caller_that_gives_up_does_not_stop_the_opening(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    may_go_on = threading.Event()
    model = shelf.model("a", before=lambda: assert_set(may_go_on))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(model.infer(RECORD), 0.01)
    may_go_on.set()
    await model.infer(RECORD)
    assert len(shelf.made) == 1


def assert_set(event: threading.Event) -> None:
    assert event.wait(30)


async def test_a_model_that_cannot_be_opened_fails_each_caller_and_is_tried_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    broken = True

    def check() -> None:
        if broken:
            raise ModelInvalid("a: no such thing")

    model = shelf.model("a", before=check)
    found = await asyncio.gather(model.infer(RECORD), model.infer(RECORD), return_exceptions=True)
    assert [type(error) for error in found] == [ModelInvalid, ModelInvalid]
    assert not model.loaded
    broken = False
    await model.infer(RECORD)


async def test_closing_closes_what_is_open_and_opens_nothing_more(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    a, b = shelf.model("a"), shelf.model("b")
    await a.infer(RECORD)
    await a.aclose()
    assert shelf.made[0].closed
    assert not await a.ready()
    with pytest.raises(NotReady, match="b is being closed"):
        await b.infer(RECORD)


async def test_a_stage_keeps_its_defaults_in_memory_and_a_few_of_the_others(tmp_path: Path) -> None:
    names = ("view", "view-b", "view-c", "view-d")
    manifests = [tiny_model(tmp_path, "view", name=name) for name in names]
    models = StageModels.open(InferenceSettings(models_dir=tmp_path, on_demand_models=1), "view", ["view"])
    assert [backend.manifest.name for backend in models.defaults] == ["view"]
    assert await models.ready() == {"view": True}
    for name in names:
        backend = models.choose(name)
        await backend.infer({"image": np.zeros((1, 1, 32, 32), np.uint8)})
        assert backend.ref.provider == "CPUExecutionProvider"
    listed = {served.ref.name: served for served in models.describe()}
    assert list(listed) == list(names)
    assert [(served.default, served.loaded) for served in listed.values()] == [
        (True, True),
        (False, False),
        (False, False),
        (False, True),
    ]
    assert listed["view-b"].ref.provider == "not loaded"
    assert listed["view-d"].ref.provider == listed["view-d"].requested_provider == "CPUExecutionProvider"
    replace(tmp_path, manifests[1])
    with pytest.raises(ModelInvalid, match=r"view-b.*was replaced or removed: restart the service"):
        await models.choose("view-b").infer({"image": np.zeros((1, 1, 32, 32), np.uint8)})
    await models.aclose()


def replace(folder: Path, manifest: ModelManifest) -> None:
    path = folder / manifest.name / manifest.file
    path.write_bytes(path.read_bytes() + b"\0")
