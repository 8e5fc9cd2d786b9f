"""Frames survive any way of being cut, and nothing that is sent can fill the memory."""

import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from service_kit import frames
from service_kit.contracts.models import TensorDescription
from service_kit.errors import InvalidRequest
from service_kit.tensors import decode, encode_parts, parse_result

MASK = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
RESULT = TensorDescription(name="mask", dtype="UINT8", shape=(2, 3, 4))
STREAM = frames.progress(0, 0) + frames.progress(3, 8) + b"".join(frames.encode({"mask": MASK}, RESULT))


async def cut_at(content: bytes, places: list[int]) -> AsyncIterator[bytes]:
    edges = [0, *sorted(places), len(content)]
    for begin, end in itertools.pairwise(edges):
        yield content[begin:end]


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
async def test_frames_come_back_however_the_stream_is_cut(places: list[int]) -> None:
    found = [envelope async for envelope in frames.read_frames(cut_at(STREAM, places), max_frame_bytes=10_000)]
    assert [frames.progress_of(envelope) for envelope in found] == [(0, 0), (3, 8), None]
    np.testing.assert_array_equal(found[2].arrays["mask"], MASK)
    assert not found[2].arrays["mask"].flags.writeable
    assert parse_result(found[2], TensorDescription) == RESULT


def test_a_frame_is_given_as_soon_as_it_is_complete() -> None:
    reader, frame = frames.FrameReader(1000), frames.progress(1, 2)
    assert reader.feed(frame[:-1]) == []
    assert [frames.progress_of(envelope) for envelope in reader.feed(frame[-1:] + frame[:5])] == [(1, 2)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff" * 8, "a frame says"),
        ((1001).to_bytes(8, "little"), "a frame says 1001 bytes; 1 to 1000 are read"),
        (bytes(8), "a frame says 0 bytes"),
        (STREAM[:-1], "cut short"),
        (STREAM[:3], "cut short"),
        ((9).to_bytes(8, "little"), "cut short"),
        ((9).to_bytes(8, "little") + b"no letter", "header is over"),
    ],
)
async def test_a_broken_stream_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        _ = [envelope async for envelope in frames.read_frames(cut_at(content, []), max_frame_bytes=1000)]


@pytest.mark.parametrize(
    "progress", ["", "[", "[1, 2]", '{"done": 1}', '{"done": 3, "total": 2}', '{"done": -1, "total": 2}']
)
def test_progress_that_is_none_is_refused(progress: str) -> None:
    (envelope,) = frames.FrameReader(1000).feed(b"".join(frames.encode({}, None, progress=progress)))
    with pytest.raises(InvalidRequest, match="a frame's progress"):
        frames.progress_of(envelope)


def test_parts_share_the_arrays_memory_and_are_one_body() -> None:
    arrays: dict[str, NDArray[Any]] = {
        "mask": MASK,
        "t1": np.arange(5, dtype=np.float32),
        "turned": np.arange(6, dtype=np.int16).reshape(2, 3).T,
        "big_endian": np.arange(3, dtype=">u4"),
        "none": np.zeros((0, 5)),
        "one": np.array(7, np.int64),
        "flags": np.array([True, False]),
    }
    parts = encode_parts(arrays, RESULT, note="é")
    body = b"".join(parts)
    found = decode(body)
    assert found.metadata == {"note": "é", "result": json.dumps(RESULT.model_dump(mode="json"), separators=(",", ":"))}
    assert found.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].flags.aligned
    assert any(np.shares_memory(np.frombuffer(part, np.uint8), MASK) for part in parts if part.nbytes == MASK.nbytes)
