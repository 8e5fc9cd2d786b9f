"""A file as an answer, with a tag by which a browser asks whether it changed."""

import hashlib
from collections.abc import Mapping

from fastapi import Response
from starlette.status import HTTP_304_NOT_MODIFIED

# What a hospital keeps of a patient belongs into no shared cache; an erased analysis is not shown from a private one.
_CACHE = "private, no-cache"


def file_answer(
    content: bytes, media_type: str, known_tags: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """200 with the file, or 304 where `known_tags` (If-None-Match) names it."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    sent = {"ETag": tag, "Cache-Control": _CACHE, **(headers or {})}
    if known_tags is not None and (known_tags.strip() == "*" or tag in known_tags):
        return Response(status_code=HTTP_304_NOT_MODIFIED, headers=sent)
    return Response(content, media_type=media_type, headers=sent)
