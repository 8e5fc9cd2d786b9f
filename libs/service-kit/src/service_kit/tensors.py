"""Named arrays on the wire: the safetensors format, which holds numbers and text and can hold nothing else.

A body is an 8-byte length, a JSON header (names, types, shapes, places, text metadata) and the arrays' bytes.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from safetensors.numpy import save

from service_kit.errors import InvalidRequest, UpstreamFailed

MEDIA_TYPE = "application/x-safetensors"

MAX_HEADER_BYTES = 1 << 20
MAX_ARRAYS = 64
MAX_DIMENSIONS = 8
_LENGTH_BYTES = 8
_DTYPES: dict[str, np.dtype[Any]] = {
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "BOOL": np.dtype(np.bool_),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Arrays and text as they were received. The arrays are read-only views of the body."""

    arrays: dict[str, NDArray[Any]]
    metadata: dict[str, str]


def encode(arrays: Mapping[str, NDArray[Any]], result: BaseModel | None = None, **metadata: str) -> bytes:
    """One body of named arrays, with `result` as JSON in the metadata beside other texts."""
    if result is not None:
        metadata["result"] = result.model_dump_json()
    return save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata or None)


def encode_parts(
    arrays: Mapping[str, NDArray[Any]], result: BaseModel | None = None, **metadata: str
) -> list[memoryview]:
    """A body as `encode` makes one, in parts that share the arrays' memory: for arrays too large to be copied."""
    if result is not None:
        metadata["result"] = result.model_dump_json()
    # The widest first: then each lies at a multiple of its width.
    ready = {name: np.asarray(array, array.dtype.newbyteorder("<"), order="C") for name, array in arrays.items()}
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    parts: list[memoryview] = []
    at = 0
    for name, array in sorted(ready.items(), key=lambda item: (-item[1].itemsize, item[0])):
        end = at + array.nbytes
        header[name] = {"dtype": _NAMES[array.dtype], "shape": array.shape, "data_offsets": (at, end)}
        parts.append(array.reshape(-1).view(np.uint8).data)
        at = end
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)
    return [memoryview(len(text).to_bytes(_LENGTH_BYTES, "little") + text), *parts]


def decode(body: bytes | bytearray) -> Envelope:
    """Read a body without copying the arrays. Values (NaN, infinity) are not looked at.

    Raises:
        InvalidRequest: cut short, or not of this format, or beyond its limits.
    """
    if len(body) < _LENGTH_BYTES:
        raise InvalidRequest(f"the body is not {MEDIA_TYPE}: it is shorter than its header")
    header_bytes = int.from_bytes(body[:_LENGTH_BYTES], "little")
    if header_bytes > MAX_HEADER_BYTES:
        raise InvalidRequest(f"the body is not {MEDIA_TYPE}, or its header is over {MAX_HEADER_BYTES} bytes")
    start = _LENGTH_BYTES + header_bytes
    if start > len(body):
        raise InvalidRequest("the body is cut short inside its header")
    try:
        header = json.loads(body[_LENGTH_BYTES:start])
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"the body is not {MEDIA_TYPE}: its header is not JSON") from error
    if not isinstance(header, dict):
        raise InvalidRequest(f"the body is not {MEDIA_TYPE}: its header is not a JSON object")
    metadata = _metadata(header.pop("__metadata__", {}))
    if len(header) > MAX_ARRAYS:
        raise InvalidRequest(f"the body holds more than {MAX_ARRAYS} arrays")
    arrays: dict[str, NDArray[Any]] = {}
    content = memoryview(body).toreadonly()
    places: list[tuple[int, int]] = []
    for name, entry in header.items():
        dtype, shape, begin, end = _entry(entry)
        if start + end > len(body):
            raise InvalidRequest("the body is cut short inside an array")
        places.append((begin, end))
        arrays[name] = np.frombuffer(content, dtype, math.prod(shape), start + begin).reshape(shape)
    _check_places(places, len(body) - start)
    return Envelope(arrays, metadata)


def parse_result(envelope: Envelope, type_: type[ModelT]) -> ModelT:
    """The result that a service put beside its arrays.

    Raises:
        UpstreamFailed: it is missing, or not what the contract says.
    """
    text = envelope.metadata.get("result")
    if text is None:
        raise UpstreamFailed("the answer of a service holds no result")
    try:
        return type_.model_validate_json(text)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) or "result" for item in error.errors()[:5])
        raise UpstreamFailed(f"the answer of a service breaks the contract {type_.__name__}: {fields}") from error


def _metadata(found: object) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidRequest(f"the body is not {MEDIA_TYPE}: its metadata must be texts by name")
    return found


def _entry(entry: object) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """Type, shape and place of one array, checked to agree with each other."""
    match entry:
        case {"dtype": str(type_name), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            pass
        case _:
            raise InvalidRequest(f"the body is not {MEDIA_TYPE}: an array needs dtype, shape and data_offsets")
    dtype = _DTYPES.get(type_name)
    if dtype is None:
        raise InvalidRequest(f"an array is of a type that is not accepted; accepted: {', '.join(_DTYPES)}")
    if len(shape) > MAX_DIMENSIONS or not all(type(size) is int and size >= 0 for size in shape):
        raise InvalidRequest(f"an array's shape must be at most {MAX_DIMENSIONS} whole numbers")
    if not 0 <= begin <= end or end - begin != math.prod(shape) * dtype.itemsize:
        raise InvalidRequest("an array's shape does not match the bytes that it is given")
    return dtype, tuple(shape), begin, end


def _check_places(places: list[tuple[int, int]], available: int) -> None:
    """Arrays lie one behind the other and fill the body: no hidden bytes, no byte read twice."""
    expected = 0
    for begin, end in sorted(places):
        if begin != expected:
            raise InvalidRequest("the arrays overlap or leave a gap")
        expected = end
    if expected != available:
        raise InvalidRequest("the body is longer than its arrays")
