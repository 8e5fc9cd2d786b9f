"""The synthetic study among the samples: made by code alone, the same each time, and what its index says."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from gateway.imaging.sequence_names import read_name
from model_export.samples.glioma import LABELS
from model_export.samples.study import NAME, VOXEL_MM, write_study
from model_export.samples.writer import SEED, write_volume

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
MAX_BYTES = 2_500_000
COARSE = 4
"""The coarse study has every fourth voxel of the published one."""
Json = dict[str, Any]
Voxels = np.ndarray[Any, np.dtype[np.uint8]]


def voxels(path: Path) -> Voxels:
    """As drawn: `[x, y, z]` to the right, anterior and superior."""
    image = nibabel.Nifti1Image.from_filename(path)
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    assert image.get_data_dtype() == np.uint8
    return np.asarray(image.dataobj)[::-1, ::-1]


@pytest.fixture(scope="module")
def answer() -> Json:
    index: Json = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))
    found: Json = index["volumes"][NAME]
    return found


@pytest.fixture(scope="module")
def scans(answer: Json) -> dict[str, Voxels]:
    return {name: voxels(SAMPLES / file) for name, file in answer["files"].items()}


@pytest.fixture(scope="module")
def truth(answer: Json) -> Voxels:
    return voxels(SAMPLES / answer["mask"])


def test_the_folder_is_a_study_to_send_and_small(answer: Json) -> None:
    files = sorted((SAMPLES / NAME).iterdir())
    assert sorted(answer["files"].values()) == [f"{NAME}/{path.name}" for path in files]
    assert {read_name(path.name) for path in files} == set(answer["files"]) == {"t1", "t1ce", "t2", "flair"}
    assert sum(path.stat().st_size for path in files) < MAX_BYTES


def test_the_index_says_what_is_outlined(answer: Json, truth: Voxels) -> None:
    assert answer["labels"] == {str(label): name for label, name in LABELS.items()}
    for label, name in LABELS.items():
        assert np.count_nonzero(truth == label) * VOXEL_MM**3 / 1000 == pytest.approx(
            answer["volume_ml"][name], abs=0.01
        )
    assert answer["side"] == "right"
    assert np.argwhere(truth > 0)[:, 0].mean() > truth.shape[0] / 2


def test_each_sequence_shows_the_tissues_as_textbooks_say(scans: dict[str, Voxels], truth: Voxels) -> None:
    def median(sequence: str, place: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
        return float(np.median(scans[sequence][place]))

    inside = scans["t1"] > 0
    assert all(((scan > 0) == inside).all() for scan in scans.values())
    assert not inside[[0, -1]].any()
    assert not inside[:, [0, -1]].any()
    assert not inside[..., [0, -1]].any()
    core, edema, rim = (truth == label for label in LABELS)
    rest = inside & (truth == 0)
    assert median("t1ce", rim) > 1.5 * median("t1ce", rest) > 2 * median("t1ce", core)
    assert median("t1ce", rim) > 1.5 * median("t1", rim)
    for sequence in ("t2", "flair"):
        assert median(sequence, edema) > 1.3 * median(sequence, rest)
    fluid = rest & (scans["t2"] > 200)
    assert median("flair", fluid) < 0.5 * median("flair", rest)


def test_the_published_study_is_what_the_code_makes(tmp_path: Path, scans: dict[str, Voxels], truth: Voxels) -> None:
    _, made = write_study(tmp_path, SEED, VOXEL_MM * COARSE)
    every = (slice(None, None, COARSE),) * 3
    labels = voxels(tmp_path / made["mask"])  # type: ignore[operator]
    # Rounding may differ from one processor to the next, noise differs with the grid.
    assert (labels == truth[every]).mean() > 0.999
    for name, scan in scans.items():
        coarse = voxels(tmp_path / NAME / f"{name}.nii.gz").astype(int)
        assert np.abs(coarse - scan[every]).mean() < 4


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_study(tmp_path / name, SEED, 8.0)[0] for name in ("one", "two"))
    other, _ = write_study(tmp_path / "three", SEED + 1, 8.0)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert all(one.read_bytes() != another.read_bytes() for one, another in zip(first, other, strict=True))


def test_making_the_volume_leaves_the_pictures_in_the_index(tmp_path: Path, answer: Json) -> None:
    (tmp_path / "samples.json").write_text('{"files": {"a.png": {}}, "volumes": {"volume": {}}}')
    written = write_volume(tmp_path, 8.0)
    assert all(path.is_file() for path in written)
    index = json.loads((tmp_path / "samples.json").read_text())
    assert index["files"] == {"a.png": {}}
    assert index["volumes"][NAME].keys() == answer.keys()
    assert (tmp_path / "README.md").read_text() == (SAMPLES / "README.md").read_text()
