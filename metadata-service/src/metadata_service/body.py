"""The body of a clinical request: strict JSON, one object, every name once."""

import json
from typing import Any, NoReturn

from service_kit.errors import InvalidRequest, UnsupportedMedia


def check_content_type(content_type: str | None) -> None:
    """Accept `application/json` and its kin (`application/fhir+json`).

    Raises:
        UnsupportedMedia: the body is of another kind.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (media_type.startswith("application/") and media_type[-5:] == "+json"):
        raise UnsupportedMedia("send the clinical record as application/json")


def parse_object(body: bytes) -> dict[str, Any]:
    """Read the one JSON object of a body.

    Raises:
        InvalidRequest: no JSON, no object, NaN or an infinity in it, or a name that stands twice.
    """
    try:
        found = json.loads(body, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except InvalidRequest:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("the body is not JSON; an empty record is {}") from error
    if not isinstance(found, dict):
        raise InvalidRequest("the body must be one JSON object; an empty record is {}")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidRequest("NaN and Infinity are no values: leave out what is not known")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidRequest("a name stands twice in the record: keep one")
    return found
