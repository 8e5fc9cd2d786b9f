"""The built page is what its sources, the API's document and the samples make of it: without Node."""

import hashlib
import json
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
WEB = REPOSITORY / "gateway/web"
BUILT = REPOSITORY / "gateway/src/gateway/web/dist"
_UNBUILT = {"node_modules"}
_AGAIN = "run `make web` (Node 20 or newer) and commit gateway/src/gateway/web/dist"


def sources() -> dict[str, str]:
    """The sha256 of each source by its path, as scripts/stamp.js wrote it when it built."""
    stamped: dict[str, str] = json.loads((BUILT / "sources.json").read_text())
    return stamped


def test_the_built_page_is_of_these_sources() -> None:
    changed = [
        path
        for path, digest in sources().items()
        if not (WEB / path).is_file() or hashlib.sha256((WEB / path).read_bytes()).hexdigest() != digest
    ]
    assert not changed, f"{_AGAIN}: {changed}"


def test_no_source_came_after_the_build() -> None:
    there = {str(path.relative_to(WEB)) for path in (WEB / "src").rglob("*") if path.is_file()}
    assert there <= sources().keys(), f"{_AGAIN}: {sorted(there - sources().keys())}"


def test_the_page_loads_nothing_from_elsewhere() -> None:
    html = (BUILT / "index.html").read_text()
    assert "http://" not in html
    assert "https://" not in html
    assert "<style" not in html
    assert "style=" not in html
    assert html.count("<script") == html.count('<script type="module" crossorigin src="/assets/')


def test_the_lockfile_names_no_address() -> None:
    locked = json.loads((WEB / "package-lock.json").read_text())
    assert not [path for path, package in locked["packages"].items() if "resolved" in package]
    assert all("integrity" in package for path, package in locked["packages"].items() if path)
