"""What comes in with a scan: the form's parts as a study, options and a record, each checked."""

import asyncio
import hashlib
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from gateway.api.form import Form, FormLimits, read_form
from gateway.api.strict_json import NotStrict, parse_object
from gateway.door import check_body_part
from gateway.errors import InvalidClinicalRecord, InvalidOptions
from gateway.findings import BareFile
from gateway.imaging.bare import strip_picture
from gateway.imaging.decode import DecodeLimits, decode_study
from gateway.imaging.door import check_study
from gateway.imaging.study import Study
from gateway.schemas import AnalysisOptions
from gateway.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it was sent; `record` is None without the field `clinical`."""

    form: Form
    options: AnalysisOptions
    record: dict[str, Any] | None

    def fingerprint(self) -> str:
        """Hex digest that two submissions of the same content share, whatever the boundary between their parts."""
        digest = hashlib.sha256()
        for part in self.form.files:
            digest.update(f"{part.name} {len(part.content)}\n".encode())
            digest.update(part.content)
        for name, text in sorted(self.form.fields.items()):
            digest.update(f"{name} {len(text)}\n{text}".encode())
        return digest.hexdigest()


class Intake:
    """Reads submissions and decodes their pictures in threads of its own, off the event loop."""

    def __init__(self, form: FormLimits, decode: DecodeLimits, threads: Executor) -> None:
        self._form = form
        self._decode = decode
        self._threads = threads

    async def read(self, request: Request) -> Submission:
        """The request's form.

        Raises:
            UnsupportedMedia, InvalidForm, PayloadTooLarge: see `read_form`.
            InvalidOptions, InvalidClinicalRecord: a field is no strict JSON, or holds unknown or wrong options.
        """
        form = await read_form(request.headers.get("content-type", ""), request.stream(), self._form)
        return Submission(form, _options(form.fields.get("options")), _record(form.fields.get("clinical")))

    async def decode(self, submission: Submission, watch: Stopwatch) -> tuple[Study, BareFile | None]:
        """The study, and its file without metadata. Raises the errors of `gateway.imaging.errors`."""
        with watch.span("decode"):
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._decode_now, submission.form, submission.options
            )

    def _decode_now(self, form: Form, options: AnalysisOptions) -> tuple[Study, BareFile | None]:
        study = decode_study(form.files, sequence=options.sequence, limits=self._decode)
        check_study(study)
        check_body_part(study.body_part)
        return study, strip_picture(form.files[0].content, study.format) if len(form.files) == 1 else None


_DEFAULT_OPTIONS = AnalysisOptions()


def _options(text: str | None) -> AnalysisOptions:
    if text is None:
        return _DEFAULT_OPTIONS
    try:
        return AnalysisOptions.model_validate(parse_object(text), strict=True)
    except NotStrict as error:
        raise InvalidOptions(f"options: {error}.") from error
    except ValidationError as error:
        raise InvalidOptions(f"options: {'; '.join(_fault(item) for item in error.errors()[:8])}.") from None


def _fault(item: Any) -> str:
    name = ".".join(str(part)[:40] for part in item["loc"] if part != "[key]")
    if item["type"] == "extra_forbidden":
        return f"'{name}' is not an option; there are {', '.join(AnalysisOptions.model_fields)}"
    return f"{name}: {item['msg']}" if name else str(item["msg"]).removeprefix("Value error, ")


def _record(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        return parse_object(text)
    except NotStrict as error:
        raise InvalidClinicalRecord(f"clinical: {error}.") from error
