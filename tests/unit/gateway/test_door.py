"""Who is turned away at the door, who is let in for review, and what does not run then."""

import pytest

from gateway.door import OTHER_PARTS, check_body_part, check_novelty, unusual
from gateway.imaging.errors import NotBrainMri
from gateway.schemas import AnalysisOptions
from service_kit.contracts.classification import Novelty
from service_kit.errors import Measurement
from tests.unit.gateway.fakes import FakeClassifier, FakeSegmenter, view_answer
from tests.unit.gateway.test_pipeline import analyze


def measured(value: float) -> Novelty:
    return Novelty(value=value, review_above=1.0, refuse_above=2.5)


def test_what_is_too_strange_is_refused_with_value_limit_and_advice() -> None:
    with pytest.raises(NotBrainMri, match=r"novelty is 3\.25, above the limit of 2\.50.*whole head") as caught:
        check_novelty(measured(3.25))
    error = caught.value
    assert (error.status, error.code, error.stage) == (422, "not_brain_mri", "view")
    assert error.measurement == Measurement("novelty", 3.25, 2.5)
    with pytest.raises(NotBrainMri, match=r"middle of the volume.*3\.25.*Send a volume"):
        check_novelty(measured(3.25), volume=True)


@pytest.mark.parametrize("novelty", [None, measured(-4.0), measured(1.0), measured(1.7), measured(2.5)])
def test_what_is_within_the_limit_is_let_in(novelty: Novelty | None) -> None:
    check_novelty(novelty)


@pytest.mark.parametrize("part", ["KNEE", "CHEST", "ABDOMEN", "LSPINE", "PHANTOM"])
def test_a_header_that_names_another_part_is_refused(part: str) -> None:
    assert part in OTHER_PARTS
    with pytest.raises(NotBrainMri, match=f"BodyPartExamined is {part}.*correct it, or send the slice as PNG"):
        check_body_part(part)


@pytest.mark.parametrize("part", [None, "NECK", "CSPINE", "WHOLEBODY", "another one"])
def test_a_header_that_may_be_the_head_is_not_refused(part: str | None) -> None:
    check_body_part(part)
    assert [reason.code for reason in unusual(None, part)] == ([] if part is None else ["unusual_input"])


def test_the_grey_zone_is_a_reason_with_value_and_limit() -> None:
    assert list(unusual(measured(1.0), None)) == []
    (reason,) = unusual(measured(1.5), None)
    assert (reason.code, reason.measured, reason.limit) == ("unusual_input", 1.5, 1.0)
    assert "refused above 2.50" in reason.detail


async def test_nothing_else_runs_on_what_is_refused() -> None:
    classifier, segmenter = FakeClassifier(view=view_answer(novelty=measured(9.0))), FakeSegmenter()
    with pytest.raises(NotBrainMri):
        await analyze(classifier, segmenter, record={"age": 50}, options=AnalysisOptions(segment="always"))
    assert [name for name, _ in classifier.calls] == ["view"]
    assert segmenter.calls == []


async def test_the_grey_zone_is_analyzed_for_review() -> None:
    analysis = (await analyze(FakeClassifier(view=view_answer(novelty=measured(2.0))))).analysis
    assert analysis.verdict == "review"
    assert "unusual_input" in [reason.code for reason in analysis.reasons]


async def test_a_common_picture_and_a_model_that_measures_nothing_have_no_such_reason() -> None:
    for novelty in (None, measured(0.2)):
        analysis = (await analyze(FakeClassifier(view=view_answer(novelty=novelty)))).analysis
        assert "unusual_input" not in [reason.code for reason in analysis.reasons]
