"""Uploads as files: there whole or not at all, and never outside of their folder."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from gateway.analysis_id import new_analysis_id
from gateway.blobs.files import FileBlobStore
from gateway.blobs.port import BlobKey, read
from gateway.order import plain_filename
from service_kit.errors import NotFound, NotReady

OWNER = "019a9f6e-3b1c-7d52-9a63-1f0c8e8f7a10"
KEY = BlobKey(OWNER, "upload-0")


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobStore:
    return FileBlobStore(tmp_path / "blobs")


async def put(blobs: FileBlobStore, key: BlobKey, *chunks: bytes) -> None:
    async with blobs.create(key) as writer:
        for chunk in chunks:
            await writer.write(chunk)


async def chunks_of(blobs: FileBlobStore, key: BlobKey) -> list[int]:
    return [len(chunk) async for chunk in blobs.open(key)]


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_what_is_put_in_chunks_comes_back_in_chunks(blobs: FileBlobStore) -> None:
    content = os.urandom(1 << 20)
    await put(blobs, KEY, content, content, b"end")
    assert await read(blobs, KEY) == content + content + b"end"
    assert await chunks_of(blobs, KEY) == [1 << 20, 1 << 20, 3]


async def test_a_blob_lies_under_the_random_end_of_its_owner(blobs: FileBlobStore, tmp_path: Path) -> None:
    await put(blobs, KEY, b"1")
    path = tmp_path / "blobs" / "10" / OWNER / "upload-0"
    assert path.read_bytes() == b"1"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_blob_that_is_not_finished_is_not_there(blobs: FileBlobStore, tmp_path: Path) -> None:
    async def cut_short() -> None:
        async with blobs.create(KEY) as writer:
            await writer.write(b"half")
            assert files_in(tmp_path)[0].endswith(".part")
            with pytest.raises(NotFound):
                await read(blobs, KEY)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await cut_short()
    assert files_in(tmp_path) == []
    assert not (tmp_path / "blobs" / "10" / OWNER).exists()


async def test_the_last_of_two_writers_wins_whole(blobs: FileBlobStore) -> None:
    await asyncio.gather(put(blobs, KEY, b"a" * 1000, b"a"), put(blobs, KEY, b"b" * 1000, b"b"))
    assert await read(blobs, KEY) in {b"a" * 1001, b"b" * 1001}


async def test_erasing_takes_all_of_an_owner_and_none_of_another(blobs: FileBlobStore) -> None:
    other = BlobKey(new_analysis_id(), "upload-0")
    await put(blobs, KEY, b"1")
    await put(blobs, BlobKey(OWNER, "upload-1"), b"2")
    await put(blobs, other, b"3")
    await blobs.delete(OWNER)
    await blobs.delete(OWNER)
    for key in (KEY, BlobKey(OWNER, "upload-1")):
        with pytest.raises(NotFound):
            await read(blobs, key)
    assert await read(blobs, other) == b"3"


async def test_owners_are_listed_with_their_age(blobs: FileBlobStore, tmp_path: Path) -> None:
    assert [owner async for owner in blobs.owners()] == []
    await put(blobs, KEY, b"1")
    (tmp_path / "blobs" / "lost+found").mkdir()
    (tmp_path / "blobs" / "10" / "notes").mkdir()
    old = time.time() - 100
    os.utime(tmp_path / "blobs" / "10" / OWNER, (old, old))
    ((owner, age_s),) = [found async for found in blobs.owners()]
    assert owner == OWNER
    assert 99 < age_s < 200


@pytest.mark.parametrize(
    "key",
    [
        BlobKey("../../etc", "upload-0"),
        BlobKey("", "upload-0"),
        BlobKey(OWNER, "../upload"),
        BlobKey(OWNER, "a/b"),
        BlobKey(OWNER, ""),
        BlobKey(OWNER, "Müller.dcm"),
    ],
)
async def test_a_key_that_is_no_name_is_no_path(blobs: FileBlobStore, key: BlobKey) -> None:
    with pytest.raises(ValueError, match="key"):
        await put(blobs, key, b"1")
    with pytest.raises(ValueError, match="key"):
        await read(blobs, key)


async def test_only_an_id_can_be_erased(blobs: FileBlobStore) -> None:
    for owner in ("..", "", "/"):
        with pytest.raises(ValueError, match="key"):
            await blobs.delete(owner)


async def test_a_disk_that_takes_nothing_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    blobs = FileBlobStore(tmp_path / "file" / "blobs")
    assert not await blobs.ready()
    with pytest.raises(NotReady) as refused:
        await put(blobs, KEY, b"1")
    assert str(tmp_path) not in refused.value.detail
    assert await FileBlobStore(tmp_path / "new" / "blobs").ready()


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [
        ("Doe^Jane 1961 FLAIR.nii.gz", "flair.nii.gz"),
        ("BraTS20_t1ce.nii", "t1ce.nii"),
        ("doe_jane.dcm", "file.dcm"),
        ("sub-01_t1_to_t2.NII.GZ", "t1-t2.nii.gz"),
        ("/home/doe/IM000001", "file"),
        ("jane.flairs.exe", "file"),
    ],
)
def test_of_a_file_name_only_what_names_no_patient_is_kept(claimed: str, kept: str) -> None:
    assert plain_filename(claimed) == kept
