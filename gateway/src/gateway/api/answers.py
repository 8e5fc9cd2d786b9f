"""How an analysis is answered with: finished, accepted, or once more."""

import json

from fastapi import Response
from starlette.status import HTTP_201_CREATED, HTTP_202_ACCEPTED

from gateway.artifacts import analysis_path
from gateway.schemas import FINAL_STATES

JSON = "application/json"


def created(analysis_id: str, document: bytes) -> Response:
    """201: it is finished."""
    headers = {"Location": analysis_path(analysis_id)}
    return Response(document, status_code=HTTP_201_CREATED, media_type=JSON, headers=headers)


def accepted(analysis_id: str, document: bytes, *, preferred: bool = True) -> Response:
    """202: it waits. `preferred`: because the request preferred it so (RFC 7240)."""
    headers = {"Location": analysis_path(analysis_id)}
    if preferred:
        headers["Preference-Applied"] = "respond-async"
    return Response(document, status_code=HTTP_202_ACCEPTED, media_type=JSON, headers=headers)


def replay(document: bytes, *, asynchronous: bool = False, preferred: bool = False) -> Response:
    """The first answer again: of a job its Location, with the analysis as it is now."""
    known = json.loads(document)
    unfinished = known["state"] not in FINAL_STATES
    if asynchronous or unfinished:
        answer = accepted(known["id"], document, preferred=preferred)
    else:
        answer = created(known["id"], document)
    answer.headers["Idempotency-Replayed"] = "true"
    return answer
