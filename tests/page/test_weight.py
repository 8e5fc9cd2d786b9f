"""What the page weighs: little; NiiVue is loaded where there is a volume to show, and nowhere else."""

import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest

from tests.page.conftest import KEPT
from tests.page.exams import Exams
from tests.page.reader import Reader

DIST = Path(str(files("gateway"))) / "web" / "dist"
MOST_BYTES = 300_000
_NIIVUE_BYTES = 400_000
_FIRST_PAINT = """
() => performance.getEntriesByType("paint").find(({ name }) => name === "first-contentful-paint")?.startTime ?? null
"""


def niivue() -> set[str]:
    """Names of the files that hold NiiVue itself."""
    scripts = (path for path in DIST.rglob("*.js") if path.stat().st_size > _NIIVUE_BYTES)
    return {path.name for path in scripts if b"niivue" in path.read_bytes().lower()}


def reached(left_out: set[str]) -> set[Path]:
    """Files that the page can come to ask for without having asked for those that are left out."""
    files = {path.name: path for path in DIST.rglob("*") if path.is_file() and "samples" not in path.parts}
    found, ahead = set[Path](), ["index.html"]
    while ahead:
        path = files[ahead.pop()]
        found.add(path)
        text = path.read_text(errors="ignore") if path.suffix in {".html", ".js", ".css"} else ""
        ahead += [name for name in files if name in text and files[name] not in found and name not in left_out]
    return found


def test_without_niivue_and_samples_the_page_weighs_at_most_300_kb() -> None:
    left_out = niivue()
    assert left_out, "no chunk holds NiiVue: it is part of the others, or its size changed"
    counted = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in reached(left_out)}
    assert len(counted) > 10
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / "weight.json").write_text(json.dumps({"all": sum(counted.values()), **counted}, indent=2))
    assert sum(counted.values()) <= MOST_BYTES, counted


def loaded(reader: Reader) -> set[str]:
    return {url.rsplit("/", 1)[1] for url in reader.watch.requests} & niivue()


def test_niivue_is_loaded_for_a_volume_alone(reader: Reader, exams: Exams) -> None:
    for route in ("/", "/worklist", "/models", f"/analyses/{exams.glioma['id']}"):
        reader.open(route)
        reader.page.wait_for_load_state("networkidle")
        assert loaded(reader) == set(), route
    reader.open(f"/analyses/{exams.volume['id']}")
    reader.get("viewer-canvas").first.wait_for()
    reader.page.wait_for_load_state("networkidle")
    assert loaded(reader) == niivue()


@pytest.mark.parametrize("route", ["/", "/worklist", "/models"])
def test_the_first_paint_is_noted(reader: Reader, route: str) -> None:
    reader.open(route)
    reader.page.wait_for_load_state("networkidle")
    painted_ms = reader.page.evaluate(_FIRST_PAINT)
    assert painted_ms is not None
    KEPT.mkdir(parents=True, exist_ok=True)
    notes = KEPT / "first-paint.json"
    known = json.loads(notes.read_text()) if notes.exists() else {}
    notes.write_text(json.dumps({**known, route: round(painted_ms)}, indent=2))
