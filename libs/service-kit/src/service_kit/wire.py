"""Named arrays over HTTP: reading them from a request, answering with them, and saying so in OpenAPI."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel

from service_kit.errors import UnsupportedMedia
from service_kit.tensors import MEDIA_TYPE, Envelope, decode


class EnvelopeResponse(Response):
    """A body of named arrays, as `service_kit.tensors.encode` makes it."""

    media_type = MEDIA_TYPE


async def read_envelope(request: Request) -> Envelope:
    """The arrays of the request's body; they are views into it and read-only.

    Raises:
        UnsupportedMedia: the body is of another content type.
        InvalidRequest: the body is no such container, or cut off.
    """
    _check_media_type(request)
    return decode(await request.body())


async def read_large_envelope(request: Request) -> Envelope:
    """As `read_envelope`, but the body lies in memory once: no chunks beside it, and the request does not keep it."""
    _check_media_type(request)
    # The edge has refused a length beyond its limit; memory that nothing is written to costs nothing.
    declared = request.headers.get("content-length", "")
    body = bytearray(int(declared) if declared.isdigit() else 0)
    at = 0
    async for chunk in request.stream():
        body[at : at + len(chunk)] = chunk
        at += len(chunk)
    del body[at:]
    return decode(body)


def envelope_body(description: str) -> dict[str, Any]:
    """`openapi_extra` of a call that reads named arrays; `description` lists them."""
    return {"requestBody": {"required": True, "description": description, "content": _content()}}


def envelope_answer(description: str, example: BaseModel) -> dict[int | str, dict[str, Any]]:
    """`responses` of a call that answers with named arrays.

    The answer proper is JSON in the container's metadata, under `result`: its schema and an example are in the
    vendor fields `x-result-schema` and `x-result-example`, for OpenAPI has no word for JSON inside a binary.
    """
    content = _content()
    content[MEDIA_TYPE]["x-result-schema"] = type(example).model_json_schema()
    content[MEDIA_TYPE]["x-result-example"] = example.model_dump(mode="json")
    return {200: {"description": description, "content": content}}


def _check_media_type(request: Request) -> None:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != MEDIA_TYPE:
        raise UnsupportedMedia(f"send the arrays as {MEDIA_TYPE} (safetensors), with that content type")


def _content() -> dict[str, dict[str, Any]]:
    schema: Mapping[str, str] = {"type": "string", "format": "binary"}
    return {MEDIA_TYPE: {"schema": dict(schema)}}
