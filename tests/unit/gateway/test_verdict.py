"""When an answer may stand by itself."""

import numpy as np
import pytest

from gateway.schemas import Reason
from gateway.verdict import head_area_px, judge
from service_kit.contracts.classification import TumorLabel, ViewLabel
from tests.unit.gateway.fakes import picture, tumor


def codes(
    label: TumorLabel = "glioma",
    prediction_set: tuple[TumorLabel, ...] = ("glioma",),
    *,
    mask_px: int | None = 40,
    dicom_view: ViewLabel | None = None,
) -> tuple[str, list[str]]:
    mask = None
    if mask_px is not None:
        mask = np.zeros((80, 64), np.bool_)
        mask.flat[:mask_px] = True
    verdict, reasons = judge(
        tumor=tumor(label, prediction_set),
        dicom_view=dicom_view,
        model_view="axial",
        pixels=picture(),
        mask=mask,
    )
    return verdict, [reason.code for reason in reasons]


def test_one_label_with_an_outline_is_an_answer() -> None:
    assert codes() == ("answer", [])
    assert codes(mask_px=None) == ("answer", [])
    assert codes("no_tumor", ("no_tumor",), mask_px=0) == ("answer", [])


@pytest.mark.parametrize("prediction_set", [(), ("glioma", "meningioma"), ("meningioma",)])
def test_anything_but_the_one_likeliest_label_wants_a_reader(prediction_set: tuple[TumorLabel, ...]) -> None:
    assert codes(prediction_set=prediction_set) == ("review", ["low_confidence"])


def test_a_tumor_without_an_outline_wants_a_reader() -> None:
    assert codes(mask_px=0) == ("review", ["tumor_without_mask"])


def test_an_outline_without_a_tumor_wants_a_reader_when_it_is_over_a_hundredth_of_the_head() -> None:
    head_px = head_area_px(picture())
    assert head_px == np.count_nonzero(picture())
    assert codes("no_tumor", ("no_tumor",), mask_px=head_px // 100) == ("answer", [])
    assert codes("no_tumor", ("no_tumor",), mask_px=head_px // 100 + 1) == ("review", ["mask_without_tumor"])


def test_views_that_disagree_want_a_reader() -> None:
    assert codes(dicom_view="axial") == ("answer", [])
    assert codes(dicom_view="sagittal") == ("review", ["view_disagreement"])


def test_reasons_add_up_and_a_missing_stage_is_one() -> None:
    gone = Reason(code="stage_unavailable", detail="The stage clinical gave no answer.")
    verdict, reasons = judge(
        tumor=tumor(prediction_set=()),
        dicom_view="coronal",
        model_view="axial",
        pixels=picture(),
        mask=None,
        unavailable=(gone,),
    )
    assert verdict == "review"
    assert [reason.code for reason in reasons] == ["low_confidence", "view_disagreement", "stage_unavailable"]
