"""Every error that a caller can meet. One tree; `service_kit.problems` renders it as RFC 9457 problem+json.

ServiceError                    code                      status  retryable
  InvalidRequest                invalid_request              422
    UnsupportedMedia            unsupported_media_type       415
    PayloadTooLarge             payload_too_large            413
  NotFound                      not_found                    404
  Unauthorized                  unauthorized                 401
  Forbidden                     forbidden                    403
  Conflict                      conflict                     409
  Overloaded                    overloaded                   503  yes
  NotReady                      not_ready                    503  yes
  DeadlineExceeded              deadline_exceeded            504  yes
  UpstreamFailed                upstream_failed              502
  ModelInvalid                  model_invalid                500
  InferenceFailed               inference_failed             500
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured on a request and the limit that it broke, for programs: `name` carries the unit."""

    name: str
    value: float
    limit: float


class ServiceError(Exception):
    """An answer other than success. `detail` is read by the caller: say what to fix, name no patient data.

    `retry_after_s` becomes the Retry-After header; `stage` says which part of the pipeline failed; `measurement` is
    the number behind a refusal, where there is one.
    """

    code = "internal_error"
    title = "Internal error"
    status = 500
    retryable = False

    def __init__(
        self,
        detail: str,
        *,
        stage: str | None = None,
        retry_after_s: int | None = None,
        measurement: Measurement | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.stage = stage
        self.retry_after_s = retry_after_s
        self.measurement = measurement


class InvalidRequest(ServiceError):
    """The request is understood and cannot be followed."""

    code = "invalid_request"
    title = "The request cannot be followed"
    status = 422


class UnsupportedMedia(InvalidRequest):
    """The body is of a kind that this call does not take."""

    code = "unsupported_media_type"
    title = "The file is of a kind that is not accepted"
    status = 415


class PayloadTooLarge(InvalidRequest):
    """More bytes, or more pixels, than the limit."""

    code = "payload_too_large"
    title = "The file is too large"
    status = 413


class NotFound(ServiceError):
    """No such thing, or no longer."""

    code = "not_found"
    title = "Not found"
    status = 404


class Unauthorized(ServiceError):
    """No credentials, or wrong ones."""

    code = "unauthorized"
    title = "Credentials are needed"
    status = 401


class Forbidden(ServiceError):
    """Known, but not allowed to."""

    code = "forbidden"
    title = "Not allowed"
    status = 403


class Conflict(ServiceError):
    """The thing is in a state that forbids this."""

    code = "conflict"
    title = "Conflict with the present state"
    status = 409


class Overloaded(ServiceError):
    """Too much at once: come again."""

    code = "overloaded"
    title = "Too many requests at once"
    status = 503
    retryable = True


class NotReady(ServiceError):
    """A part that this needs is starting, down or unreachable."""

    code = "not_ready"
    title = "A part of the system is not ready"
    status = 503
    retryable = True


class DeadlineExceeded(ServiceError):
    """The caller's deadline passed before the answer was there."""

    code = "deadline_exceeded"
    title = "The deadline has passed"
    status = 504
    retryable = True


class UpstreamFailed(ServiceError):
    """A service answered what it must not."""

    code = "upstream_failed"
    title = "A service inside the system failed"
    status = 502


class ModelInvalid(ServiceError):
    """A model on disk that cannot be served: wrong hash, wrong signature, unreadable manifest."""

    code = "model_invalid"
    title = "A model cannot be served"


class InferenceFailed(ServiceError):
    """The engine failed on input that it should take."""

    code = "inference_failed"
    title = "The model failed"
