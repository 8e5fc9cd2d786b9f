"""Every published model answers through the gateway when it is named; a name that cannot be followed is refused."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.settings import GatewaySettings
from service_kit.inference.factory import InferenceSettings, ModelRepository
from tests.contract.conftest import Services
from tests.contract.test_degraded import SCAN, SETTINGS, running_gateway
from tests.unit.gateway_imaging import pictures

PNG = pictures.save(pictures.gray8(), "PNG")
CODES = {"glioma", "meningioma", "no_tumor", "pituitary"}


def with_cards(folder: Path) -> GatewaySettings:
    return SETTINGS.model_copy(update={"models_dir": folder})


async def analyze(client: httpx.AsyncClient, **options: Any) -> dict[str, Any]:
    answer = await client.post("/v1/analyses", files=SCAN, data={"options": json.dumps(options)})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_every_model_that_is_listed_answers_by_its_name(tiny_services: Services, tiny_models: Path) -> None:
    async with running_gateway(tiny_services, settings=with_cards(tiny_models)) as client:
        listed = (await client.get("/v1/models")).json()["models"]
        assert {model["name"] for model in listed} == set(ModelRepository(tiny_models).names())
        for model in (model for model in listed if model["reads"] == "slices"):
            sequences = model["sequences"] if model["stage"] == "segmentation" else ["t1ce"]
            answer = await client.post(
                "/v1/analyses",
                files=[(name, (f"{name}.png", PNG, "image/png")) for name in sequences],
                data={
                    "options": json.dumps({"models": {model["stage"]: model["name"]}, "segment": "always"}),
                    "clinical": '{"age": 50}',
                },
            )
            assert answer.status_code == 201, (model["name"], answer.text)
            used = {ref["name"]: ref for ref in answer.json()["models"]}
            assert used[model["name"]]["provider"] == "CPUExecutionProvider"
            detail = (await client.get(f"/v1/models/{model['name']}")).json()
            assert detail["card"]["name"] == model["name"]


async def test_a_model_that_reads_volumes_is_refused_for_a_slice(tiny_services: Services, tiny_models: Path) -> None:
    async with running_gateway(tiny_services, settings=with_cards(tiny_models)) as client:
        answer = await client.post(
            "/v1/analyses",
            files={"t1ce": ("slice.png", PNG, "image/png")},
            data={"options": json.dumps({"models": {"segmentation": "unet3d"}})},
        )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_options")
    assert "unet3d reads volumes, and a slice was sent" in answer.json()["detail"]


async def test_defaults_stay_the_defaults_and_the_others_come_into_memory_when_named(
    tiny_services: Services, tiny_models: Path
) -> None:
    async with running_gateway(tiny_services, settings=with_cards(tiny_models)) as client:
        analysis = await analyze(client, segment="always")
        assert [model["name"] for model in analysis["models"]] == ["view", "tumor", "seg-t1"]
        before = {model["name"]: model for model in (await client.get("/v1/models")).json()["models"]}
        assert {name for name, model in before.items() if model["default"]} == {
            "view",
            "tumor",
            "seg-t1",
            "seg-flair-film",
            "unet3d",
            "clinical",
        }
        assert {name for name, model in before.items() if model["reads"] == "volumes"} == {"unet3d"}
        assert all(model["loaded"] == model["default"] for model in before.values())
        resnet = (await client.get("/v1/models/tumor-resnet50")).json()
        assert (resnet["provider"], resnet["requested_provider"]) == ("not loaded", "CPUExecutionProvider")
        assert resnet["card"]["name"] == "tumor-resnet50"
        await analyze(client, models={"tumor": "tumor-resnet50"})
        resnet = (await client.get("/v1/models/tumor-resnet50")).json()
        assert (resnet["provider"], resnet["loaded"]) == ("CPUExecutionProvider", True)
        variant = before["tumor-int8"]
        assert (variant["variant_of"], variant["precision"], variant["features_of"]) == ("tumor", "int8", "view")


async def test_at_most_as_many_models_as_set_are_kept_beside_the_defaults(
    tiny_services: Services, tiny_models: Path
) -> None:
    async with running_gateway(tiny_services) as client:
        for name in ("tumor-int8", "tumor-resnet50", "tumor-vgg16-view", "detector-cnn", "imported"):
            await analyze(client, models={"tumor": name}, segment="never")
        listed = (await client.get("/v1/models")).json()["models"]
        loaded = {m["name"] for m in listed if m["stage"] == "tumor" and m["loaded"] and not m["default"]}
        assert loaded == {"detector-cnn", "imported"}
        assert len(loaded) == InferenceSettings().on_demand_models


async def test_a_binary_model_answers_without_types_and_without_a_map(tiny_services: Services) -> None:
    async with running_gateway(tiny_services) as client:
        analysis = await analyze(client, models={"tumor": "detector-cnn"}, segment="always")
        tumor = analysis["tumor"]
        assert tumor["probabilities"].keys() == {"no_tumor", "tumor"}
        assert tumor["present_probability"] == pytest.approx(tumor["probabilities"]["tumor"], abs=1e-6)
        assert "There is no heat map" in tumor["warnings"][0]
        assert "heatmap" not in analysis["links"]
        missing = await client.get(f"{analysis['links']['self']}/heatmap.png")
        assert (missing.status_code, "detector-cnn gives none" in missing.json()["detail"]) == (404, True)
        report = (await client.get(analysis["links"]["report"])).text
        assert "detector-cnn gives none" in report
        assert not any(name in report.lower() for name in CODES - {"no_tumor"})
        for name in ("overlay", "evidence"):
            assert (await client.get(analysis["links"][name])).status_code == 200


async def test_an_imported_model_without_calibration_is_for_review(tiny_services: Services) -> None:
    async with running_gateway(tiny_services) as client:
        analysis = await analyze(client, models={"tumor": "imported"})
        assert analysis["verdict"] in {"review", "refuse"}
        assert "not_calibrated" in [reason["code"] for reason in analysis["reasons"]]
        assert "not calibrated" in analysis["tumor"]["warnings"][0]
        assert "promises no coverage" in (await client.get(analysis["links"]["report"])).text


async def test_the_view_model_whose_features_are_read_runs_beside_the_one_that_was_asked_for(
    tiny_services: Services,
) -> None:
    async with running_gateway(tiny_services) as client:
        both = await analyze(client, models={"tumor": "tumor-vgg16-view"}, segment="never")
        assert [model["name"] for model in both["models"]] == ["view", "view-vgg16", "tumor-vgg16-view"]
        pair = {"view": "view-vgg16", "tumor": "tumor-vgg16-view"}
        alone = await client.post(
            "/v1/tumor-classifications", files=SCAN, data={"options": json.dumps({"models": pair})}
        )
        assert alone.json()["model"]["name"] == "tumor-vgg16-view"
        assert alone.json()["tumor"]["probabilities"] == pytest.approx(both["tumor"]["probabilities"], abs=1e-6)


@pytest.mark.parametrize(
    ("models", "stage", "words"),
    [
        ({"view": "vgg"}, "view", "choose one of view, view-plain, view-vgg16."),
        ({"tumor": "view"}, "tumor", "choose one of tumor, detector-cnn, imported, tumor-int8"),
        ({"segmentation": "tumor"}, "segmentation", "choose one of seg-flair-film, seg-t1, seg-unet."),
        ({"clinical": "none"}, "clinical", "choose one of clinical."),
        ({"segmentation": "seg-flair-film"}, "segmentation", "seg-flair-film reads t1 or flair and flair"),
    ],
)
@pytest.mark.parametrize("path", ["analyses", "segmentations"])
async def test_a_name_that_cannot_be_followed_is_refused_before_anything_runs(
    tiny_services: Services, models: dict[str, str], stage: str, words: str, path: str
) -> None:
    async with running_gateway(tiny_services) as client:
        answer = await client.post(f"/v1/{path}", files=SCAN, data={"options": json.dumps({"models": models})})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        problem = answer.json()
        assert (problem["code"], problem["stage"]) == ("invalid_options", stage)
        assert words in problem["detail"]
        assert (await client.get("/v1/analyses")).json()["analyses"] == []


async def test_the_gate_contradicts_other_wishes(tiny_services: Services) -> None:
    async with running_gateway(tiny_services) as client:
        options = '{"gate": true, "segment": "always"}'
        answer = await client.post("/v1/analyses", files=SCAN, data={"options": options})
        assert answer.status_code == 422
        assert answer.json()["detail"] == "options: gate goes with segment auto, not with always."
        closed = await analyze(client, gate=True)
        assert (closed["segmentation"] is None) == (closed["tumor"]["label"] == "no_tumor")
