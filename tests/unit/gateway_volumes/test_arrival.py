"""How files arrive: slices stay in memory, volumes go to the blob store, and what is wrong is refused on the way."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from gateway.api.arrival_sink import ArrivalSink
from gateway.api.form import FileHead
from gateway.blobs.port import BlobKey
from gateway.imaging.errors import (
    ArchiveRefused,
    EmptyFile,
    FileTooLarge,
    GeometryUnclear,
    PartsConflict,
    UnreadableFile,
    UnsupportedFormat,
    UnsupportedVolume,
    VolumeTooLarge,
)
from gateway.imaging.volume_limits import VolumeLimits
from service_kit.errors import InvalidRequest
from tests.unit.gateway_imaging import pictures
from tests.unit.gateway_jobs.fakes import FakeBlobs
from tests.unit.gateway_volumes.phantoms import nifti, nifti_bomb, texture, zipped

PNG = pictures.save(pictures.gray8(), "PNG")
NIFTI = nifti(texture())


def packed(content: bytes = NIFTI) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("t1.nii", content)
    return whole.getvalue()


async def arrive(*files: tuple[str, bytes], chunk_bytes: int = 700, max_picture_bytes: int = 1 << 20) -> ArrivalSink:
    sink = ArrivalSink(FakeBlobs(), VolumeLimits(), max_picture_bytes=max_picture_bytes)
    for name, content in files:
        await sink.begin(FileHead(name, f"{name}.bin", None))
        for at in range(0, len(content), chunk_bytes):
            await sink.write(content[at : at + chunk_bytes])
        await sink.end()
    return sink


@pytest.mark.parametrize("content", [PNG, pictures.dicom(pictures.gray16())], ids=["png", "dicom"])
async def test_a_slice_stays_in_memory(content: bytes) -> None:
    sink = await arrive(("file", content))
    assert sink.analysis is None
    assert [part.content for part in sink.memory.parts] == [content]


async def test_a_slice_in_four_sequences_stays_in_memory() -> None:
    sink = await arrive(*((name, PNG) for name in ("t1", "t1ce", "t2", "flair")))
    assert sink.analysis is None
    assert len(sink.memory.parts) == 4


@pytest.mark.parametrize("content", [NIFTI, zipped(NIFTI), packed()], ids=["nii", "nii.gz", "zip"])
@pytest.mark.parametrize("chunk_bytes", [100, 1 << 20])
async def test_a_volume_goes_to_the_blob_store_byte_by_byte(content: bytes, chunk_bytes: int) -> None:
    sink = await arrive(("flair", content), chunk_bytes=chunk_bytes)
    assert sink.analysis is not None
    assert sink.spool is not None
    (upload,) = sink.spool.uploads
    assert (upload.name, upload.size_bytes) == ("flair", len(content))
    blobs = sink._blobs
    assert isinstance(blobs, FakeBlobs)
    assert blobs.kept == {BlobKey(sink.analysis.id, upload.blob): content}
    assert sink.memory.parts == []


async def test_a_second_file_of_one_name_makes_a_series_of_both() -> None:
    first, second = (pictures.dicom(pictures.gray16(), InstanceNumber=number) for number in (1, 2))
    sink = await arrive(("file", first), ("file", second))
    assert sink.spool is not None
    blobs = sink._blobs
    assert isinstance(blobs, FakeBlobs)
    assert list(blobs.kept.values()) == [first, second]


async def test_a_dicom_file_larger_than_a_slice_is_a_volume() -> None:
    sink = await arrive(("file", pictures.dicom(pictures.gray16())), max_picture_bytes=2000)
    assert sink.analysis is not None


def broken(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at] + value + content[at + len(value) :]


REFUSED: dict[str, tuple[list[tuple[str, bytes]], type[InvalidRequest]]] = {
    "two pictures": ([("file", PNG), ("file", PNG)], PartsConflict),
    "picture, then volume": ([("t1", PNG), ("flair", NIFTI)], PartsConflict),
    "volume, then picture": ([("flair", NIFTI), ("t1", PNG)], PartsConflict),
    "volume, then nothing": ([("flair", NIFTI), ("t1", b"")], EmptyFile),
    "volume, then text": ([("flair", NIFTI), ("t1", b"hello")], UnsupportedFormat),
    "zip cut short": ([("file", packed()[:-30])], ArchiveRefused),
    "gzip of something": ([("file", gzip.compress(b"hello" * 200))], UnsupportedFormat),
    "gzip, damaged": ([("file", broken(zipped(NIFTI), 12, b"\xff" * 40))], UnreadableFile),
    "header that asks for too much": ([("file", nifti_bomb())], VolumeTooLarge),
    "several volumes": ([("file", nifti(np.zeros((20, 20, 20, 3), np.int16)))], UnsupportedVolume),
    "absurd spacing": ([("file", nifti(texture(), np.diag([90.0, 90.0, 90.0, 1.0])))], GeometryUnclear),
    "pair header": ([("file", broken(NIFTI, 344, b"ni1\0"))], UnsupportedVolume),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("chunk_bytes", [100, 1 << 20])
async def test_what_cannot_be_read_is_refused_while_it_arrives(case: str, chunk_bytes: int) -> None:
    files, refusal = REFUSED[case]
    with pytest.raises(refusal):
        await arrive(*files, chunk_bytes=chunk_bytes)


async def test_a_picture_that_is_too_large_is_refused_before_it_is_whole() -> None:
    sink = ArrivalSink(FakeBlobs(), VolumeLimits(), max_picture_bytes=1000)
    await sink.begin(FileHead("file", "a.png", "image/png"))
    with pytest.raises(FileTooLarge, match="1000 bytes"):
        await sink.write(PNG[:500] + bytes(600))
