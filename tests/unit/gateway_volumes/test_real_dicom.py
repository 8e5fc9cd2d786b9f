"""Every folder of the development DICOM files: a volume, or a refusal that says why. `pytest -s` shows the table."""

import os
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest

from gateway.imaging.decode_volume import decode_volumes
from gateway.imaging.part import Part
from gateway.imaging.volume import VolumeStudy
from service_kit.errors import InvalidRequest

DATA = Path(os.environ.get("NEUROGATE_DATA", Path(__file__).parents[4] / "shared" / "data")) / "dicom"
TIME_LIMIT_S = 100.0


def folders() -> dict[Path, list[Path]]:
    found: dict[Path, list[Path]] = {}
    for path in sorted(DATA.rglob("*")):
        if path.is_file() and path.suffix != ".csv":
            found.setdefault(path.parent, []).append(path)
    return found


def outcome(paths: list[Path]) -> VolumeStudy | InvalidRequest:
    """In a shuffled order, as an upload may come."""
    order = np.random.default_rng(len(paths)).permutation(len(paths))
    try:
        return decode_volumes([Part("file", "", paths[number].read_bytes()) for number in order])
    except InvalidRequest as error:
        return error


def line(folder: Path, count: int, result: VolumeStudy | InvalidRequest) -> str:
    if isinstance(result, InvalidRequest):
        return f"{folder.relative_to(DATA)} | {count} | refused: {result.code} | {result.detail}"
    sizes = " x ".join(str(size) for size in result.grid.shape)
    spacing = " x ".join(f"{step:.3g}" for step in result.grid.spacing_mm)
    what = f"{sizes} of {spacing} mm, {result.grid.axis_codes}, {result.view}, {', '.join(result.sequences)}"
    return f"{folder.relative_to(DATA)} | {count} | decoded | {what} {' '.join(result.warnings)}"


@pytest.mark.skipif(not DATA.is_dir(), reason="the development DICOM files are not here (set NEUROGATE_DATA)")
def test_every_folder_is_a_volume_or_refused_with_a_reason() -> None:
    table: list[str] = []
    outcomes: dict[str, VolumeStudy | InvalidRequest] = {}
    for folder, paths in folders().items():
        start = time.monotonic()
        result = outcome(paths)
        assert time.monotonic() - start < TIME_LIMIT_S, folder
        outcomes[str(folder.relative_to(DATA))] = result
        table.append(line(folder, len(paths), result))
    print("", "folder | files | outcome | what", *table, sep="\n")
    for name, result in outcomes.items():
        if isinstance(result, InvalidRequest):
            assert 400 <= result.status < 500, name
            assert len(result.detail) > 20, name
        else:
            assert np.isfinite(result.primary.voxels).all(), name
            assert min(result.grid.shape) >= 2, name
    decoded = {name for name, result in outcomes.items() if isinstance(result, VolumeStudy)}
    anatomical = {name for name in outcomes if name.startswith("dicom2nifti/") and not name.endswith("rgb/001")}
    assert decoded == anatomical
    assert getattr(outcomes["non_mr"], "code", None) == "not_mr"


@pytest.mark.skipif(not DATA.is_dir(), reason="the development DICOM files are not here (set NEUROGATE_DATA)")
@pytest.mark.parametrize(
    "name",
    ["ge/anatomical/001", "siemens/anatomical/001", "hitachi/anatomical/001_implicit", "generic/compressed_rle/001"],
)
def test_every_pixel_is_where_the_standard_puts_it(name: str) -> None:
    """PS3.3 C.7.6.2.1.1 written out here once more, on pydicom's own reading of the files."""
    paths = sorted((DATA / "dicom2nifti" / name).glob("*.dcm"))
    study = outcome(paths)
    assert isinstance(study, VolumeStudy)
    for path in paths:
        header = pydicom.dcmread(path)
        rows, columns = np.mgrid[0 : header.Rows : 17, 0 : header.Columns : 13]
        x, y = (np.array(header.ImageOrientationPatient[at : at + 3], float) for at in (0, 3))
        row_mm, column_mm = (float(value) for value in header.PixelSpacing)
        place = np.array(header.ImagePositionPatient, float)
        lps = place + columns[..., np.newaxis] * column_mm * x + rows[..., np.newaxis] * row_mm * y
        voxels = study.grid.to_voxels(lps * [-1, -1, 1])
        indices = np.rint(voxels).astype(int)
        assert np.abs(voxels - indices).max() < 0.02
        found = study.primary.voxels[tuple(np.moveaxis(indices, -1, 0))]
        slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
        assert np.allclose(found, header.pixel_array[rows, columns] * slope + intercept)
