"""Multipart forms, good and bad."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.api.form import Form, FormLimits, read_form
from gateway.api.sinks import MemorySink
from gateway.errors import InvalidForm
from gateway.imaging.decode import Part
from service_kit.errors import PayloadTooLarge, ServiceError, UnsupportedMedia

LIMITS = FormLimits(max_parts=3, max_file_bytes=1000, max_field_bytes=50)
BOUNDARY = "frontier"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    end = f'; filename="{filename}"' if filename is not None else ""
    header = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{end}\r\n\r\n'
    return header.encode() + content + b"\r\n"


async def read(
    body: bytes, *, step: int = 7, kind: str = f"multipart/form-data; boundary={BOUNDARY}"
) -> tuple[Form, list[Part]]:
    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]

    sink = MemorySink()
    return await read_form(kind, stream(), LIMITS, sink), sink.parts


def closed(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("step", [1, 2, 13, 10_000])
async def test_files_and_fields_are_read_however_the_bytes_arrive(step: int) -> None:
    content = bytes(range(256)) + b"\r\n--" + b"\r\n--fronti"
    form, parts = await read(
        closed(part("file", content, "a b.png"), part("options", b'{"segment":"never"}')), step=step
    )
    assert [(item.name, item.filename, item.content) for item in parts] == [("file", "a b.png", content)]
    assert form.fields == {"options": '{"segment":"never"}'}


async def test_what_an_http_library_writes_is_read() -> None:
    request = httpx.Request(
        "POST", "http://gateway/", files={"t1": ("ä.png", b"123", "image/png")}, data={"clinical": "{}"}
    )
    form, (sent,) = await read(request.read(), kind=request.headers["content-type"])
    assert sent.content_type == "image/png"
    assert sent.filename == "ä.png"
    assert form.fields == {"clinical": "{}"}


async def test_a_field_may_come_as_a_file() -> None:
    form, _ = await read(closed(part("clinical", b'{"age": 3}', "record.json")))
    assert form.fields == {"clinical": '{"age": 3}'}


@pytest.mark.parametrize(
    ("body", "kind", "error", "words"),
    [
        (b"{}", "application/json", UnsupportedMedia, "multipart/form-data"),
        (b"", "", UnsupportedMedia, "multipart/form-data"),
        (b"", "multipart/form-data", InvalidForm, "boundary"),
        (b"x", f"multipart/form-data; boundary={'b' * 300}", InvalidForm, "malformed"),
        (b"no form at all", None, InvalidForm, "malformed"),
        (b"", None, InvalidForm, "cut short"),
        (part("file", b"123", "a.png"), None, InvalidForm, "cut short"),
        (closed(part("image", b"123", "a.png")), None, InvalidForm, "clinical, options"),
        (closed(b"--frontier\r\n\r\n123\r\n"), None, InvalidForm, "no name"),
        (closed(part("options", b"{}"), part("options", b"{}")), None, InvalidForm, "more than once"),
        (closed(*[part("file", b"1", "a")] * 4), None, InvalidForm, "More than 3 parts"),
        (closed(part("file", bytes(1001), "a")), None, PayloadTooLarge, "more than 1000 bytes"),
        (closed(part("clinical", b" " * 51)), None, PayloadTooLarge, "more than 50 bytes"),
        (closed(part("options", b"\xff\xfe{}")), None, InvalidForm, "UTF-8"),
    ],
)
async def test_a_bad_form_is_refused(body: bytes, kind: str | None, error: type[ServiceError], words: str) -> None:
    with pytest.raises(error, match=words):
        await (read(body) if kind is None else read(body, kind=kind))


async def test_an_unknown_part_is_refused_before_its_bytes_are_read() -> None:
    read_bytes = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal read_bytes
        yield part("malware", b"", "a")[:-2]
        for _ in range(1000):
            read_bytes += 1000
            yield bytes(1000)

    with pytest.raises(InvalidForm):
        await read_form(f"multipart/form-data; boundary={BOUNDARY}", stream(), LIMITS, MemorySink())
    assert read_bytes == 0


async def test_the_fingerprint_is_that_of_the_content() -> None:
    def body(content: bytes, filename: str) -> bytes:
        return closed(part("file", content, filename), part("options", b"{}"))

    first, again = await read(body(b"123", "a.png")), await read(body(b"123", "b.png"), step=1)
    other = await read(body(b"124", "a.png"))
    assert first[0].fingerprint() == again[0].fingerprint() != other[0].fingerprint()
