"""The whole way by keyboard alone: a sample, its verdict, the picture's tools, a review, the work list."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.page.reader import Reader

MOST_TABS = 120
_FOCUSED = "() => document.activeElement?.dataset.testid ?? ''"
# Whether what has the focus shows it: an outline, a shadow or a border that a sighted reader sees.
_SHOWN = """
() => {
  const style = getComputedStyle(document.activeElement);
  return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
}
"""


def tab_to(reader: Reader, wanted: Callable[[str], bool]) -> str:
    """Press Tab until the element is reached; every stop on the way shows that it has the focus."""
    for _ in range(MOST_TABS):
        reader.page.keyboard.press("Tab")
        name: str = reader.page.evaluate(_FOCUSED)
        if name:
            assert reader.page.evaluate(_SHOWN), f"{name} does not show its focus"
        if wanted(name):
            return name
    raise AssertionError("it cannot be reached by Tab")


def test_from_a_sample_to_a_saved_review_by_keyboard(reader: Reader) -> None:
    press = reader.page.keyboard.press
    reader.open("/")
    if not reader.get("sample-axial-glioma").is_visible():
        tab_to(reader, lambda name: name == "samples-open")
        press("Enter")
    tab_to(reader, lambda name: name == "sample-axial-glioma")
    press("Enter")
    analysis_id = reader.id_of_analysis()
    reader.get("verdict").first.wait_for()
    tab_to(reader, lambda name: name == "tool-window")
    tab_to(reader, lambda name: name == "invert")
    press("Space")
    expect(reader.get("invert")).to_have_attribute("aria-pressed", "true")
    tab_to(reader, lambda name: name.startswith("review-"))
    press("Space")
    tab_to(reader, lambda name: name == "review-comment")
    reader.page.keyboard.type("Seen by keyboard.")
    tab_to(reader, lambda name: name == "review-save")
    press("Enter")
    expect(reader.get("review-entry")).to_contain_text("Seen by keyboard.")
    reader.page.reload()
    reader.get("verdict").first.wait_for()
    tab_to(reader, lambda name: name == "nav-worklist")
    press("Enter")
    expect(reader.page.locator(f'[data-id="{analysis_id}"]')).to_be_visible()


def test_the_first_stop_skips_to_the_content(reader: Reader) -> None:
    reader.open("/")
    reader.page.keyboard.press("Tab")
    reader.page.keyboard.press("Enter")
    assert reader.page.evaluate("() => document.activeElement.id") == "content"


def test_a_dialog_keeps_the_focus_and_gives_it_back(reader: Reader) -> None:
    reader.open("/")
    reader.get("sample-axial-glioma").first.click()
    reader.get("viewer-canvas").first.wait_for()
    reader.page.wait_for_load_state("networkidle")
    tab_to(reader, lambda name: name == "tool-zoom")
    reader.page.keyboard.press("?")
    expect(reader.get("shortcuts")).to_be_visible()
    inside = "() => document.querySelector('[data-testid=shortcuts]').contains(document.activeElement)"
    for _ in range(4):
        reader.page.keyboard.press("Tab")
        out = reader.page.evaluate("() => document.activeElement === document.body")
        assert out or reader.page.evaluate(inside)
    reader.page.keyboard.press("Escape")
    assert reader.page.evaluate(_FOCUSED) == "tool-zoom"
