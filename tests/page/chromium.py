"""The Chromium of the page's tests: where it is, how it is installed, how it is started.

`python -m tests.page.chromium` finds one or installs one (`make test` does so).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Letters of both languages: a bare container has no fonts at all.
_PACKAGES = ("chromium", "fonts-dejavu-core")
_FLAGS = (
    "--no-sandbox",
    # WebGL2 without a graphics card.
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
MISSING = "no Chromium here: python -m tests.page.chromium installs one (it needs apt-get as root, or a network)"


def installed(playwright: Playwright) -> Path | None:
    """The system's Chromium, else the one that Playwright installed, else None."""
    for command in _COMMANDS:
        if found := shutil.which(command):
            return Path(found)
    own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def launch(playwright: Playwright, executable: Path) -> Browser:
    """A headless browser with a profile of its own, gone when it is closed."""
    return playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))


def install() -> bool:
    """By apt-get where that may be done without asking anybody, else by Playwright. Returns whether one is there."""
    if (apt := shutil.which("apt-get")) and (root := _as_root()) is not None:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*root, apt, "update", "-qq"], check=False)
        arguments = ["install", "-y", "-qq", "--no-install-recommends", *_PACKAGES]
        subprocess.run([*root, apt, *arguments], check=False, stdout=subprocess.DEVNULL, env=environment)
    with sync_playwright() as playwright:
        if installed(playwright):
            return True
    return subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False).returncode == 0


def _as_root() -> list[str] | None:
    """What to put before a command so that root runs it, None where that needs a password."""
    if os.geteuid() == 0:
        return []
    if (sudo := shutil.which("sudo")) and not subprocess.run([sudo, "-n", "true"], check=False).returncode:
        return [sudo, "-n"]
    return None


def main() -> int:
    """Find or install; where neither works the tests say so themselves."""
    with sync_playwright() as playwright:
        if installed(playwright):
            return 0
    if not install():
        print(f"tests/page: {MISSING}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
