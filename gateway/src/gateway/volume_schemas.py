"""The parts of an Analysis that a series or a volume has, and a slice has not."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from service_kit.contracts.classification import ViewLabel

Voxel = tuple[int, int, int]
Point = tuple[float, float, float]


class VolumeSchema(BaseModel):
    """Base of what callers see: immutable."""

    model_config = ConfigDict(frozen=True)


class Interval(VolumeSchema):
    """Where the true value lies with the probability `coverage`, as it was found on patients kept back from training.

    None of it is known where the field that holds it is null: no such band was fitted for the model.
    """

    low: float
    high: float
    coverage: float


class LabelSummary(VolumeSchema):
    """One label of the outline."""

    voxels: int
    volume_ml: float


class LesionSummary(VolumeSchema):
    """One connected part, measured on the axial slice where its area is largest; `axial_slice` counts from below.

    `measurable` is RANO's word for two diameters of at least 10 mm. `*_axis_mm` are the diameters' ends in RAS mm.
    """

    volume_ml: float
    centroid_mm: Point
    axial_slice: int
    area_mm2: float
    longest_diameter_mm: float
    perpendicular_diameter_mm: float
    product_mm2: float
    measurable: bool
    longest_axis_mm: tuple[Point, Point]
    perpendicular_axis_mm: tuple[Point, Point]


class VolumeSummary(VolumeSchema):
    """The outline in three dimensions. docs/volumes.md defines each measure and names its source.

    Voxels are those of the first input's array, `[i, j, k]`; millimeters are NIfTI's (right, anterior, superior).

    Attributes:
        labels: by name: necrotic_core, edema and enhancing_tumor, or tumor alone.
        bounding_box: first voxel, and one past the last.
        side: null where the file does not say left and right.
        lesion_count: connected parts of 0.05 ml and more; `lesions` are the largest five.
        intervals: of the volume and of the largest lesion's two diameters.
    """

    labels: dict[str, LabelSummary]
    voxels: int
    volume_ml: float
    volume_ml_interval: Interval | None = None
    longest_diameter_mm_interval: Interval | None = None
    perpendicular_diameter_mm_interval: Interval | None = None
    bounding_box: tuple[Voxel, Voxel]
    extent_mm: Point
    centroid_vx: Point | None
    centroid_mm: Point | None
    side: Literal["left", "right", "midline"] | None
    right_share: float | None
    lesion_count: int
    lesions: tuple[LesionSummary, ...]
    sum_of_products_mm2: float


class KeySlice(VolumeSchema):
    """The slice whose tumor type, heat map and probabilities are shown: that of the outline's largest extent, or the
    one that looks most like a tumor. `index` counts the `of` slices of `plane` from left, posterior or inferior.
    """

    plane: ViewLabel
    index: int
    of: int


class VolumeGeometry(VolumeSchema):
    """The grid that the voxels and every mask are on.

    `axis_codes` says in which directions the array's indices grow ("RAS", "LPI", ...); null where the file does not.
    """

    shape: Voxel
    spacing_mm: Point
    axis_codes: str | None
    affine: tuple[tuple[float, float, float, float], ...]
