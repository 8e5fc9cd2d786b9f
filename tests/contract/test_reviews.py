"""Reviews of what the services really answered: a job, a partial answer, a volume."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis

from tests.contract.conftest import Services
from tests.contract.test_jobs import accepted, finished, serving
from tests.unit.gateway_volumes.phantoms import nifti
from tests.unit.gateway_volumes.test_volume_pipeline import phantom

Json = dict[str, Any]
CORRECTED = {"decision": "corrected", "label": "pituitary", "comment": "In the sella.", "reviewer": "Reader 2"}


async def reviewed(client: httpx.AsyncClient, analysis: Json) -> Json:
    """The analysis after a correction, which its reports show."""
    assert analysis["reviews"] == []
    here = analysis["links"]["self"]
    plain = await client.get(f"{here}/report.html")
    assert "Reader&#39;s review" not in plain.text
    answer = await client.post(f"{here}/review", json=CORRECTED)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    assert {name: told["reviews"][0][name] for name in CORRECTED} == CORRECTED
    assert {**told, "reviews": []} == analysis
    page = await client.get(f"{here}/report.html", headers={"If-None-Match": plain.headers["etag"]})
    assert page.status_code == 200
    assert "Corrected: pituitary tumor." in page.text
    assert (await client.get(f"{here}/report.pdf")).content.startswith(b"%PDF")
    return told


async def listed(client: httpx.AsyncClient, **asked: str) -> list[str]:
    answer = await client.get("/v1/analyses", params=asked)
    return [analysis["id"] for analysis in answer.json()["analyses"]]


async def test_a_job_is_reviewed_and_found_by_its_corrected_label(
    tiny_services: Services, redis: Redis, tmp_path: Path
) -> None:
    async with serving(tiny_services, redis, tmp_path, in_gateway=True) as client:
        locations = [await accepted(client, segment="always") for _ in range(2)]
        first, second = [await finished(client, location) for location in locations]
        told = await reviewed(client, first)
        assert await listed(client, label="pituitary") == (
            [second["id"], told["id"]] if second["tumor"]["label"] == "pituitary" else [told["id"]]
        )
        assert await listed(client, label="pituitary", q=told["id"]) == [told["id"]]
        assert (await client.get(second["links"]["self"])).json() == second


async def test_a_partial_answer_is_reviewed_too(tiny_services: Services, redis: Redis, tmp_path: Path) -> None:
    async with serving(
        tiny_services, redis, tmp_path, "http://segmenter", "http://metadata", in_gateway=True, max_tries=1
    ) as client:
        partial = await finished(client, await accepted(client, segment="always"))
        assert (partial["state"], partial["segmentation"]) == ("succeeded", None)
        assert partial["problem"] is not None
        await reviewed(client, partial)


async def test_a_volume_is_reviewed_and_listed_as_one(tiny_services: Services, redis: Redis, tmp_path: Path) -> None:
    async with serving(tiny_services, redis, tmp_path, in_gateway=True) as client:
        content = gzip.compress(nifti(*phantom()), 1)
        sent = await client.post("/v1/analyses", files={"t1": ("t1.nii.gz", content, "application/gzip")})
        assert sent.status_code == 202, sent.text
        async with asyncio.timeout(60):
            volume = await finished(client, sent.headers["location"])
        assert volume["state"] == "succeeded", volume["problem"]
        await reviewed(client, volume)
        assert await listed(client, kind="volume") == [volume["id"]]
        assert await listed(client, kind="slice") == []
        evidence = (await client.get(volume["links"]["evidence"])).json()
        assert evidence["analysis"]["reviews"][0]["decision"] == "corrected"
