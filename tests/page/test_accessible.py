"""axe-core on every screen, in both languages: nothing serious, nothing critical."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.page.exams import Exams
from tests.page.reader import Reader

GRAVE = {"serious", "critical"}


def grave(reader: Reader) -> list[str]:
    """What axe finds grave, each with where it is."""
    found = Axe().run(reader.page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for rule in found
        for node in rule["nodes"]
        if rule["impact"] in GRAVE
    ]


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("route", ["/", "/worklist", "/models", "/models/tumor"])
def test_a_route_has_no_grave_finding(reader: Reader, route: str, language: str) -> None:
    reader.open(f"{route}?lang={language}")
    reader.page.wait_for_load_state("networkidle")
    assert reader.page.locator("html").get_attribute("lang") == language
    assert grave(reader) == []


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("exam", ["glioma", "refused", "volume"])
def test_an_exam_has_no_grave_finding(reader: Reader, exams: Exams, exam: str, language: str) -> None:
    reader.open(f"/analyses/{getattr(exams, exam)['id']}?lang={language}")
    reader.get("verdict").first.wait_for()
    reader.page.wait_for_load_state("networkidle")
    assert grave(reader) == []


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_comparison_has_no_grave_finding(reader: Reader, exams: Exams, language: str) -> None:
    reader.open(f"/compare/{exams.glioma_dicom['id']}/{exams.followup_dicom['id']}?lang={language}")
    reader.get("compare-left").wait_for()
    reader.page.wait_for_load_state("networkidle")
    assert grave(reader) == []


def test_the_list_of_shortcuts_has_no_grave_finding(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.glioma['id']}")
    # The keys are heard once the picture is drawn, not when the words are there.
    reader.get("viewer-canvas").first.wait_for()
    reader.page.wait_for_load_state("networkidle")
    reader.page.keyboard.press("?")
    reader.get("shortcuts").wait_for()
    assert grave(reader) == []


def test_the_audit_sees_what_is_wrong(reader: Reader) -> None:
    reader.open("/")
    reader.page.locator("main").evaluate("(main) => { main.append(document.createElement('button')) }")
    assert any(finding.startswith("button-name") for finding in grave(reader))
