import json
import struct
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from service_kit import tensors
from service_kit.contracts.models import TensorDescription
from service_kit.errors import InvalidRequest, UpstreamFailed

RESULT = TensorDescription(name="image", dtype="UINT8", shape=(-1, 1))


def container(header: object, content: bytes = b"") -> bytes:
    """A body with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def entry(dtype: str = "U8", shape: object = (4,), offsets: object = (0, 4)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.linspace(0, 1, 7, dtype=np.float32),
        np.ones((2, 2), np.float16),
        np.array([-1, 2**40], np.int64),
        np.array([True, False]),
        np.array([[np.nan, np.inf]], np.float32),
        np.array(3, np.int32),
        np.zeros((0, 5), np.float64),
        np.arange(12, dtype=np.int16).reshape(3, 4).T,
        np.arange(3, dtype=">u4"),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}",
)
def test_array_comes_back_as_it_was(array: NDArray[Any]) -> None:
    found = tensors.decode(tensors.encode({"a": array})).arrays["a"]
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


def test_names_metadata_and_result_come_back() -> None:
    body = tensors.encode({"b": np.zeros(2, np.float32), "a": np.ones(3, np.uint8)}, RESULT, note="ä", kind="x")
    envelope = tensors.decode(body)
    assert set(envelope.arrays) == {"a", "b"}
    assert envelope.metadata["note"] == "ä"
    assert tensors.parse_result(envelope, TensorDescription) == RESULT


def test_no_arrays_at_all() -> None:
    assert tensors.decode(tensors.encode({}, only="text")) == tensors.Envelope({}, {"only": "text"})


def test_arrays_are_read_only_views_of_the_body() -> None:
    body = tensors.encode({"a": np.arange(1000, dtype=np.float32)})
    array = tensors.decode(body).arrays["a"]
    assert np.shares_memory(array, np.frombuffer(body, np.uint8))
    assert array.flags.aligned
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_other_safetensors_programs_read_it() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(safetensors.numpy.load(tensors.encode({"a": array}, note="x"))["a"], array)
    np.testing.assert_array_equal(tensors.decode(safetensors.numpy.save({"a": array})).arrays["a"], array)


def test_every_truncation_is_refused() -> None:
    body = tensors.encode({"a": np.arange(5, dtype=np.float32), "b": np.arange(3, dtype=np.uint8)}, note="x")
    for length in range(len(body)):
        with pytest.raises(InvalidRequest):
            tensors.decode(body[:length])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "shorter than its header"),
        (b"\x89PNG\r\n\x1a\n0000", "its header is over"),
        (container(b"{"), "not JSON"),
        (container(b"\xff\xfe"), "not JSON"),
        (container(b"[" * 100_000), "not JSON"),
        (container([1]), "not a JSON object"),
        (container({"__metadata__": {"a": 1}}), "must be texts"),
        (container({"__metadata__": ["a"]}), "must be texts"),
        (container({"a": 5}), "needs dtype, shape"),
        (container({"a": {"dtype": "U8", "shape": [1]}}), "needs dtype, shape"),
        (container({"a": entry(offsets=[0])}, b"1234"), "needs dtype, shape"),
        (container({"a": entry(dtype="BF16")}, b"1234"), "type that is not accepted"),
        (container({"a": entry(shape=[-4])}, b"1234"), "whole numbers"),
        (container({"a": entry(shape=[2.0, 2])}, b"1234"), "whole numbers"),
        (container({"a": entry(shape=[True, 4])}, b"1234"), "whole numbers"),
        (container({"a": entry(shape=[1] * 9)}, b"1"), "at most 8"),
        (container({"a": entry(shape=[2**40, 2**40], offsets=[0, 4])}, b"1234"), "does not match"),
        (container({"a": entry(offsets=[4, 0])}, b"1234"), "does not match"),
        (container({"a": entry(offsets=[-4, 0])}, b"1234"), "does not match"),
        (container({"a": entry()}, b"123"), "cut short inside an array"),
        (container({"a": entry()}, b"12345"), "longer than its arrays"),
        (container({"a": entry(), "b": entry()}, b"1234"), "overlap or leave a gap"),
        (container({"a": entry(), "b": entry(offsets=[5, 9])}, b"123456789"), "overlap or leave a gap"),
        (container({str(i): entry(shape=[0], offsets=[0, 0]) for i in range(65)}), "more than 64 arrays"),
    ],
)
def test_what_is_wrong_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        tensors.decode(body)


@given(st.binary(max_size=200), st.integers(0, 150))
def test_damaged_bodies_are_read_or_refused_and_nothing_else(noise: bytes, at: int) -> None:
    body = tensors.encode({"a": np.arange(6, dtype=np.float32)}, note="x")
    damaged = body[:at] + noise + body[at + len(noise) :]
    try:
        envelope = tensors.decode(damaged)
    except InvalidRequest:
        return
    assert sum(array.nbytes for array in envelope.arrays.values()) <= len(damaged)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "holds no result"),
        ({"result": "{}"}, "breaks the contract TensorDescription: name, dtype, shape"),
        ({"result": "nonsense"}, "breaks the contract"),
    ],
)
def test_result_that_breaks_the_contract(metadata: dict[str, str], reason: str) -> None:
    with pytest.raises(UpstreamFailed, match=reason):
        tensors.parse_result(tensors.Envelope({}, metadata), TensorDescription)
