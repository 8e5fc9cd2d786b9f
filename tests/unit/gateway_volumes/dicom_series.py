"""DICOM series of a RAS array in every plane: the geometry is nibabel's, the files are pydicom's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.unit.gateway_imaging import pictures
from tests.unit.gateway_volumes.places import Affine, affine_of, stored_as

# How (columns, rows, slices) count in the usual picture of each plane.
CODES = {"axial": "LPS", "coronal": "LIP", "sagittal": "PIR"}
SERIES_UID = "1.2.826.0.1.3680043.8.498.1"


def frames_of(
    voxels: NDArray[Any], affine: Affine | None = None, plane: str = "axial"
) -> tuple[list[NDArray[Any]], list[dict[str, Any]]]:
    """Pictures `[rows, columns]` in anatomical order, and each one's geometry elements."""
    stored, ras = stored_as(CODES[plane], voxels, affine_of() if affine is None else affine)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ras
    column_mm, row_mm, slice_mm = (float(value) for value in np.linalg.norm(lps[:3, :3], axis=0))
    orientation = [*(lps[:3, 0] / column_mm), *(lps[:3, 1] / row_mm)]
    geometry = [
        {
            "ImagePositionPatient": short(lps[:3, :3] @ [0, 0, k] + lps[:3, 3]),
            "ImageOrientationPatient": short(orientation),
            "PixelSpacing": short([row_mm, column_mm]),
            "SpacingBetweenSlices": short([slice_mm])[0],
        }
        for k in range(stored.shape[2])
    ]
    return [np.ascontiguousarray(stored[:, :, k].T) for k in range(stored.shape[2])], geometry


def short(values: Any) -> list[str]:
    """Decimal strings have 16 characters at most."""
    return [f"{float(value):.9g}"[:16] for value in values]


def series(voxels: NDArray[Any], affine: Affine | None = None, plane: str = "axial", **elements: Any) -> list[bytes]:
    """One file a slice, in anatomical order; `elements` are set on all."""
    pixels, geometry = frames_of(voxels, affine, plane)
    common = {"SeriesInstanceUID": SERIES_UID, "FrameOfReferenceUID": SERIES_UID + ".9", **elements}
    return [
        pictures.dicom(picture, **{"InstanceNumber": number, **where, **common})
        for number, (picture, where) in enumerate(zip(pixels, geometry, strict=True), start=1)
    ]


def enhanced(
    voxels: NDArray[Any],
    affine: Affine | None = None,
    plane: str = "axial",
    *,
    order: Any = None,
    slopes: list[float] | None = None,
    **elements: Any,
) -> bytes:
    """One multi-frame object; `order` says in which order its frames are stored, `slopes` each frame's own."""
    pixels, geometry = frames_of(voxels, affine, plane)
    order = list(range(len(pixels)) if order is None else order)
    own = Items([_group(geometry[number], None if slopes is None else slopes[number]) for number in order])
    shared = Dataset()
    shared.PixelMeasuresSequence = Items([_of(geometry[0], "PixelSpacing", "SpacingBetweenSlices")])
    shared.PlaneOrientationSequence = Items([_of(geometry[0], "ImageOrientationPatient")])
    defaults = {
        "SOPClassUID": pictures.ENHANCED_MR_IMAGE,
        "SeriesInstanceUID": SERIES_UID,
        "NumberOfFrames": len(order),
        "PixelSpacing": None,
        "ImageOrientationPatient": None,
        "SharedFunctionalGroupsSequence": Items([shared]),
        "PerFrameFunctionalGroupsSequence": own,
    }
    return pictures.dicom(np.stack([pixels[number] for number in order]), **{**defaults, **elements})


def _group(where: dict[str, Any], slope: float | None) -> Dataset:
    group = Dataset()
    group.PlanePositionSequence = Items([_of(where, "ImagePositionPatient")])
    if slope is not None:
        scaling = Dataset()
        scaling.RescaleSlope, scaling.RescaleIntercept = str(slope), "0"
        group.PixelValueTransformationSequence = Items([scaling])
    return group


def _of(where: dict[str, Any], *keywords: str) -> Dataset:
    item = Dataset()
    for keyword in keywords:
        setattr(item, keyword, where[keyword])
    return item
