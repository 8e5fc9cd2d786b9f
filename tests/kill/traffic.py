"""A client that does not give up before its job is accepted, and a receiver that notes every call."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.unit.gateway_imaging import pictures

_GIVE_UP_S = 180.0
_TRY_AGAIN = frozenset({409, 429, 503, 504})


def accept(url: str, number: int, webhook: str) -> str:
    """The Location of job `number`; sent again, with the same key, until there is an answer that stays."""
    content = pictures.save(pictures.gray8(), "PNG")
    headers = {"Prefer": "respond-async", "Idempotency-Key": f"kill-{number}"}
    options = f'{{"webhook": "{webhook}", "segment": "always"}}'
    give_up = time.monotonic() + _GIVE_UP_S
    with httpx.Client(trust_env=False, timeout=20) as client:
        while time.monotonic() < give_up:
            with contextlib.suppress(httpx.TransportError):
                answer = client.post(
                    f"{url}/v1/analyses", files={"file": content}, data={"options": options}, headers=headers
                )
                if answer.status_code == 202:
                    return str(answer.headers["location"])
                if answer.status_code not in _TRY_AGAIN:
                    raise RuntimeError(f"job {number}: {answer.status_code} {answer.text}")
            time.sleep(0.3)
    raise RuntimeError(f"job {number} was not accepted in {_GIVE_UP_S:.0f} s")


@contextlib.contextmanager
def receiver() -> Iterator[tuple[int, Counter[str]]]:
    """The port, and how often each webhook id came."""
    calls: Counter[str] = Counter()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            with lock:
                calls[self.headers["webhook-id"]] += 1
            with contextlib.suppress(ConnectionError):  # the caller was killed
                self.send_response(204)
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
