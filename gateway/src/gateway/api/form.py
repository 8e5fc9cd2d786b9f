"""A multipart form, read as it arrives: what must not be there is refused before its bytes are kept."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from gateway.errors import InvalidForm
from gateway.imaging.decode import Part
from service_kit.errors import PayloadTooLarge, UnsupportedMedia


@dataclass(frozen=True, slots=True)
class FormLimits:
    """What a form may hold: the names of its parts, how many, and how many bytes each."""

    files: frozenset[str] = frozenset({"file", "t1", "t1ce", "t2", "flair"})
    fields: frozenset[str] = frozenset({"clinical", "options"})
    max_parts: int = 16
    max_file_bytes: int = 64 * 2**20
    max_field_bytes: int = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Form:
    """The parts that are files, and the fields' text by name (each at most once)."""

    files: tuple[Part, ...]
    fields: dict[str, str]


async def read_form(content_type: str, stream: AsyncIterator[bytes], limits: FormLimits) -> Form:
    """Read `multipart/form-data`.

    Raises:
        UnsupportedMedia: the body is no form.
        InvalidForm: it is cut short or malformed, a name is unknown, a field is there twice, there are too many parts.
        PayloadTooLarge: a part has too many bytes.
    """
    kind, parameters = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise UnsupportedMedia("Send the body as multipart/form-data with a part 'file'.")
    boundary = parameters.get(b"boundary")
    if not boundary:
        raise InvalidForm("The Content-Type names no boundary: let the HTTP library write this header.")
    reader = _Reader(limits)
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        async for chunk in stream:
            if chunk:
                parser.write(chunk)
    except FormParserError as error:
        raise InvalidForm("The multipart body is malformed: let the HTTP library write it.") from error
    if not reader.complete:
        raise InvalidForm("The multipart body ends before its closing boundary: it was cut short.")
    return Form(tuple(reader.files), reader.fields)


class _Reader:
    """The parser's callbacks: collects one part after the other."""

    def __init__(self, limits: FormLimits) -> None:
        self._limits = limits
        self.files: list[Part] = []
        self.fields: dict[str, str] = {}
        self.complete = False
        self._begin()

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_text = b""
        self._name = ""
        self._filename = ""
        self._chunks: list[bytes] = []
        self._size = 0

    def _header_field(self, text: bytes, start: int, end: int) -> None:
        self._header_name += text[start:end]

    def _header_value(self, text: bytes, start: int, end: int) -> None:
        self._header_text += text[start:end]

    def _header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_text
        self._header_name = self._header_text = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise InvalidForm("A part has no name in its Content-Disposition header.")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._filename = options.get(b"filename", b"").decode("utf-8", "replace")
        limits = self._limits
        if self._name not in limits.files and self._name not in limits.fields:
            allowed = ", ".join([*sorted(limits.files), *sorted(limits.fields)])
            raise InvalidForm(f"A part's name is not known. Allowed are: {allowed}.")
        if self._name in self.fields:
            raise InvalidForm(f"The field '{self._name}' came more than once.")
        if len(self.files) + len(self.fields) >= limits.max_parts:
            raise InvalidForm(f"More than {limits.max_parts} parts were sent.")

    def _part_data(self, content: bytes, start: int, end: int) -> None:
        self._size += end - start
        is_file = self._name in self._limits.files
        most = self._limits.max_file_bytes if is_file else self._limits.max_field_bytes
        if self._size > most:
            raise PayloadTooLarge(f"The part '{self._name}' has more than {most} bytes.")
        self._chunks.append(content[start:end])

    def _part_end(self) -> None:
        content = b"".join(self._chunks)
        self._chunks = []
        if self._name in self._limits.files:
            kind = self._headers.get(b"content-type", b"").decode("latin-1") or None
            self.files.append(Part(self._name, self._filename, content, kind))
            return
        try:
            self.fields[self._name] = content.decode()
        except UnicodeDecodeError as error:
            raise InvalidForm(f"The field '{self._name}' is not UTF-8 text.") from error

    def _end(self) -> None:
        self.complete = True
