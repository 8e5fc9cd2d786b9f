"""Analyze: by a sample, a chosen file, a dropped and a pasted one; several; what is wrong and what to do about it."""

import base64
import re

from playwright.sync_api import FilePayload, Locator, expect

from tests.page.pictures import photograph
from tests.page.reader import Reader
from tests.page.stack import Stack
from tests.page.uploads import file, sample, text

MOST_CLICKS = 3
# What a browser makes of a drop or a paste: an event that carries files.
_HAND_OVER = """
(target, { kind, name, type, content }) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type }));
  const common = { bubbles: true, cancelable: true };
  if (kind === "paste") {
    target.dispatchEvent(new ClipboardEvent("paste", { ...common, clipboardData: carried }));
    return;
  }
  for (const step of ["dragenter", "dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(step, { ...common, dataTransfer: carried }));
  }
}
"""


def hand_over(target: Locator, kind: str, given: FilePayload) -> None:
    content = base64.b64encode(given["buffer"]).decode()
    target.evaluate(_HAND_OVER, {"kind": kind, "name": given["name"], "type": given["mimeType"], "content": content})


def read(reader: Reader) -> str:
    """The id of the analysis whose verdict is now on the page."""
    shown = reader.id_of_analysis()
    reader.get("verdict").first.wait_for()
    return shown


def test_a_sample_is_read_within_three_clicks(reader: Reader, stack: Stack) -> None:
    reader.open("/")
    clicks = 0
    sample_button = reader.get("sample-axial-glioma")
    if not sample_button.is_visible():
        reader.get("samples-open").click()
        clicks += 1
    sample_button.click()
    clicks += 1
    analysis = stack.http.get(f"/v1/analyses/{read(reader)}").json()
    assert analysis["tumor"]["label"] == "glioma"
    assert clicks <= MOST_CLICKS


def test_a_chosen_file_is_read_within_three_clicks(reader: Reader, stack: Stack) -> None:
    reader.open("/")
    # Choosing it in the system's dialog is one.
    reader.get("file-input").set_input_files([sample("coronal-meningioma.png")])
    reader.get("analyze-start").click()
    clicks = 2
    analysis = stack.http.get(f"/v1/analyses/{read(reader)}").json()
    assert analysis["tumor"]["label"] == "meningioma"
    assert clicks <= MOST_CLICKS


def test_a_file_may_be_dropped_anywhere(reader: Reader) -> None:
    reader.open("/")
    hand_over(reader.page.locator("body"), "drop", sample("sagittal-pituitary.png"))
    reader.get("analyze-start").click()
    read(reader)


def test_a_picture_may_be_pasted(reader: Reader) -> None:
    reader.open("/")
    hand_over(reader.page.locator("body"), "paste", sample("axial-no_tumor.png"))
    reader.get("analyze-start").click()
    read(reader)


def test_the_clinical_record_is_sent_and_the_rest_of_it_imputed(reader: Reader, stack: Stack) -> None:
    reader.open("/")
    reader.get("file-input").set_input_files([sample("axial-glioma.png")])
    form = reader.get("clinical-form")
    if not reader.get("clinical-age").is_visible():
        form.locator("summary").first.click()
    reader.get("clinical-age").fill("61")
    reader.get("clinical-sex").select_option("female")
    reader.get("analyze-start").click()
    analysis = stack.http.get(f"/v1/analyses/{read(reader)}").json()
    assert analysis["clinical"]["features"]
    assert "age" not in analysis["clinical"]["imputed"]
    assert "who_grade" in analysis["clinical"]["imputed"]


def test_several_files_make_a_queue_that_runs_through(reader: Reader) -> None:
    reader.open("/")
    reader.get("file-input").set_input_files(
        [sample(name) for name in ("axial-glioma.png", "coronal-meningioma.png", "axial-no_tumor.png")]
    )
    reader.get("analyze-start").click()
    items = reader.get("queue-item")
    expect(items).to_have_count(3)
    for number in range(3):
        expect(items.nth(number)).to_have_attribute("data-state", "succeeded")
    items.nth(1).get_by_role("link").first.click()
    read(reader)


def test_one_that_is_refused_does_not_stop_the_others(reader: Reader) -> None:
    reader.watch.expect("415")
    reader.open("/")
    reader.get("file-input").set_input_files([sample("axial-glioma.png"), text(), sample("axial-no_tumor.png")])
    reader.get("analyze-start").click()
    expect(reader.page.locator('[data-testid="queue-item"][data-state="succeeded"]')).to_have_count(2)
    expect(reader.get("problem")).to_contain_text("The file is text, not a picture")


def test_a_text_is_refused_with_what_is_accepted(reader: Reader) -> None:
    reader.watch.expect("415")
    reader.open("/")
    reader.get("file-input").set_input_files([text()])
    reader.get("analyze-start").click()
    problem = reader.get("problem")
    expect(problem.first).to_contain_text("Accepted are slices as PNG")
    expect(problem.first).to_have_attribute("role", "alert")
    # A way on: another file can be taken without a reload.
    if not re.search(r"/$", reader.page.url):
        reader.page.go_back()
    reader.get("file-input").set_input_files([sample("axial-glioma.png")])


def test_a_photograph_is_refused_with_what_to_send(reader: Reader) -> None:
    reader.watch.expect("422")
    reader.open("/")
    reader.get("file-input").set_input_files([file("hills.png", photograph(), "image/png")])
    reader.get("analyze-start").click()
    expect(reader.get("problem").first).to_contain_text("Send the gray scan itself")
