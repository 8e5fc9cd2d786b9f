"""A phone of 360 px, a 4k screen, a desk: nothing is cut off, nothing scrolls sideways."""

import pytest

from tests.page.conftest import OpenReader
from tests.page.exams import Exams

SIZES = {"phone": (360, 740), "tablet": (820, 1180), "4k": (3840, 2160)}
# Elements that stick out of the window, and texts that are cut without an ellipsis.
_CUT = """
() => {
  const width = document.documentElement.clientWidth;
  const found = [];
  if (document.documentElement.scrollWidth > width) found.push(`page: ${document.documentElement.scrollWidth} px wide`);
  const any = (element, test) => element !== null && (test(element, getComputedStyle(element))
    || any(element.parentElement, test));
  const scrolls = (_, style) => ["auto", "scroll"].includes(style.overflowX);
  const forListeners = (element, style) => style.clipPath !== "none" || element.matches(".skip, dialog:not([open])");
  for (const element of document.querySelectorAll("main *, header *")) {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const text = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
    if (!text && !element.matches("button, a, input, select, textarea, img, canvas, svg")) continue;
    if (box.width === 0 || box.height === 0 || style.visibility === "hidden" || any(element, forListeners)) continue;
    const name = `${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className}`;
    const outside = box.right > width + 1 || box.left < -1;
    if (outside && !any(element.parentElement, scrolls)) found.push(`outside: ${name}`);
    if (text && style.overflowX === "hidden" && style.textOverflow !== "ellipsis"
        && element.scrollWidth > element.clientWidth + 1) found.push(`cut: ${name}`);
  }
  return [...new Set(found)];
}
"""


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_and_nothing_scrolls_sideways(
    open_reader: OpenReader, exams: Exams, size: str, language: str
) -> None:
    reader = open_reader(size=SIZES[size])
    glioma, volume = exams.glioma_dicom["id"], exams.volume["id"]
    pair = f"{glioma}/{exams.followup_dicom['id']}"
    faults = []
    routes = ("/", "/worklist", "/models", "/models/tumor", f"/analyses/{glioma}", f"/analyses/{volume}")
    for route in (*routes, f"/compare/{pair}"):
        reader.open(f"{route}?lang={language}")
        reader.page.wait_for_load_state("networkidle")
        faults += [f"{route} {found}" for found in reader.page.evaluate(_CUT)]
    assert not faults, "\n".join(faults)


def test_on_a_phone_the_picture_comes_first_and_is_large(open_reader: OpenReader, exams: Exams) -> None:
    reader = open_reader(size=SIZES["phone"])
    reader.open(f"/analyses/{exams.glioma['id']}")
    viewer, verdict = reader.get("viewer").bounding_box(), reader.get("verdict").first.bounding_box()
    assert viewer is not None
    assert verdict is not None
    assert viewer["y"] < verdict["y"]
    assert viewer["width"] >= 320
    assert viewer["height"] >= 300
