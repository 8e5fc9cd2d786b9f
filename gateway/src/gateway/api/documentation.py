"""What OpenAPI says of bodies that the routes read and write by themselves; and the page that shows it."""

from typing import Any

from pydantic import BaseModel

from gateway.schemas import AnalysisOptions
from service_kit.contracts.clinical import ClinicalRecord

_FILE = {"type": "string", "format": "binary"}
_SEQUENCES = ("t1", "t1ce", "t2", "flair")
CREATE_HEADERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Sent again with the same body, the first answer is given again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
        {
            "name": "Prefer",
            "in": "header",
            "description": "`respond-async`: answer 202 at once, and analyze later (RFC 7240).",
            "schema": {"type": "string"},
            "example": "respond-async",
        },
    ]
}
"""`openapi_extra`: the headers are read by the route itself."""


def json_answer(
    model: type[BaseModel], description: str, *, status: int = 200, location: bool = False
) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers with `model` as JSON."""
    answer: dict[str, Any] = {"model": model, "description": description}
    if location:
        answer["headers"] = {"Location": {"description": "Path of the analysis", "schema": {"type": "string"}}}
    return {status: answer}


def accepted_answer(model: type[BaseModel], finished: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that may answer later; `finished` is the example of what comes of it."""
    told = "The analysis waits: read it at Location, or follow its events"
    answer = json_answer(model, told, status=202, location=True)
    answer[202]["content"] = {"application/json": {"example": _waiting(finished)}}
    return answer


def _waiting(finished: dict[str, Any]) -> dict[str, Any]:
    """The example of a finished analysis as it was before."""
    here = finished["links"]["self"]
    kept = {name: finished[name] for name in ("id", "created_at", "problem", "disclaimer")}
    empty: dict[str, Any] = {name: [] if isinstance(value, list) else None for name, value in finished.items()}
    return (
        empty
        | kept
        | {
            "state": "queued",
            "progress": {"stage": "decode", "done": 0, "total": 1},
            "links": {"self": here, "events": f"{here}/events"},
        }
    )


def binary_answer(description: str, *media_types: str) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers with bytes of one of these types."""
    return {200: {"description": description, "content": {name: {"schema": _FILE} for name in media_types}}}


def form_body(*, record: bool = True) -> dict[str, Any]:
    """`openapi_extra` of a route that takes a scan as a form."""
    properties: dict[str, Any] = {
        "file": {**_FILE, "description": "A slice: PNG, JPEG, WebP, TIFF, BMP, or single-frame DICOM"},
        **{name: {**_FILE, "description": f"The same slice as {name}, instead of `file`"} for name in _SEQUENCES},
        "options": AnalysisOptions.model_json_schema(),
    }
    encoding = {"options": {"contentType": "application/json"}}
    if record:
        schema = ClinicalRecord.model_json_schema()
        schema["examples"] = [{"age": 61, "sex": "female"}]
        properties["clinical"] = schema
        encoding["clinical"] = {"contentType": "application/json"}
    schema = {"type": "object", "properties": properties}
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}
    }


def json_body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads `model` as JSON by itself."""
    content = {"application/json": {"schema": model.model_json_schema(), "example": example}}
    return {"requestBody": {"required": True, "content": content}}
