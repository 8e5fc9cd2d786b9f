"""Pictures of the page's states, of bundled samples alone: `python -m tests.page.screenshots --output FOLDER`."""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from tests.page.chromium import MISSING, installed, launch
from tests.page.exams import Exams
from tests.page.reader import DESKTOP, PHONE, Reader, opened_reader
from tests.page.stack import Stack, running_stack

SIZES = {"desktop": DESKTOP, "phone": PHONE}
MOST_BYTES = 300_000
_PALETTE = 255
_PAPER_DPI = 110


@dataclass(frozen=True, slots=True)
class Desk:
    """What a picture is taken of."""

    reader: Reader
    stack: Stack
    exams: Exams

    def exam(self, analysis_id: str, language: str = "en") -> None:
        """An analysis, wholly drawn."""
        self.reader.open(f"/analyses/{analysis_id}?lang={language}")
        self.reader.get("verdict").first.wait_for()
        self.reader.get("viewer-canvas").first.wait_for()
        self.reader.page.wait_for_load_state("networkidle")
        self.reader.page.wait_for_timeout(500)


def _quiet(desk: Desk, route: str) -> None:
    desk.reader.open(route)
    desk.reader.page.wait_for_load_state("networkidle")


def empty(desk: Desk) -> None:
    """The first screen."""
    _quiet(desk, "/")


def analyzing(desk: Desk) -> None:
    """A volume while its outline is made."""
    desk.reader.open("/")
    desk.reader.get("sample-volume").click()
    desk.reader.id_of_analysis()
    expect(desk.reader.get("progress").first).to_have_attribute("data-stage", "segmentation", timeout=60_000)


def glioma(desk: Desk) -> None:
    """A slice with outline and heat map."""
    desk.exam(desk.exams.glioma_dicom["id"])
    desk.reader.get("overlay-heat").check()
    desk.reader.page.wait_for_timeout(500)


def refusal(desk: Desk) -> None:
    """Findings that add up to no answer."""
    desk.exam(desk.exams.refused["id"])


def volume(desk: Desk) -> None:
    """Three planes."""
    desk.exam(desk.exams.sample_volume["id"])


def worklist(desk: Desk) -> None:
    """With one entry of each kind."""
    _quiet(desk, "/worklist")


def comparison(desk: Desk) -> None:
    """A slice and the same head magnified, as if the lesion had grown."""
    _quiet(desk, f"/compare/{desk.exams.glioma_dicom['id']}/{desk.exams.grown_dicom['id']}")


def model(desk: Desk) -> None:
    """A model's card."""
    _quiet(desk, "/models/tumor")


def persian(desk: Desk) -> None:
    """An exam, right to left."""
    desk.exam(desk.exams.meningioma["id"], "fa")


STATES: dict[str, Callable[[Desk], None]] = {
    state.__name__: state for state in (empty, glioma, refusal, volume, comparison, model, persian, worklist, analyzing)
}


def take(browser: Browser, stack: Stack, exams: Exams, state: str, size: str) -> bytes:
    """One picture."""
    if state == "report":
        return report(browser, stack, exams, size)
    with opened_reader(browser, stack.url, size=SIZES[size]) as reader:
        STATES[state](Desk(reader, stack, exams))
        return reader.page.screenshot()


def report(browser: Browser, stack: Stack, exams: Exams, size: str) -> bytes:
    """The printed report's first page; on a phone the report as it is read there."""
    with opened_reader(browser, stack.url, size=SIZES[size]) as reader:
        reader.page.goto(exams.glioma_dicom["links"]["report"])
        if size == "phone":
            return reader.page.screenshot()
        document = pypdfium2.PdfDocument(reader.page.pdf(format="A4", print_background=True))
        drawn = document[0].render(scale=_PAPER_DPI / 72).to_pil()
        document.close()
    return _png(drawn)


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def small(screenshot: bytes) -> bytes:
    """The same without what a picture in a document does not need; fewer colors where it is large."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    packed = _png(picture)
    if len(packed) > MOST_BYTES:
        palette = picture.quantize(_PALETTE, Image.Quantize.FASTOCTREE)
        packed = _png(picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG))
    return packed


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.page.screenshots", description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", choices=[*STATES, "report"], action="append", help="these states alone")
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    wanted = asked.only or [*STATES, "report"]
    with tempfile.TemporaryDirectory(prefix="neurogate-page-") as folder, sync_playwright() as playwright:
        executable = installed(playwright)
        if executable is None:
            sys.exit(MISSING)
        browser = launch(playwright, executable)
        with running_stack(Path(folder)) as stack:
            exams = Exams(stack)
            for state in wanted:
                for size in SIZES:
                    path = asked.output / f"{state}-{size}.png"
                    path.write_bytes(small(take(browser, stack, exams, state, size)))
                    print(path)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
