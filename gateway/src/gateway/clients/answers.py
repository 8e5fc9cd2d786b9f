"""Reading what a service answered: what does not hold its contract is the system's fault, not the caller's."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gateway.clients.upstream import Refused
from service_kit import tensors
from service_kit.contracts.common import StageName
from service_kit.contracts.models import ServedModel, ServedModels
from service_kit.errors import InvalidRequest, ServiceError, UpstreamFailed

Result = TypeVar("Result", bound=BaseModel)


def decoded(
    body: bytes, result_type: type[Result], arrays: set[str], *, stage: StageName
) -> tuple[tensors.Envelope, Result]:
    """An envelope that holds `arrays`, and its result.

    Raises:
        UpstreamFailed: it is not that.
    """
    try:
        envelope = tensors.decode(body)
        result = tensors.parse_result(envelope, result_type)
    except (InvalidRequest, UpstreamFailed) as error:
        raise UpstreamFailed("A service's answer cannot be read.", stage=stage) from error
    missing = arrays - envelope.arrays.keys()
    if missing:
        raise UpstreamFailed(f"A service's answer lacks the array {min(missing)}.", stage=stage)
    return envelope, result


def parsed(body: bytes, result_type: type[Result], *, stage: StageName) -> Result:
    """A JSON answer.

    Raises:
        UpstreamFailed: it does not hold its contract.
    """
    try:
        return result_type.model_validate_json(body)
    except ValidationError as error:
        raise UpstreamFailed("A service's answer cannot be read.", stage=stage) from error


def listed(body: bytes, stage: StageName) -> tuple[ServedModel, ...]:
    """The models of `stage` in a service's list, the default first."""
    models = parsed(body, ServedModels, stage=stage).models
    return tuple(model for model in models if model.ref.stage == stage)


def declined(refusal: Refused, stage: StageName, model: str | None) -> ServiceError:
    """What a 422 means: the model that the caller pinned does not fit; else we sent what we must not."""
    if model is not None:
        return InvalidRequest(refusal.detail, stage=stage)
    return UpstreamFailed("A service refused what the gateway sent.", stage=stage)
