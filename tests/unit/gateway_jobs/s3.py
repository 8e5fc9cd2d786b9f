"""As much of S3 as our client speaks: put, get, list and delete many, on a real socket. Signatures are not checked."""

import contextlib
import threading
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_LIST = "<Contents><Key>{}</Key><Size>{}</Size><LastModified>{}</LastModified></Contents>"
MODIFIED = "2026-01-02T03:04:05.000Z"


@contextlib.contextmanager
def serving_s3(objects: dict[str, bytes]) -> Iterator[str]:
    """Its URL; `objects` are what it holds, by `/bucket/key`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            objects[self._place().path] = self.rfile.read(int(self.headers["content-length"]))
            self._answer(200, headers={"ETag": '"1"'})

        def do_GET(self) -> None:
            place = self._place()
            if "list-type=2" in place.query:
                prefix = urllib.parse.parse_qs(place.query).get("prefix", [""])[0]
                start = f"{place.path.rstrip('/')}/"
                names = sorted(path.removeprefix(start) for path in objects if path.startswith(start + prefix))
                entries = "".join(_LIST.format(name, len(objects[start + name]), MODIFIED) for name in names)
                self._answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>")
            elif place.path in objects:
                self._answer(
                    200, objects[place.path], {"ETag": '"1"', "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}
                )
            else:
                self._answer(404, "<Error><Code>NoSuchKey</Code></Error>")

        def do_POST(self) -> None:
            asked = ET.fromstring(self.rfile.read(int(self.headers["content-length"])))  # noqa: S314 - our own client
            names = [entry.text or "" for entry in asked.iter() if entry.tag.endswith("Key")]
            for name in names:
                objects.pop(f"{self._place().path.rstrip('/')}/{name}", None)
            deleted = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
            self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>")

        def _place(self) -> urllib.parse.SplitResult:
            return urllib.parse.urlsplit(urllib.parse.unquote(self.path))

        def _answer(self, status: int, body: str | bytes = b"", headers: dict[str, str] | None = None) -> None:
            content = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
