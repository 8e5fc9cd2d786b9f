"""Every published model answers when `options.models` names it."""

import json

import httpx
import pytest

from tests.integration.test_analyses import PNG, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_each_published_model_answers_by_its_name(gateway: httpx.AsyncClient) -> None:
    listed = (await gateway.get("/v1/models")).json()
    assert listed["unavailable"] == []
    for model in listed["models"]:
        if model["reads"] == "volumes":  # tests/integration/test_volumes.py
            continue
        stage, name = model["stage"], model["name"]
        parts = model["sequences"] if stage == "segmentation" else ["t1ce"]
        answer = await gateway.post(
            "/v1/analyses",
            files=[(part, (f"{part}.png", PNG, "image/png")) for part in parts],
            data={"options": json.dumps({"models": {stage: name}, "segment": "always"}), "clinical": '{"age": 50}'},
        )
        assert answer.status_code == 201, (name, answer.text)
        analysis = answer.json()
        used = next(ref for ref in analysis["models"] if ref["name"] == name)
        assert (used["stage"], used["sha256"]) == (stage, model["sha256"])
        assert used["provider"] != "not loaded"
        if stage == "tumor":
            assert analysis["tumor"]["probabilities"].keys() == set(model["labels"])
            mapped = any(output["name"] == "cam" for output in model["outputs"])
            assert ("heatmap" in analysis["links"]) == mapped == (not analysis["tumor"]["warnings"])
        for link in analysis["links"].values():
            assert (await gateway.get(link)).status_code == 200, (name, link)
        card = (await gateway.get(f"/v1/models/{name}")).json()["card"]
        assert card is None or card["name"] == name


@pytest.mark.parametrize("stage", ["view", "tumor", "segmentation", "clinical"])
async def test_a_name_of_another_stage_is_refused_with_the_names_of_this_one(
    gateway: httpx.AsyncClient, stage: str
) -> None:
    listed = (await gateway.get("/v1/models")).json()["models"]
    own = [model["name"] for model in listed if model["stage"] == stage and model["reads"] == "slices"]
    other = next(model["name"] for model in listed if model["stage"] != stage)
    answer = await gateway.post(
        "/v1/analyses", files={"file": PNG}, data={"options": json.dumps({"models": {stage: other}})}
    )
    assert (answer.status_code, problem(answer)["code"]) == (422, "invalid_options")
    assert ", ".join(own) in answer.json()["detail"]
