"""Every link between our pages leads somewhere, also into a page; every decision is on the list, in its order."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "samples").glob("*.md")])
DECISIONS = ROOT / "docs/decisions"
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings; of HTML its ids."""
    if page.suffix == ".html":
        return set(re.findall(r'\bid="([^"]+)"', page.read_text()))
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_pages_were_found() -> None:
    assert {ROOT / "README.md", ROOT / "docs/volumes.md", DECISIONS / "README.md"} <= set(PAGES)


def test_every_decision_is_on_the_list() -> None:
    records = sorted(DECISIONS.glob("0*.md"))
    listed = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| .+ \|$", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    assert [name for _, name in listed] == [path.name for path in records]
    for number, (short, name) in enumerate(listed, 1):
        assert (int(short), name[:4]) == (number, short)
        assert (DECISIONS / name).read_text().startswith(f"# {number}. "), name
