"""What is said of the segmentation models: frozen, so that it goes as it is into the report, its JSON and the cards."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from model_export.evaluation.bootstrap import Estimate
from service_kit.inference.manifest import Postprocessing

DISTANCE_UNIT = (
    "Distances are pixels of the picture (its longer side is 256): the pictures carry no spacing, so millimeters are "
    "not known."
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class MaskRow(_Frozen):
    """Masks of one kind of tumor slice, on the pictures' own grid.

    `hd95_px` is over the slices on which something is marked (None where there is none), `missed` the share on which
    nothing is. `experts` is the mean Dice of two experts on such slices, where it is known.
    """

    label: str
    dice: Estimate
    median_dice: float
    iou: Estimate
    tversky: Estimate
    precision: Estimate
    recall: Estimate
    hd95_px: Estimate | None
    median_hd95_px: float | None
    missed: Estimate
    experts: float | None = None
    values: tuple[float, ...] = ()


class EmptyRow(_Frozen):
    """Slices without a tumor: how often anything, or more than 1 % of the picture, is marked."""

    label: str
    marked: Estimate
    marked_large: Estimate


class T1Segmentation(_Frozen):
    """seg-t1 on slices of patients that the network never saw.

    `cut` is the published cut (fitted on all), `cuts` those that judged each fold (fitted on the others). `empty` is
    the segmenter alone, `empty_gated` with the tumor model asked first, `gated_missed` the share of tumor slices that
    the gate keeps from being outlined.
    """

    cut: Postprocessing
    cuts: dict[str, Postprocessing]
    overall: MaskRow
    classes: tuple[MaskRow, ...]
    views: tuple[MaskRow, ...]
    sources: tuple[MaskRow, ...]
    folds: dict[str, float]
    empty: EmptyRow | None
    empty_gated: EmptyRow | None
    gated_missed: Estimate | None
    leaky: MaskRow | None


class BlandAltman(_Frozen):
    """Agreement of two measures of a volume: bias and limits of agreement (bias -/+ 1.96 standard deviations).

    `unit` is that of everything here; `means` and `differences` (found minus true) are the chart's points.
    """

    unit: str
    bias: Estimate
    lower_limit: float
    upper_limit: float
    outside: float
    means: tuple[float, ...]
    differences: tuple[float, ...]


class PatientRow(_Frozen):
    """Dice of patients' volumes."""

    label: str
    dice: Estimate
    median_dice: float
    values: tuple[float, ...] = ()


class LggSegmentation(_Frozen):
    """seg-flair-film on patients that the network never saw; a volume is the pixels of all of a patient's slices.

    `hd95_px` is a patient's 95th percentile Hausdorff distance within slices that have both borders. `slices_dice` is
    over tumor slices, `empty` over slices without a tumor.
    """

    cut: Postprocessing
    cuts: dict[str, Postprocessing]
    volume: PatientRow
    iou: Estimate
    tversky: Estimate
    precision: Estimate
    recall: Estimate
    hd95_px: Estimate | None
    median_hd95_px: float | None
    slices_dice: Estimate
    median_slices_dice: float
    empty: EmptyRow | None
    agreement_px: BlandAltman
    agreement_percent: BlandAltman
    folds: dict[str, float]
    variants: tuple[PatientRow, ...]
    leaky: PatientRow | None


class FilmDifference(_Frozen):
    """Two arms on the same patients: mean difference of the volume Dice (first minus second), paired.

    `better` and `worse` are the shares of patients whose Dice differs by more than .005 to either side.
    """

    first: str
    second: str
    difference: Estimate
    better: float
    worse: float


class FilmEvidence(_Frozen):
    """Does the clinical record help? `same_network` compares what one network is told, `trained` separate trainings."""

    arms: tuple[PatientRow, ...]
    same_network: tuple[FilmDifference, ...]
    trained_arms: tuple[PatientRow, ...]
    trained: tuple[FilmDifference, ...]
    verdict: Literal["helps", "does not help"]
    default_variant: Literal["full", "none"]
    reasons: tuple[str, ...]

    def sentence(self) -> str:
        """The verdict in words, for the card."""
        default = (
            "The default reads the record."
            if self.default_variant == "full"
            else "The default reads the empty record; a record changes the answer only where the caller asks for it."
        )
        return f"The clinical record {self.verdict}: {'; '.join(self.reasons)}. {default}"


class FlairEvaluation(_Frozen):
    """seg-flair-film, and whether its clinical record helps (None: an arm was not predicted)."""

    patients: LggSegmentation
    film: FilmEvidence | None
