"""A lost connection: said, survived, and gone on from; what was on the page stays."""

import pytest
from playwright.sync_api import Route, expect

from tests.integration.made_heads import Heads
from tests.page.exams import Exams
from tests.page.looking import differ, gray_of
from tests.page.reader import Reader
from tests.page.uploads import head, sample

# What the browser itself says of calls that found nobody.
LOST = "ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_NETWORK|ERR_CONNECTION|ERR_INCOMPLETE"


def test_the_picture_stays_when_the_connection_is_lost_and_the_page_goes_on(reader: Reader, exams: Exams) -> None:
    reader.watch.expect(LOST)
    reader.open(f"/analyses/{exams.glioma['id']}")
    canvas = reader.get("viewer-canvas").first
    canvas.wait_for()
    reader.page.wait_for_load_state("networkidle")
    before = canvas.screenshot()
    reader.context.set_offline(True)
    expect(reader.get("offline")).to_be_visible()
    assert gray_of(canvas.screenshot()).std() > 15
    reader.get("review-agree").check()
    reader.get("review-save").click()
    expect(reader.get("problem").first).to_be_visible()
    reader.context.set_offline(False)
    expect(reader.get("offline")).to_be_hidden()
    assert differ(before, canvas.screenshot()) < 1
    assert reader.get("review-agree").is_checked()
    reader.get("review-save").click()
    expect(reader.get("review-entry").first).to_be_visible()


def test_an_upload_without_a_connection_goes_on_by_itself(reader: Reader) -> None:
    reader.watch.expect(LOST)
    reader.open("/")
    reader.get("file-input").set_input_files([sample("axial-glioma.png")])
    reader.context.set_offline(True)
    reader.get("analyze-start").click()
    expect(reader.get("offline")).to_be_visible()
    reader.context.set_offline(False)
    expect(reader.get("offline")).to_be_hidden()
    expect(reader.get("verdict").or_(reader.get("queue-item")).first).to_be_visible()
    expect(reader.page.locator('[data-state="succeeded"]').first).to_be_visible()


@pytest.mark.parametrize("cut", ["refused", "ended"])
def test_progress_comes_to_its_end_though_the_stream_of_events_is_cut(reader: Reader, cut: str) -> None:
    reader.watch.expect(f"{LOST}|MIME type|50[23]")

    def break_off(route: Route) -> None:
        if cut == "refused":
            route.abort()
        else:
            route.fulfill(status=503, body="")

    reader.context.route("**/v1/analyses/*/events", break_off)
    reader.open("/")
    reader.get("file-input").set_input_files(head(Heads()))
    reader.get("analyze-start").click()
    expect(reader.get("verdict").first).to_be_visible(timeout=60_000)
