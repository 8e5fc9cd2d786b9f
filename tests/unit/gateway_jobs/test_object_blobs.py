"""Uploads in S3, over a real socket, and in obstore's memory."""

from collections.abc import Iterator

import pytest
from obstore.store import MemoryStore

from gateway.analysis_id import new_analysis_id
from gateway.blobs.objects import ObjectBlobStore, bucket
from gateway.blobs.port import BlobKey, read
from gateway.collaborators import collaborate
from gateway.job_settings import JobSettings
from gateway.settings import GatewaySettings
from service_kit.errors import NotFound, NotReady
from tests.bench.contenders import free_port
from tests.unit.gateway_jobs.s3 import serving_s3

OWNER = "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10"
KEY = BlobKey(OWNER, "upload-0")


def reach(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["memory", "s3"])
def blobs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectBlobStore]:
    if request.param == "memory":
        yield ObjectBlobStore(MemoryStore())
        return
    with serving_s3({}) as endpoint:
        reach(monkeypatch, endpoint)
        yield ObjectBlobStore(bucket("s3://scans/neurogate"))


async def put(blobs: ObjectBlobStore, key: BlobKey, *chunks: bytes) -> None:
    async with blobs.create(key) as writer:
        for chunk in chunks:
            await writer.write(chunk)


async def test_what_is_put_comes_back(blobs: ObjectBlobStore) -> None:
    await put(blobs, KEY, b"a" * 100_000, b"b")
    assert await read(blobs, KEY) == b"a" * 100_000 + b"b"
    assert await blobs.ready()


async def test_an_object_lies_below_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    objects: dict[str, bytes] = {"/scans/other": b"not ours"}
    with serving_s3(objects) as endpoint:
        reach(monkeypatch, endpoint)
        blobs = ObjectBlobStore(bucket("s3://scans/neurogate"))
        await put(blobs, KEY, b"1")
        assert objects[f"/scans/neurogate/{OWNER}/upload-0"] == b"1"
        await blobs.delete(OWNER)
    assert objects == {"/scans/other": b"not ours"}


async def test_an_upload_that_breaks_off_is_not_there(blobs: ObjectBlobStore) -> None:
    async def broken() -> None:
        async with blobs.create(KEY) as writer:
            await writer.write(b"half")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await broken()
    with pytest.raises(NotFound):
        await read(blobs, KEY)


async def test_erasing_takes_all_of_an_owner_and_none_of_another(blobs: ObjectBlobStore) -> None:
    other = BlobKey(new_analysis_id(), "upload-0")
    for key in (KEY, BlobKey(OWNER, "upload-1"), other):
        await put(blobs, key, b"1")
    assert {owner.id async for owner in blobs.owners()} == {OWNER, other.owner}
    assert all([owner.age_s >= 0 async for owner in blobs.owners()])
    await blobs.delete(OWNER)
    await blobs.delete(OWNER)
    assert [owner.id async for owner in blobs.owners()] == [other.owner]
    assert await read(blobs, other) == b"1"


async def test_a_store_that_is_away_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    reach(monkeypatch, f"http://127.0.0.1:{free_port()}")
    blobs = ObjectBlobStore(bucket("s3://scans"))
    assert not await blobs.ready()
    with pytest.raises(NotReady) as refused:
        await put(blobs, KEY, b"1")
    assert "scans" not in refused.value.detail


async def test_a_setting_chooses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_JOBS__BLOB_URL", "s3://scans/neurogate")
    settings = GatewaySettings()
    made, life = collaborate(settings)
    async with life:
        assert isinstance(made.blobs, ObjectBlobStore)
    with pytest.raises(ValueError, match="blob_url"):
        JobSettings(blob_url="http://scans")
