"""Two exams side by side: linked, which is the baseline, what changed and whether that is more than the error."""

import re

from playwright.sync_api import expect

from tests.page.exams import Exams
from tests.page.looking import differ
from tests.page.reader import Reader


def test_slices_of_one_patient_are_compared_in_words_and_figures(reader: Reader, exams: Exams) -> None:
    reader.open(f"/compare/{exams.glioma_dicom['id']}/{exams.followup_dicom['id']}")
    expect(reader.get("comparison-statement")).to_have_text(re.compile(r"\w+ \w+"))
    assert reader.all("change-").count() > 0
    for side in ("left", "right"):
        expect(reader.get(f"compare-{side}")).to_be_visible()
    expect(reader.get("disclaimer").first).to_contain_text("Research use only")


def test_volumes_scroll_together_while_linked(reader: Reader, exams: Exams) -> None:
    reader.open(f"/compare/{exams.volume['id']}/{exams.followup_volume['id']}")
    left, right = reader.get("compare-left"), reader.get("compare-right")
    left.wait_for()
    reader.page.wait_for_load_state("networkidle")
    expect(reader.get("compare-link")).to_be_checked()

    def scrolled() -> tuple[float, float]:
        """How much each side changes when the left one is scrolled."""
        before = left.screenshot(), right.screenshot()
        left.hover()
        for _ in range(12):
            reader.page.mouse.wheel(0, 100)
        reader.page.wait_for_load_state("networkidle")
        reader.page.wait_for_timeout(300)
        return differ(before[0], left.screenshot()), differ(before[1], right.screenshot())

    moved, followed = scrolled()
    assert moved > 0.3
    assert followed > 0.3
    reader.get("compare-link").uncheck()
    moved, followed = scrolled()
    assert moved > 0.3
    assert followed < 0.1


def test_what_cannot_be_compared_is_said_and_still_shown(reader: Reader, exams: Exams) -> None:
    reader.watch.expect("4(09|22)")
    reader.open(f"/compare/{exams.glioma['id']}/{exams.volume['id']}")
    expect(reader.get("problem").first).to_be_visible()
    for side in ("left", "right"):
        expect(reader.get(f"compare-{side}")).to_be_visible()
