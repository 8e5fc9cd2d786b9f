"""A small JSON body: read up to a limit, strictly, and checked by a model."""

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from gateway.api.strict_json import Json, NotStrict, parse_object
from service_kit.errors import InvalidRequest, PayloadTooLarge, UnsupportedMedia

JSON = "application/json"
_Model = TypeVar("_Model", bound=BaseModel)
_MOST_FAULTS = 8
_MOST_CHARACTERS = 40


async def read_object(request: Request, *, max_bytes: int) -> Json:
    """The body, one JSON object.

    Raises:
        UnsupportedMedia: it is not said to be JSON.
        PayloadTooLarge: it has more than `max_bytes`.
        NotStrict: it is no strict JSON, or no object.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMedia(f"Send the body as {JSON}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise PayloadTooLarge(f"The body may have {max_bytes} bytes.")
    return parse_object(body)


async def read_model(
    request: Request, model: type[_Model], *, max_bytes: int, refusal: type[InvalidRequest] = InvalidRequest
) -> _Model:
    """The body as `model`. Raises what `read_object` does; `refusal` names each wrong field, without its value."""
    try:
        return model.model_validate(await read_object(request, max_bytes=max_bytes), strict=True)
    except NotStrict as error:
        raise refusal(f"The body is {error}.") from error
    except ValidationError as error:
        faults = "; ".join(_fault(item, model) for item in error.errors()[:_MOST_FAULTS])
        raise refusal(f"{faults}.") from None


def _fault(item: Any, model: type[BaseModel]) -> str:
    name = ".".join(str(part)[:_MOST_CHARACTERS] for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"'{name}' is not known; there are {', '.join(model.model_fields)}"
    said = str(item["msg"]).removeprefix("Value error, ")
    return f"{name}: {said}" if name else said
