"""Which names can be followed, and how often the services are asked for them."""

from collections.abc import Mapping
from functools import partial

import pytest

from gateway.errors import InvalidOptions
from gateway.roster import ModelRoster
from service_kit.contracts.common import StageName
from service_kit.contracts.models import ServedModel
from service_kit.errors import NotReady, UpstreamFailed
from tests.unit.gateway.fakes import model_ref


def served(stage: StageName, name: str, **changes: object) -> ServedModel:
    fields: dict[str, object] = {
        "ref": model_ref(stage, name),
        "requested_provider": "CPUExecutionProvider",
        "title": name,
        "labels": (),
        "sequences": (),
        "inputs": (),
        "outputs": (),
        "fallback": {},
    }
    return ServedModel.model_validate({**fields, **changes})


FILM = served("segmentation", "film", sequences=("t1", "flair"), fallback={"t1": "flair"})
LISTS: dict[StageName, tuple[ServedModel, ...]] = {
    "view": (served("view", "view"), served("view", "view-int8", variant_of="view"), served("view", "view-vgg16")),
    "tumor": (served("tumor", "tumor", features_of="view"), served("tumor", "detector-cnn")),
    "segmentation": (FILM, served("segmentation", "seg-t1", sequences=("t1ce",))),
}


class Services:
    """What the services list, how often they were asked, and a clock that is set by hand."""

    def __init__(self, lists: Mapping[StageName, tuple[ServedModel, ...]] = LISTS) -> None:
        self.lists = dict(lists)
        self.asked: list[StageName] = []
        self.now = 1000.0
        self.roster = ModelRoster(
            {stage: partial(self._list, stage) for stage in LISTS}, keep_s=60, clock=lambda: self.now
        )

    async def _list(self, stage: StageName) -> tuple[ServedModel, ...]:
        self.asked.append(stage)
        if stage not in self.lists:
            raise NotReady("down", stage=stage)
        return self.lists[stage]


async def test_the_default_is_the_first_of_the_list() -> None:
    services = Services()
    assert await services.roster.view_models_of("detector-cnn") == ()
    assert services.asked == ["tumor"]
    assert await services.roster.view_models_of(None) == ("view", "view-int8")
    assert services.asked == ["tumor", "view"]


async def test_a_list_is_kept_for_a_while_and_asked_for_anew_for_a_name_that_is_not_on_it() -> None:
    services = Services()
    await services.roster.check({"tumor": "tumor"})
    services.now += 59
    await services.roster.check({"tumor": "detector-cnn"})
    assert services.asked == ["tumor"]
    services.lists["tumor"] += (served("tumor", "imported"),)
    await services.roster.check({"tumor": "imported"})
    assert services.asked == ["tumor"] * 2
    services.now += 61
    await services.roster.check({"tumor": "imported"})
    assert services.asked == ["tumor"] * 3


@pytest.mark.parametrize("name", ["nothing", "seg-t1", ""])
async def test_a_name_of_no_or_another_stage_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(InvalidOptions, match="stage tumor; choose one of tumor, detector-cnn") as caught:
        await Services().roster.check({"tumor": name})
    assert caught.value.stage == "tumor"


async def test_a_segmentation_model_must_be_fed() -> None:
    roster = Services().roster
    await roster.check({"segmentation": "film"}, {"flair"})
    await roster.check({"segmentation": "film"}, None)
    with pytest.raises(InvalidOptions, match="film reads t1 or flair and flair; t1ce was sent"):
        await roster.check({"segmentation": "film"}, {"t1ce"})


async def test_a_model_that_reads_volumes_is_for_volumes() -> None:
    services = Services()
    unet = served("segmentation", "unet3d", reads="volumes", sequences=("t1", "t1ce", "t2"))
    services.lists["segmentation"] += (unet,)
    named: dict[StageName, str] = {"segmentation": "unet3d"}
    for present in ({"t1ce"}, None):
        with pytest.raises(InvalidOptions, match=r"unet3d reads volumes, .* choose one of film, seg-t1.") as caught:
            await services.roster.check(named, present)  # type: ignore[arg-type]
        assert caught.value.stage == "segmentation"
    await services.roster.check(named, {"t2"}, volume=True)
    await services.roster.check(named, None, volume=True)
    with pytest.raises(InvalidOptions, match="unet3d reads t1 or t1ce or t2; flair was sent"):
        await services.roster.check(named, {"flair"}, volume=True)


async def test_a_model_that_reads_slices_may_outline_a_volume_slice_by_slice() -> None:
    roster = Services().roster
    await roster.check({"segmentation": "film"}, {"flair"}, volume=True)
    with pytest.raises(InvalidOptions, match="film reads t1 or flair and flair"):
        await roster.check({"segmentation": "film"}, {"t1"}, volume=True)


async def test_a_service_that_is_down_is_left_to_say_so_itself() -> None:
    services = Services({})
    await services.roster.check({"segmentation": "film"}, {"t1ce"})
    with pytest.raises(NotReady):
        await services.roster.view_models_of(None)
    services.lists["tumor"] = ()
    with pytest.raises(UpstreamFailed, match="lists no model"):
        await services.roster.view_models_of(None)
