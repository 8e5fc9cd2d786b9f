"""Confidence in the tumor's type and in the plane: each reason, and its absence on the other side of its limit."""

import pytest

from gateway.schemas import Reason
from service_kit.contracts.classification import TumorClassification, ViewClassification, ViewLabel
from tests.unit.gateway.cases import judged, only_reason
from tests.unit.gateway.fakes import tumor, view_answer


def sure(probability: float) -> TumorClassification:
    rest = (1 - probability) / 3
    probabilities = {"glioma": probability, "meningioma": rest, "no_tumor": rest, "pituitary": rest}
    return tumor().model_copy(update={"probabilities": probabilities})


def plane(probability: float, label: ViewLabel = "axial") -> ViewClassification:
    rest = (1 - probability) / 2
    probabilities: dict[ViewLabel, float] = {"axial": rest, "coronal": rest, "sagittal": rest}
    probabilities[label] = probability
    return ViewClassification(label=label, probabilities=probabilities)


def test_one_sure_label_is_an_answer() -> None:
    assert judged() == ("answer", [])
    assert judged(tumor=tumor("no_tumor", ("no_tumor",))) == ("answer", [])


def test_a_label_under_the_limit_wants_a_reader() -> None:
    assert judged(tumor=sure(0.8)) == ("answer", [])
    assert judged(tumor=sure(0.799)) == ("review", ["low_confidence"])
    reason = only_reason(tumor=sure(0.6125))
    assert reason.detail == "The probability of glioma is 61.25 %, under the limit of 80 %."
    assert (reason.measured, reason.limit) == (0.6125, 0.8)


def test_several_labels_want_a_reader() -> None:
    assert judged(tumor=tumor(prediction_set=("glioma", "no_tumor"))) == ("review", ["low_confidence"])
    assert judged(tumor=tumor(prediction_set=("glioma", "no_tumor", "pituitary"))) == ("review", ["low_confidence"])
    reason = only_reason(tumor=tumor(prediction_set=("glioma", "no_tumor")))
    assert "95 % prediction set holds 2 labels, where one makes an answer: glioma, no tumor." in reason.detail
    assert (reason.measured, reason.limit) == (2, 1)


def test_an_improbable_label_with_several_others_is_one_reason() -> None:
    several = sure(0.5).model_copy(update={"prediction_set": ("glioma", "meningioma")})
    assert judged(tumor=several) == ("review", ["low_confidence"])


def test_an_empty_set_wants_a_reader() -> None:
    assert judged(tumor=tumor(prediction_set=())) == ("review", ["empty_prediction_set"])
    assert only_reason(tumor=tumor(prediction_set=())).measured == 0


def test_a_set_without_the_likeliest_label_wants_a_reader() -> None:
    assert judged(tumor=tumor(prediction_set=("meningioma",))) == ("review", ["low_confidence"])
    assert "holds meningioma alone" in only_reason(tumor=tumor(prediction_set=("meningioma",))).detail


def test_a_set_of_all_labels_is_refused() -> None:
    everything = ("glioma", "meningioma", "no_tumor", "pituitary")
    assert judged(tumor=tumor(prediction_set=everything)) == ("refuse", ["no_label_excluded"])  # type: ignore[arg-type]
    assert judged(tumor=tumor(prediction_set=everything[1:])) == ("review", ["low_confidence"])  # type: ignore[arg-type]
    reason = only_reason(tumor=tumor(prediction_set=everything))  # type: ignore[arg-type]
    assert (reason.measured, reason.limit) == (4, 3)


def test_a_model_of_two_labels_that_excludes_neither_is_refused() -> None:
    two = {"glioma": 0.85, "no_tumor": 0.15}
    both = tumor(prediction_set=("glioma", "no_tumor")).model_copy(update={"probabilities": two})
    assert judged(tumor=both) == ("refuse", ["no_label_excluded"])
    assert judged(tumor=both.model_copy(update={"prediction_set": ("glioma",)})) == ("answer", [])


def test_a_model_without_calibration_wants_a_reader_whatever_it_says() -> None:
    everything = ("glioma", "meningioma", "no_tumor", "pituitary")
    promised = tumor(prediction_set=everything)  # type: ignore[arg-type]
    assert judged(tumor=promised.model_copy(update={"coverage": 1.0})) == ("review", ["not_calibrated"])
    assert judged(tumor=tumor().model_copy(update={"coverage": 1.0})) == ("review", ["not_calibrated"])
    assert judged(tumor=promised.model_copy(update={"coverage": 0.999})) == ("refuse", ["no_label_excluded"])


def test_an_uncertain_plane_wants_a_reader_and_an_unknown_one_is_refused() -> None:
    assert judged(view=plane(0.8)) == ("answer", [])
    assert judged(view=plane(0.799)) == ("review", ["uncertain_view"])
    assert judged(view=plane(0.5)) == ("review", ["uncertain_view"])
    assert judged(view=plane(0.499)) == ("refuse", ["unknown_view"])
    uncertain, unknown = only_reason(view=plane(0.6)), only_reason(view=plane(0.4))
    assert (uncertain.measured, uncertain.limit, unknown.measured, unknown.limit) == (0.6, 0.8, 0.4, 0.5)
    assert "axial has 60 %, under the limit of 80 %" in uncertain.detail
    assert "axial, the likeliest, has 40 %, under the limit of 50 %" in unknown.detail


def test_a_plane_that_the_file_names_is_not_uncertain() -> None:
    assert judged(view=plane(0.4), dicom_view="axial") == ("answer", [])


def test_a_plane_that_contradicts_the_file_wants_a_reader() -> None:
    assert judged(dicom_view="axial") == ("answer", [])
    assert judged(dicom_view="sagittal") == ("review", ["view_disagreement"])
    reason = only_reason(dicom_view="sagittal")
    assert "sagittal plane, but it looks axial (98 % by the view model)" in reason.detail
    assert reason.measured == view_answer().view.probabilities["axial"]


@pytest.mark.parametrize("code", ["stage_unavailable", "unusual_input"])
def test_what_was_noted_elsewhere_is_a_reason(code: str) -> None:
    noted = Reason.model_validate({"code": code, "detail": "The stage clinical gave no answer."})
    assert judged(noted=(noted,)) == ("review", [code])


def test_reasons_add_up_and_the_gravest_decides() -> None:
    noted = (Reason(code="stage_unavailable", detail="The stage clinical gave no answer."),)
    empty = tumor(prediction_set=())
    assert judged(tumor=empty, dicom_view="coronal", noted=noted) == (
        "review",
        ["empty_prediction_set", "view_disagreement", "stage_unavailable"],
    )
    assert judged(tumor=empty, view=plane(0.4), noted=noted) == (
        "refuse",
        ["empty_prediction_set", "unknown_view", "stage_unavailable"],
    )
