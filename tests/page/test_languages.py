"""English and Persian: by the browser's setting, by the switch, by the address; right to left, and all of it."""

import json
import re

import pytest

from tests.page.conftest import OpenReader
from tests.page.exams import Exams
from tests.page.reader import Reader
from tests.page.stack import ROOT

LOCALES = ROOT / "gateway" / "web" / "src" / "locales"
# What is the same in every language: names of products, formats, keys, units and sequences.
INTERNATIONAL = re.compile(
    r"^[\W\d_]*$|^(\W*\b(API|PNG|JPEG|DICOM|NIfTI|PDF|JSON|WebGL2|MRI|mm|ml|T1|T2|FLAIR)\b\W*)+$"
)


def words(language: str) -> dict[str, str]:
    def flat(tree: dict[str, object], path: str = "") -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in tree.items():
            found |= flat(value, f"{path}{key}.") if isinstance(value, dict) else {path + key: str(value)}
        return found

    return flat(json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8")))


def test_the_browser_s_setting_chooses(open_reader: OpenReader) -> None:
    for locale, language, direction in (("fa-IR", "fa", "rtl"), ("en-GB", "en", "ltr"), ("de-DE", "en", "ltr")):
        reader = open_reader(locale=locale)
        reader.open("/")
        html = reader.page.locator("html")
        assert (html.get_attribute("lang"), html.get_attribute("dir")) == (language, direction)


def test_the_switch_turns_the_page_at_once_and_is_remembered(reader: Reader) -> None:
    reader.open("/")
    reader.get("language").select_option("fa")
    reader.page.wait_for_function("document.documentElement.dir === 'rtl'")
    assert reader.get("nav-worklist").inner_text() == words("fa")["shell.worklist"]
    reader.get("nav-worklist").click()
    reader.page.reload()
    reader.page.locator("main").wait_for()
    assert reader.page.locator("html").get_attribute("lang") == "fa"
    reader.get("language").select_option("en")
    reader.page.wait_for_function("document.documentElement.dir === 'ltr'")
    assert reader.get("nav-worklist").inner_text() == words("en")["shell.worklist"]


# Texts as a reader sees and hears them; what the gateway itself said is marked as left to right.
_TEXTS = """
() => {
  const texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (element.closest("script, style, noscript, option, [dir=ltr], .ltr, code, kbd")) continue;
    if (element.getClientRects().length > 0) texts.push(walk.currentNode.textContent.trim());
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    if (element.closest("[dir=ltr], .ltr")) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) texts.push(element.getAttribute(name) ?? "");
  }
  return texts.filter(Boolean);
}
"""


@pytest.mark.parametrize("screen", ["analyze", "worklist", "models", "slice", "volume", "comparison"])
def test_no_english_is_left_in_the_persian_page(reader: Reader, exams: Exams, screen: str) -> None:
    routes = {
        "analyze": "/",
        "worklist": "/worklist",
        "models": "/models",
        "slice": f"/analyses/{exams.glioma['id']}",
        "volume": f"/analyses/{exams.volume['id']}",
        "comparison": f"/compare/{exams.glioma_dicom['id']}/{exams.followup_dicom['id']}",
    }
    reader.open(f"{routes[screen]}?lang=fa")
    reader.page.wait_for_load_state("networkidle")
    english = {text for key, text in words("en").items() if key != "direction" and text != words("fa")[key]}
    texts = reader.page.evaluate(_TEXTS)
    assert [text for text in texts if text in english] == []
    latin = [text for text in texts if re.search(r"[A-Za-z]{4,} [a-z]{3,}", text) and not INTERNATIONAL.match(text)]
    assert latin == []
    assert any(re.search("[\u0600-\u06ff]", text) for text in texts)
