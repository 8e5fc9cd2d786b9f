"""What a page must never do, noted while a test runs: errors, broken rules of its policy, requests to elsewhere."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

# The browser's own words about a broken policy do not always reach the console as an error.
_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} refused ${event.blockedURI} (line ${event.lineNumber})`));
"""
_INLINE = {"data", "blob", "about"}


class Watch:
    """Attached to a context before its first page.

    Attributes:
        faults: in words, in order.
        requests: addresses of everything that was asked for.
    """

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.faults: list[str] = []
        self.requests: list[str] = []
        self._origin = origin
        self._expected: list[re.Pattern[str]] = []
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def expect(self, pattern: str) -> None:
        """From now on faults that `pattern` is found in are what the test is about."""
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """The faults that no test asked for."""
        return [fault for fault in self.faults if not any(pattern.search(fault) for pattern in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self.faults.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme not in _INLINE and f"{parts.scheme}://{parts.netloc}" != self._origin:
            self.faults.append(f"outside request: {request.url}")
