"""A multipart form, read as it arrives: what must not be there is refused before its bytes are kept."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from gateway.errors import InvalidForm
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
class FileHead:
    """What a part says of its file before its bytes come; all of it is the client's claim."""

    name: str
    filename: str
    content_type: str | None


class FileSink(Protocol):
    """Takes the files of a form, one after the other, while they arrive."""

    async def begin(self, head: FileHead) -> None:
        """The next file."""

    async def write(self, chunk: bytes) -> None:
        """More of its bytes."""

    async def end(self) -> None:
        """It is whole."""

    async def abort(self) -> None:
        """No more will come: the body was refused. Also called when no file was begun."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields' text by name (each at most once), and of each file its name, size in bytes and SHA-256."""

    files: tuple[tuple[str, int, str], ...]
    fields: dict[str, str]

    def fingerprint(self) -> str:
        """Hex digest that two forms of the same content share, whatever the boundary between their parts."""
        digest = hashlib.sha256()
        for name, size_bytes, sha256 in self.files:
            digest.update(f"{name} {size_bytes} {sha256}\n".encode())
        for name, text in sorted(self.fields.items()):
            digest.update(f"{name} {len(text)}\n{text}".encode())
        return digest.hexdigest()


async def read_form(
    content_type: str, stream: AsyncIterator[bytes], limits: FormLimits, sink: FileSink, *, hashed: bool = True
) -> Form:
    """Read `multipart/form-data`; the files go to `sink` as they arrive. Without `hashed` the digests are empty.

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
    reader = _Reader(limits, hashed=hashed)
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        async for chunk in stream:
            if chunk:
                parser.write(chunk)
                await reader.drain(sink)
        reader.finish()
    except FormParserError as error:
        await sink.abort()
        raise InvalidForm("The multipart body is malformed: let the HTTP library write it.") from error
    except BaseException:
        await sink.abort()
        raise
    return Form(tuple(reader.files), reader.fields)


class _Reader:
    """The parser's callbacks: collects one part after the other."""

    def __init__(self, limits: FormLimits, *, hashed: bool) -> None:
        self._limits = limits
        self._hashed = hashed
        self.files: list[tuple[str, int, str]] = []
        self.fields: dict[str, str] = {}
        self._complete = False
        # What the parser, which cannot wait, has found since the last `drain`.
        self._arrived: list[FileHead | bytes | None] = []
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
        self._chunks: list[bytes] = []
        self._size = 0
        self._digest = hashlib.sha256()

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
        limits = self._limits
        if self._name not in limits.files and self._name not in limits.fields:
            allowed = ", ".join([*sorted(limits.files), *sorted(limits.fields)])
            raise InvalidForm(f"A part's name is not known. Allowed are: {allowed}.")
        if self._name in self.fields:
            raise InvalidForm(f"The field '{self._name}' came more than once.")
        if len(self.files) + len(self.fields) >= limits.max_parts:
            raise InvalidForm(f"More than {limits.max_parts} parts were sent.")
        if self._name in limits.files:
            filename = options.get(b"filename", b"").decode("utf-8", "replace")
            kind = self._headers.get(b"content-type", b"").decode("latin-1") or None
            self._arrived.append(FileHead(self._name, filename, kind))

    def _part_data(self, content: bytes, start: int, end: int) -> None:
        self._size += end - start
        is_file = self._name in self._limits.files
        most = self._limits.max_file_bytes if is_file else self._limits.max_field_bytes
        if self._size > most:
            raise PayloadTooLarge(f"The part '{self._name}' has more than {most} bytes.")
        if is_file:
            if self._hashed:
                self._digest.update(memoryview(content)[start:end])
            self._arrived.append(content[start:end])
        else:
            self._chunks.append(content[start:end])

    def _part_end(self) -> None:
        if self._name in self._limits.files:
            self.files.append((self._name, self._size, self._digest.hexdigest() if self._hashed else ""))
            self._arrived.append(None)
            return
        try:
            self.fields[self._name] = b"".join(self._chunks).decode()
        except UnicodeDecodeError as error:
            raise InvalidForm(f"The field '{self._name}' is not UTF-8 text.") from error

    def finish(self) -> None:
        """The body has ended. Raises `InvalidForm` where it should have gone on."""
        if not self._complete:
            raise InvalidForm("The multipart body ends before its closing boundary: it was cut short.")

    async def drain(self, sink: FileSink) -> None:
        """Pass on what has arrived."""
        arrived, self._arrived = self._arrived, []
        for item in arrived:
            if item is None:
                await sink.end()
            elif isinstance(item, bytes):
                await sink.write(item)
            else:
                await sink.begin(item)

    def _end(self) -> None:
        self._complete = True
