"""A volume's whole life on the published models: accepted, outlined in 3D, its files, erased."""

import asyncio
import gzip
import io
import json
from pathlib import Path
from typing import Any

import httpx
import nibabel
import numpy as np
import pytest
from PIL import Image

from gateway.explain import dice
from tests.integration.made_heads import Heads, Parts

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

Json = dict[str, Any]
FINAL = {"succeeded", "failed", "canceled"}
WITHIN_S = 500.0


async def finished(gateway: httpx.AsyncClient, parts: Parts, **options: Any) -> Json:
    """The analysis of a study, which becomes a job without being asked to."""
    accepted = await gateway.post("/v1/analyses", files=parts, data={"options": json.dumps(options)})
    assert accepted.status_code == 202, accepted.text
    assert accepted.json()["state"] == "queued"
    async with asyncio.timeout(WITHIN_S):
        while True:
            analysis: Json = (await gateway.get(accepted.headers["location"])).json()
            if analysis["state"] in FINAL:
                return analysis
            await asyncio.sleep(0.25)


async def test_a_four_sequence_study_is_outlined_in_3d_measured_and_drawn(
    gateway: httpx.AsyncClient, heads: Heads
) -> None:
    analysis = await finished(gateway, heads.small, segment="always")
    assert analysis["state"] == "succeeded", analysis["problem"]
    assert analysis["input"]["sequences"] == ["t1", "t1ce", "t2", "flair"]
    assert analysis["input"]["geometry"]["shape"] == [120, 120, 78]
    assert (analysis["view"]["label"], analysis["view"]["source"]) == ("axial", "nifti")
    assert analysis["key_slice"]["plane"] == "axial"
    assert "unet3d" in {model["name"] for model in analysis["models"]}

    volume = analysis["segmentation"]["volume"]
    assert volume["side"] == "left"
    assert heads.small_ball_ml / 2 < volume["volume_ml"] < heads.small_ball_ml * 2
    assert np.allclose(volume["centroid_mm"], heads.small_center_mm, atol=3)
    assert volume["lesions"][0]["longest_diameter_mm"] > volume["lesions"][0]["perpendicular_diameter_mm"] > 0

    names = analysis["links"].keys()
    assert {"mask", "overlay", "input", "heatmap", "report", "report_pdf", "evidence", "slices"} <= names
    assert {"thumbnail", "saliency", "sequence_t1", "sequence_t1ce", "sequence_t2", "sequence_flair"} <= names
    contents = {}
    for name in names - {"self", "events"}:
        answer = await gateway.get(analysis["links"][name])
        assert answer.status_code == 200, (name, answer.text)
        contents[name] = answer.content
    mask = nibabel.Nifti1Image.from_bytes(gzip.decompress(contents["mask"]))
    assert mask.affine.tolist() == analysis["input"]["geometry"]["affine"]
    assert np.count_nonzero(np.asarray(mask.dataobj)) == volume["voxels"]
    shown = nibabel.Nifti1Image.from_bytes(gzip.decompress(contents["sequence_flair"]))
    assert (shown.shape, shown.affine.tolist()) == (mask.shape, mask.affine.tolist())
    for name in ("overlay", "input", "heatmap", "saliency", "thumbnail"):
        Image.open(io.BytesIO(contents[name])).load()
    assert contents["report_pdf"].startswith(b"%PDF-")
    assert b"Research use only" in contents["report"]

    assert (await gateway.delete(analysis["links"]["self"])).status_code == 204
    for link in (analysis["links"]["self"], analysis["links"]["mask"], analysis["links"]["slices"]):
        assert (await gateway.get(link)).status_code == 404


async def test_the_sample_study_is_taken_and_its_tumor_found(gateway: httpx.AsyncClient, samples: Path) -> None:
    expected = json.loads((samples / "samples.json").read_text())["volumes"]["volume"]
    parts = [
        (name, (f"{name}.nii.gz", (samples / file).read_bytes(), "application/gzip"))
        for name, file in expected["files"].items()
    ]
    analysis = await finished(gateway, parts)
    assert analysis["state"] == "succeeded", analysis["problem"]
    assert analysis["tumor"]["label"] == expected["tumor_class"]
    assert analysis["segmentation"]["volume"]["side"] == expected["side"]
    answer = await gateway.get(analysis["links"]["mask"])
    found = np.asarray(nibabel.Nifti1Image.from_bytes(gzip.decompress(answer.content)).dataobj)
    truth = np.asarray(nibabel.Nifti1Image.from_filename(samples / expected["mask"]).dataobj)
    for region in ((1, 2, 3), (1, 3), (3,)):
        assert dice(np.isin(found, region), np.isin(truth, region)) > 0.75, region
    assert (await gateway.delete(analysis["links"]["self"])).status_code == 204


async def test_a_cropped_study_without_a_head_is_refused_with_what_to_send(
    gateway: httpx.AsyncClient, heads: Heads
) -> None:
    name, (filename, content, media_type) = heads.small[0]
    inside = nibabel.Nifti1Image.from_bytes(gzip.decompress(content)).slicer[40:100, 40:100, 20:60]
    cut = gzip.compress(inside.to_bytes(), 1)
    analysis = await finished(gateway, [(name, (filename, cut, media_type))])
    assert analysis["state"] == "failed"
    assert analysis["problem"]["code"] == "not_brain_mri"
    assert "whole head" in analysis["problem"]["detail"]
