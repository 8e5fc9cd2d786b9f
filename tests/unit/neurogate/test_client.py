"""The command line's caller: problems become sentences, artifacts become files."""

import json
from pathlib import Path

import httpx
import pytest

from neurogate.client import GatewayClient, Refused
from neurogate.study_files import FilePart
from neurogate.upload import Upload


def client_of(answer: httpx.Response) -> GatewayClient:
    transport = httpx.MockTransport(lambda _: answer)
    return GatewayClient(httpx.AsyncClient(transport=transport, base_url="http://gateway"))


def upload(folder: Path) -> Upload:
    scan = folder / "scan.png"
    scan.write_bytes(b"x")
    return Upload((FilePart("file", scan),))


async def test_a_problem_becomes_a_sentence(tmp_path: Path) -> None:
    scan = upload(tmp_path)
    problem = {"title": "Not accepted", "detail": "send PNG", "code": "unsupported_media_type"}
    problem["errors"] = [{"loc": ["body", "file"], "msg": "empty"}]  # type: ignore[assignment]
    with pytest.raises(Refused, match=r"Not accepted: send PNG \[415 unsupported_media_type\]\n  body\.file: empty"):
        await client_of(httpx.Response(415, json=problem)).analyze(scan)


async def test_an_answer_that_is_no_problem_is_told_as_it_is(tmp_path: Path) -> None:
    scan = upload(tmp_path)
    with pytest.raises(Refused, match=r"Bad Gateway:  \[502 \]"):
        await client_of(httpx.Response(502, text="<html>proxy</html>")).analyze(scan)


async def test_downloads_files_and_not_the_links_that_are_none(tmp_path: Path) -> None:
    links = {
        "self": "/v1/analyses/a1",
        "overlay": "/v1/analyses/a1/overlay.png",
        "sequence_t1": "/v1/analyses/a1/sequences/t1.nii.gz",
    }
    written = await client_of(httpx.Response(200, content=b"PNG")).download({"id": "a1", "links": links}, tmp_path)
    assert [path.name for path in written] == ["analysis.json", "overlay.png"]
    assert (tmp_path / "overlay.png").read_bytes() == b"PNG"
    assert json.loads((tmp_path / "analysis.json").read_text())["id"] == "a1"
