from pathlib import Path

import pytest

from segmenter_service.choice import choose_model
from service_kit.contracts.common import Sequence
from service_kit.errors import InvalidRequest
from service_kit.inference.served import StageModels
from service_kit.testing import FakeBackend, tiny_model


@pytest.fixture
def models(tmp_path: Path) -> StageModels:
    film = tiny_model(
        tmp_path,
        "segmentation",
        name="seg-flair-film",
        sequences=("t1", "flair", "t1ce"),
        clinical=True,
        fallback={"t1": "flair", "t1ce": "flair"},
    )
    plain = tiny_model(tmp_path, "segmentation", fallback={"t1ce": "t1", "t1": "t2"})
    return StageModels("segmentation", [FakeBackend(film, lambda _: {}), FakeBackend(plain, lambda _: {})])


@pytest.mark.parametrize(
    ("present", "name", "sources", "substituted", "reference"),
    [
        ({"t1", "t1ce", "t2", "flair"}, "seg-flair-film", ("t1", "flair", "t1ce"), {}, "flair"),
        ({"flair"}, "seg-flair-film", ("flair",) * 3, {"t1": "flair", "t1ce": "flair"}, "flair"),
        ({"flair", "t1ce"}, "seg-flair-film", ("flair", "flair", "t1ce"), {"t1": "flair"}, "flair"),
        ({"t1ce", "t1", "t2"}, "seg-t1", ("t1ce",), {}, "t1ce"),
        ({"t1", "t2"}, "seg-t1", ("t1",), {"t1ce": "t1"}, "t1"),
        ({"t2"}, "seg-t1", ("t2",), {"t1ce": "t2"}, "t2"),
    ],
)
def test_the_model_follows_from_the_sequences(
    models: StageModels,
    present: set[Sequence],
    name: str,
    sources: tuple[str, ...],
    substituted: dict[str, str],
    reference: str,
) -> None:
    choice = choose_model(models, present, None)
    assert choice.backend.ref.name == name
    assert choice.sources == sources
    assert choice.substituted == substituted
    assert choice.reference == reference


def test_a_named_model_wins(models: StageModels) -> None:
    assert choose_model(models, {"flair", "t1ce"}, "seg-t1").sources == ("t1ce",)


def test_a_named_model_that_cannot_be_fed_says_what_it_reads(models: StageModels) -> None:
    with pytest.raises(InvalidRequest, match="t1 cannot be segmented: seg-flair-film reads t1 or flair and flair and"):
        choose_model(models, {"t1"}, "seg-flair-film")


def test_an_unknown_model_is_refused_naming_the_known(models: StageModels) -> None:
    with pytest.raises(InvalidRequest, match="seg-flair-film, seg-t1"):
        choose_model(models, {"t1"}, "seg-t9")


def test_stand_ins_that_form_a_circle_end(tmp_path: Path) -> None:
    manifest = tiny_model(tmp_path, "segmentation", fallback={"t1ce": "t1", "t1": "t1ce"})
    models = StageModels("segmentation", [FakeBackend(manifest, lambda _: {})])
    with pytest.raises(InvalidRequest, match="reads t1ce or t1"):
        choose_model(models, {"flair"}, None)
