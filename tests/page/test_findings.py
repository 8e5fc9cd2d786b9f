"""What was found, as the gateway said it: verdict and reasons first, probabilities, measures, record, models."""

import re

import pytest
from playwright.sync_api import expect

from tests.page.exams import Exams
from tests.page.reader import Reader


@pytest.mark.parametrize("name", ["glioma", "meningioma", "no_tumor", "refused", "volume"])
def test_the_verdict_and_its_reasons_are_the_gateway_s(reader: Reader, exams: Exams, name: str) -> None:
    analysis = getattr(exams, name)
    reader.open(f"/analyses/{analysis['id']}")
    verdict = reader.get("verdict").first
    expect(verdict).to_have_attribute("data-verdict", analysis["verdict"])
    assert len(verdict.inner_text().split()) > 1, "in words"
    codes = [reason.get_attribute("data-code") for reason in reader.get("reason").all()]
    assert codes == [reason["code"] for reason in analysis["reasons"]]


def test_the_three_verdicts_are_among_the_exams(exams: Exams) -> None:
    assert {exams.meningioma["verdict"], exams.glioma["verdict"], exams.refused["verdict"]} == {
        "answer",
        "review",
        "refuse",
    }


@pytest.mark.parametrize("name", ["glioma", "meningioma", "refused"])
def test_probabilities_are_sorted_bars_with_the_prediction_set_marked(reader: Reader, exams: Exams, name: str) -> None:
    tumor = getattr(exams, name)["tumor"]
    reader.open(f"/analyses/{getattr(exams, name)['id']}")
    reader.all("probability-").first.wait_for()
    shown = []
    for bar in reader.all("probability-").all():
        label = str(bar.get_attribute("data-testid")).removeprefix("probability-")
        value = float(str(bar.get_attribute("data-value")))
        assert value == pytest.approx(tumor["probabilities"][label], abs=0.01)
        assert (bar.get_attribute("data-in-set") == "true") == (label in tumor["prediction_set"])
        shown.append(value)
    assert len(shown) == len(tumor["probabilities"])
    assert shown == sorted(shown, reverse=True)
    expect(reader.page.locator("main")).to_contain_text(re.compile(r"\b95\b"))


def test_measures_say_mm_where_spacing_is_known_and_that_it_is_not_where_not(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.glioma_dicom['id']}")
    reader.all("measure-").first.wait_for()
    assert any("mm" in measure.inner_text() for measure in reader.all("measure-").all())
    reader.open(f"/analyses/{exams.glioma['id']}")
    reader.all("measure-").first.wait_for()
    expect(reader.page.locator("main")).to_contain_text(re.compile("spacing", re.I))


def test_of_a_volume_the_volume_is_said_with_its_interval(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.volume['id']}")
    reader.all("measure-").first.wait_for()
    said = " ".join(measure.inner_text() for measure in reader.all("measure-").all())
    assert re.search(r"\d\s*ml", said)


def test_the_record_is_shown_as_used_and_imputed_with_its_effect(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.explained['id']}")
    imputed = reader.get("clinical-imputed").first
    imputed.wait_for()
    assert imputed.inner_text().strip()
    expect(reader.get("clinical-used").first).to_be_visible()


def test_models_and_timings_are_behind_a_fold_and_lead_to_the_cards(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.glioma['id']}")
    link = reader.get("model-link").first
    expect(link).to_be_hidden()
    reader.get("models-fold").locator("summary").first.click()
    link.click()
    reader.page.wait_for_url("**/models/*")
    reader.get("model-card").wait_for()


def test_research_use_only_is_on_the_page_of_every_exam(reader: Reader, exams: Exams) -> None:
    reader.open(f"/analyses/{exams.glioma['id']}")
    expect(reader.get("disclaimer").first).to_contain_text("Research use only")
