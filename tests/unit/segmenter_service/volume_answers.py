"""Sending volumes, and reading what came back."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from service_kit import frames
from service_kit.contracts.segmentation import VolumeSegmentationResult
from service_kit.tensors import MEDIA_TYPE, Envelope, encode, parse_result

PATH = "/v1/volume-segmentations"
MM = "[1, 1, 1]"


async def send(
    client: httpx.AsyncClient, arrays: Mapping[str, NDArray[Any]], query: str = "", **metadata: str
) -> httpx.Response:
    content = encode(arrays, None, **{"voxel_mm": MM, **metadata})
    return await client.post(f"{PATH}{query}", content=content, headers={"content-type": MEDIA_TYPE})


def frames_of(response: httpx.Response) -> list[Envelope]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == frames.MEDIA_TYPE
    reader = frames.FrameReader(1 << 20)
    found = reader.feed(response.content)
    reader.end()
    return found


def answer(response: httpx.Response) -> tuple[NDArray[np.uint8], VolumeSegmentationResult]:
    *progress, last = frames_of(response)
    steps = [frames.progress_of(envelope) for envelope in progress]
    assert steps[0] == (0, 0)
    assert steps[-1] is not None
    assert steps[-1][0] == steps[-1][1]
    return last.arrays["mask"], parse_result(last, VolumeSegmentationResult)


def problem(envelope: Envelope) -> dict[str, Any]:
    assert envelope.arrays == {}
    found: dict[str, Any] = json.loads(envelope.metadata["problem"])
    return found


def assert_refused(response: httpx.Response, status: int, words: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert words in response.json()["detail"], response.json()["detail"]
