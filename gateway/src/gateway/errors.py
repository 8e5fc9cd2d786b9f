"""The gateway's own errors, beside those of `service_kit.errors` and `gateway.imaging.errors`.

InvalidRequest                  invalid_request              422
  InvalidForm                   invalid_form                 422   the multipart body or one of its fields
  InvalidOptions                invalid_options              422
  InvalidClinicalRecord         invalid_clinical_record      422   carries the metadata service's field errors
  InvalidCursor                 invalid_cursor               422
  IdempotencyKeyReused          idempotency_key_reused       422
  InvalidWebhook                invalid_webhook              422
  InvalidSlice                  invalid_slice                422
  InvalidReview                 invalid_review               422
  NotComparable                 not_comparable               422
Conflict                        conflict                     409
  AlreadyFinished               already_finished             409
  RequestInProgress             request_in_progress          409
  AnalysisNotFinished           analysis_not_finished        409
  NotReviewable                 not_reviewable               409
QueueFull                       queue_full                   429
JobAbandoned                    job_abandoned                500   every try ended with its worker
JobTimedOut                     job_timed_out                504
"""

from collections.abc import Mapping, Sequence
from typing import Any

from service_kit.errors import Conflict, InvalidRequest, ServiceError


class InvalidForm(InvalidRequest):
    """The multipart form cannot be read, or holds what it must not."""

    code = "invalid_form"
    title = "The form cannot be followed"


class InvalidOptions(InvalidRequest):
    """The form field `options`."""

    code = "invalid_options"
    title = "The options cannot be followed"


class InvalidClinicalRecord(InvalidRequest):
    """The clinical record; `errors` is the list of fields at fault, without their values."""

    code = "invalid_clinical_record"
    title = "The clinical record cannot be used"

    def __init__(
        self, detail: str, *, errors: Sequence[Mapping[str, Any]] = (), stage: str | None = "clinical"
    ) -> None:
        super().__init__(detail, stage=stage)
        self.errors = tuple(errors)


class InvalidCursor(InvalidRequest):
    """A list cursor that this gateway did not hand out."""

    code = "invalid_cursor"
    title = "The cursor is not one of ours"


class IdempotencyKeyReused(InvalidRequest):
    """One Idempotency-Key, two different requests."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used with another body"


class AlreadyFinished(Conflict):
    """A finished analysis cannot be canceled."""

    code = "already_finished"
    title = "The analysis is finished"


class RequestInProgress(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "request_in_progress"
    title = "This request is being answered"


class InvalidWebhook(InvalidOptions):
    """The option `webhook`: not a URL that this site calls."""

    code = "invalid_webhook"
    title = "The webhook cannot be called"


class InvalidSlice(InvalidRequest):
    """What is to be drawn on a slice cannot be."""

    code = "invalid_slice"
    title = "The slice cannot be drawn so"


class NotComparable(InvalidRequest):
    """Two analyses that cannot be compared, and why."""

    code = "not_comparable"
    title = "The analyses cannot be compared"


class AnalysisNotFinished(Conflict):
    """It still waits or runs."""

    code = "analysis_not_finished"
    title = "The analysis is not finished"


class InvalidReview(InvalidRequest):
    """A review that cannot be kept."""

    code = "invalid_review"
    title = "The review cannot be kept"


class NotReviewable(Conflict):
    """It has no answer that could be reviewed, or has as many reviews as are kept."""

    code = "not_reviewable"
    title = "The analysis cannot be reviewed"


class QueueFull(ServiceError):
    """As many analyses wait as may wait."""

    code = "queue_full"
    title = "Too many analyses wait"
    status = 429
    retryable = True


class JobAbandoned(ServiceError):
    """Each worker that took the job ended before the job did."""

    code = "job_abandoned"
    title = "The analysis was given up"
    status = 500


class JobTimedOut(ServiceError):
    """The job took longer than a job may; it would again."""

    code = "job_timed_out"
    title = "The analysis took too long"
    status = 504
