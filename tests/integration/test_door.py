"""The gate at the door through the whole gateway, on tiny models whose novelty is the mean gray of the picture."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from service_kit.inference.manifest import Novelty
from service_kit.inference.preprocessing import Preprocessing
from service_kit.testing import tiny_model, tiny_repository
from tests.integration.conftest import own_gateway
from tests.integration.test_analyses import PNG, create, listed, problem
from tests.unit.gateway_imaging import pictures

pytestmark = pytest.mark.asyncio(loop_scope="session")


def ramp(least: int) -> NDArray[np.uint8]:
    """Brighter from left to right, from `least` on: no rule about pixels is broken."""
    return np.tile(np.linspace(least, 255, 96).astype(np.uint8), (96, 1))


def mean_gray(pixels: NDArray[Any]) -> float:
    return float(Preprocessing(size=32, crop_head=False).apply(pixels)[0].mean() / 255)


STRANGE, UNUSUAL = ramp(0), np.where(np.arange(96) < 24, 0, ramp(0)).astype(np.uint8)
LIMITS = Novelty(
    review_above=(mean_gray(pictures.gray8()) + mean_gray(UNUSUAL)) / 2,
    refuse_above=(mean_gray(UNUSUAL) + mean_gray(STRANGE)) / 2,
    fitted_on="made pictures",
)
REFUSED: dict[str, tuple[bytes, str, str | None]] = {
    "strange": (pictures.save(STRANGE, "PNG"), "not_brain_mri", "novelty"),
    "noise": (
        pictures.save(np.random.default_rng(1).integers(0, 256, (96, 96)).astype(np.uint8), "PNG"),
        "not_brain_mri",
        "neighbor_correlation",
    ),
    "knee by its header": (pictures.dicom(BodyPartExamined="KNEE"), "not_brain_mri", None),
    "ct": (pictures.dicom(Modality="CT", SOPClassUID=pictures.CT_IMAGE), "not_mr", None),
    "color": (pictures.save(pictures.color_photo(), "PNG"), "color_picture", "color_share"),
    "black": (pictures.save(np.zeros((96, 96), np.uint8), "PNG"), "blank_picture", "gray_levels"),
    "white page": (
        pictures.save(np.pad(pictures.gray8(), 80, constant_values=255), "PNG"),
        "saturated_picture",
        "saturated_share",
    ),
    "too small": (pictures.save(pictures.gray8(40, 40), "PNG"), "picture_too_small", "longer_side_px"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    folder = tiny_repository(tmp_path_factory.mktemp("models"))
    tiny_model(folder, "view", novelty=LIMITS, preprocessing=Preprocessing(size=32, crop_head=False))
    async with own_gateway(folder) as client:
        yield client


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_with_code_value_and_limit_and_nothing_is_kept(door: httpx.AsyncClient, name: str) -> None:
    content, code, measured = REFUSED[name]
    before = await listed(door)
    answer = await door.post("/v1/analyses", files={"file": ("a.png", content, "image/png")})
    body = problem(answer)
    assert (answer.status_code, body["code"]) == (422, code), answer.text
    if measured is not None:
        assert body["measurement"]["name"] == measured
        assert body["measurement"].keys() == {"name", "value", "limit"}
    assert len(body["detail"]) > 60
    assert await listed(door) == before


async def test_a_grey_zone_picture_is_answered_for_review(door: httpx.AsyncClient) -> None:
    analysis = await create(door, pictures.save(UNUSUAL, "PNG"))
    assert analysis["verdict"] in {"review", "refuse"}
    (reason,) = [reason for reason in analysis["reasons"] if reason["code"] == "unusual_input"]
    assert reason["measured"] > reason["limit"] == pytest.approx(LIMITS.review_above)


async def test_a_head_is_not_unusual(door: httpx.AsyncClient) -> None:
    analysis = await create(door)
    assert "unusual_input" not in [reason["code"] for reason in analysis["reasons"]]


async def test_the_stage_calls_measure_and_refuse(door: httpx.AsyncClient) -> None:
    strange = {"file": ("a.png", REFUSED["strange"][0], "image/png")}
    seen = (await door.post("/v1/view-classifications", files=strange)).json()["novelty"]
    assert seen["value"] > seen["refuse_above"] > seen["review_above"]
    answer = await door.post("/v1/tumor-classifications", files=strange)
    assert (answer.status_code, problem(answer)["code"]) == (422, "not_brain_mri")


async def test_a_refused_request_gives_its_idempotency_key_back(door: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "door"}
    strange = {"file": ("a.png", REFUSED["strange"][0], "image/png")}
    for _ in range(2):
        assert (await door.post("/v1/analyses", files=strange, headers=headers)).status_code == 422
    good = {"file": ("a.png", PNG, "image/png")}
    assert (await door.post("/v1/analyses", files=good, headers=headers)).status_code == 201
