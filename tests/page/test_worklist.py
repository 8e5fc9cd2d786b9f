"""The work list: filters, search, delete, two to compare, by mouse and by key; 2,000 entries stay fluid."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.page.crowd import crowded
from tests.page.exams import Exams
from tests.page.reader import Reader
from tests.page.stack import Stack, running_stack

ENTRIES, MOST_ROWS = 2_000, 100
SCROLLED = 250
# The entry that has the focus, itself or one of its parts.
_ROW = "() => document.activeElement.closest('[data-testid=worklist-row]')?.dataset.id ?? null"


# Of its own: only the rows near the window are drawn, and other tests leave more than those.
@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("worklist")) as running:
        yield running


@pytest.fixture(scope="module")
def exams(stack: Stack) -> Exams:
    return Exams(stack)


def row(reader: Reader, analysis_id: str) -> Locator:
    return reader.page.locator(f'[data-testid="worklist-row"][data-id="{analysis_id}"]')


def test_an_entry_leads_to_its_exam(reader: Reader, exams: Exams) -> None:
    wanted = exams.glioma["id"]
    reader.open("/worklist")
    entry = row(reader, wanted)
    expect(entry).to_have_attribute("data-state", "succeeded")
    expect(entry).to_contain_text("Glioma")
    expect(entry.locator("img").first).to_have_js_property("complete", value=True)
    entry.get_by_role("link").first.click()
    reader.page.wait_for_url(f"**/analyses/{wanted}")


def test_filters_leave_what_was_asked_for(reader: Reader, exams: Exams) -> None:
    glioma, meningioma, refused, volume = (
        exam["id"] for exam in (exams.glioma, exams.meningioma, exams.refused, exams.volume)
    )
    reader.open("/worklist")
    for name, value, kept, left in (
        ("verdict", "answer", meningioma, refused),
        ("verdict", "refuse", refused, meningioma),
        ("label", "glioma", glioma, meningioma),
        ("kind", "volume", volume, glioma),
        ("state", "succeeded", glioma, None),
    ):
        reader.get(f"filter-{name}").select_option(value)
        expect(row(reader, kept)).to_be_visible()
        if left is not None:
            expect(row(reader, left)).to_have_count(0)
        reader.get(f"filter-{name}").select_option(index=0)
    reader.get("filter-state").select_option("canceled")
    expect(row(reader, glioma)).to_have_count(0)


def test_search_finds_part_of_an_id_and_says_when_there_is_none(reader: Reader, exams: Exams) -> None:
    wanted, other = exams.glioma["id"], exams.meningioma["id"]
    reader.open("/worklist")
    reader.get("search").fill(wanted[-8:])
    expect(row(reader, other)).to_have_count(0)
    expect(row(reader, wanted)).to_be_visible()
    reader.get("search").fill("ffffffffffff")
    expect(row(reader, wanted)).to_have_count(0)
    assert len(reader.page.locator("main").inner_text().split()) > 5
    reader.get("search").fill("")
    expect(row(reader, other)).to_be_visible()


def test_an_entry_is_erased_after_it_was_confirmed(reader: Reader, stack: Stack) -> None:
    gone = stack.analyzed("sagittal-pituitary.png")["id"]
    reader.open("/worklist")
    reader.get(f"delete-{gone}").click()
    reader.get("confirm-delete").wait_for()
    reader.page.keyboard.press("Escape")
    expect(row(reader, gone)).to_be_visible()
    reader.get(f"delete-{gone}").click()
    reader.get("confirm-delete").click()
    expect(row(reader, gone)).to_have_count(0)
    assert stack.http.get(f"/v1/analyses/{gone}").status_code == 404


def test_keys_mean_the_entry_whose_control_was_clicked(reader: Reader, exams: Exams) -> None:
    wanted = exams.glioma["id"]
    assert exams.meningioma["id"] != wanted
    reader.open("/worklist")
    reader.get("worklist-row").first.wait_for()
    reader.get(f"select-{wanted}").check()
    reader.page.keyboard.press("Delete")
    reader.get("confirm-delete").wait_for()
    assert wanted[-8:] in reader.page.locator("dialog[open]").inner_text()
    reader.page.keyboard.press("Escape")
    expect(row(reader, wanted)).to_be_visible()


def test_two_are_chosen_and_compared_the_older_one_first(reader: Reader, stack: Stack) -> None:
    older, newer = (stack.analyzed("axial-glioma.dcm")["id"] for _ in range(2))
    reader.open("/worklist")
    expect(row(reader, newer)).to_be_visible()
    for chosen in (newer, older):
        reader.get(f"select-{chosen}").check()
    reader.get("compare-selected").click()
    reader.page.wait_for_url(f"**/compare/{older}/{newer}")
    reader.get("compare-left").wait_for()


def test_two_thousand_entries_are_scrolled_with_few_rows(reader: Reader, exams: Exams, stack: Stack) -> None:
    with crowded(stack, exams.glioma, ENTRIES):
        reader.open("/worklist")
        rows = reader.get("worklist-row")
        rows.first.wait_for()
        seen = set(rows.evaluate_all("(rows) => rows.map((row) => row.dataset.id)"))
        rows.first.hover()
        for _ in range(150):
            reader.page.mouse.wheel(0, 4000)
            reader.page.wait_for_timeout(50)
            seen |= set(rows.evaluate_all("(rows) => rows.map((row) => row.dataset.id)"))
            assert rows.count() < MOST_ROWS
            if len(seen) > SCROLLED:
                break
        assert len(seen) > SCROLLED
        # The list still answers.
        reader.get("search").fill(exams.glioma["id"][-8:])
        expect(row(reader, exams.glioma["id"])).to_be_visible()
        expect(rows).to_have_count(1)


def test_the_list_is_walked_and_opened_by_key(reader: Reader, exams: Exams) -> None:
    assert exams.glioma["id"]
    assert exams.meningioma["id"]
    reader.open("/worklist")
    rows = reader.get("worklist-row")
    rows.first.wait_for()
    reader.get("search").focus()
    for _ in range(12):
        reader.page.keyboard.press("Tab")
        if reader.page.evaluate(_ROW) is not None:
            break
    first = reader.page.evaluate(_ROW)
    assert first is not None
    reader.page.keyboard.press("ArrowDown")
    second = reader.page.evaluate(_ROW)
    assert second not in {first, None}
    reader.page.keyboard.press("Enter")
    reader.page.wait_for_url(f"**/analyses/{second}")
