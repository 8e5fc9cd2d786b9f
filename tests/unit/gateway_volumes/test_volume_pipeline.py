"""What the pipeline makes of volumes: which slices it asks about, who outlines, what comes back on whose grid."""

from dataclasses import dataclass, field
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.clients.volume_outlines import VolumeSegmentationAnswer
from gateway.errors import InvalidOptions
from gateway.imaging.decode import Part, decode_input
from gateway.imaging.errors import BlankPicture, NotBrainMri
from gateway.imaging.volume import VolumeStudy
from gateway.progress import Canceled
from gateway.reporting.volume_nifti import encode_mask
from gateway.schemas import AnalysisOptions, ProgressStage
from gateway.stopwatch import Stopwatch
from gateway.volume_findings import VolumeFindings
from gateway.volume_pipeline import VolumePipeline
from service_kit.contracts.classification import Novelty
from service_kit.errors import NotReady, Overloaded
from tests.unit.gateway.fakes import FakeClassifier, FakeNormalizer, FakeRoster, FakeSegmenter, tumor, view_answer
from tests.unit.gateway_volumes.dicom_series import series
from tests.unit.gateway_volumes.phantoms import ball, nifti
from tests.unit.gateway_volumes.places import Affine, affine_of, grid_of, stored_as

SHAPE = (56, 64, 52)
SPACING_MM = (3.0, 3.0, 3.0)
LESION_MM = np.array([38.0, 20.0, 30.0])
BRIGHT = 2500
FOUR = ("t1", "t1ce", "t2", "flair")


@dataclass
class Recorder:
    """Writes progress down; cancels when `stage` is reached."""

    cancel_at: tuple[ProgressStage, int] | None = None
    steps: list[tuple[ProgressStage, int, int]] = field(default_factory=list)

    async def step(self, stage: ProgressStage, done: int, total: int) -> None:
        self.steps.append((stage, done, total))
        if self.cancel_at == (stage, done):
            raise Canceled


def phantom(degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> tuple[NDArray[np.int16], Affine]:
    """A head with texture on black, with one bright lesion right, anterior and superior of the middle."""
    affine = affine_of(SPACING_MM, degrees)
    middle = affine[:3, :3] @ (np.array(SHAPE) / 2)
    affine[:3, 3] = -middle
    grid = grid_of(np.empty(SHAPE), affine)
    head = ball(grid, np.zeros(3), (70, 85, 66))
    texture = np.random.default_rng(5).integers(800, 1200, SHAPE)
    voxels = np.where(head, texture, 0)
    voxels[ball(grid, LESION_MM, (15, 18, 12))] = BRIGHT + 500
    return voxels.astype(np.int16), affine


def volume_study(*names: str, codes: str = "RAS", degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> VolumeStudy:
    voxels, affine = phantom(degrees)
    stored = nifti(*stored_as(codes, voxels, affine))
    study = decode_input([Part(name, f"{name}.nii", stored) for name in names or FOUR])
    assert isinstance(study, VolumeStudy)
    return study


def pipeline(**parts: Any) -> VolumePipeline:
    return VolumePipeline(
        parts.get("classifier", FakeClassifier()),
        parts.get("segmenter", FakeSegmenter(BRIGHT)),
        parts.get("normalizer", FakeNormalizer()),
        parts.get("roster", FakeRoster()),
    )


async def analyze(
    study: VolumeStudy,
    record: dict[str, Any] | None = None,
    progress: Recorder | None = None,
    options: dict[str, Any] | None = None,
    **parts: Any,
) -> VolumeFindings:
    wanted = AnalysisOptions.model_validate(options or {})
    return await pipeline(**parts).analyze(study, record, wanted, Stopwatch(), progress or Recorder())


def center_mm(findings: VolumeFindings) -> NDArray[np.float64]:
    """Where the outline lies by its file alone, read by nibabel."""
    assert findings.labels is not None
    image = nibabel.Nifti1Image.from_bytes(__import__("gzip").decompress(encode_mask(findings.labels, findings.grid)))
    places = np.argwhere(np.asarray(image.dataobj) > 0)
    return np.asarray(nibabel.affines.apply_affine(image.affine, places).mean(axis=0))


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PSR", "SAL"])
@pytest.mark.parametrize("names", [FOUR, ("t1ce",)], ids=["3d", "slices"])
async def test_the_mask_lies_where_the_lesion_is(codes: str, names: tuple[str, ...]) -> None:
    findings = await analyze(volume_study(*names, codes=codes))
    assert np.allclose(center_mm(findings), LESION_MM, atol=1.5)
    segmentation = findings.analysis.segmentation
    assert segmentation is not None
    assert segmentation.volume is not None
    assert segmentation.volume.side == "right"
    assert segmentation.volume.volume_ml == pytest.approx(4 / 3 * np.pi * 15 * 18 * 12 / 1000, rel=0.03)


async def test_an_oblique_volume_keeps_its_place() -> None:
    findings = await analyze(volume_study(degrees=(12.0, -8.0, 15.0)))
    assert np.allclose(center_mm(findings), LESION_MM, atol=1.5)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
async def test_a_shuffled_series_of_any_plane_keeps_its_place(plane: str) -> None:
    voxels, affine = phantom()
    files = series(voxels.astype(np.uint16), affine, plane)
    np.random.default_rng(1).shuffle(files)
    study = decode_input([Part("file", f"{n}.dcm", content) for n, content in enumerate(files)])
    assert isinstance(study, VolumeStudy)
    findings = await analyze(study)
    assert np.allclose(center_mm(findings), LESION_MM, atol=1.5)
    view = findings.analysis.view
    assert view is not None
    assert (view.label, view.source) == ("axial", "dicom")


async def test_four_sequences_go_to_the_3d_network() -> None:
    segmenter = FakeSegmenter(BRIGHT)
    findings = await analyze(volume_study(), segmenter=segmenter)
    assert findings.analysis.models[-1].name == "unet3d"
    assert set(findings.names.values()) == {"necrotic_core", "edema", "enhancing_tumor"}
    assert len(segmenter.calls) == 1


@pytest.mark.parametrize("names", [("flair",), ("flair", "t1"), ("flair", "t1ce", "t1"), ("t1",), ("t1ce", "t2")])
async def test_fewer_sequences_go_slice_by_slice(names: tuple[str, ...]) -> None:
    findings = await analyze(volume_study(*names))
    assert findings.analysis.models[-1].name == "seg-t1"
    assert findings.names == {1: "tumor"}


async def test_t2_alone_is_for_the_3d_network_which_may_lack_sequences() -> None:
    segmentation = (await analyze(volume_study("t2"))).analysis.segmentation
    assert segmentation is not None
    assert segmentation.missing == ("t1", "t1ce", "flair")


async def test_without_a_3d_network_four_sequences_go_slice_by_slice() -> None:
    findings = await analyze(volume_study(), roster=FakeRoster(in_3d=()))
    assert findings.analysis.models[-1].name == "seg-t1"


@pytest.mark.parametrize(("named", "names"), [("attention-unet3d", ("flair",)), ("seg-flair-film", FOUR)])
async def test_a_named_model_comes_first(named: str, names: tuple[str, ...]) -> None:
    findings = await analyze(volume_study(*names), options={"models": {"segmentation": named}})
    assert findings.analysis.models[-1].name == named


async def test_the_record_is_handed_to_the_slice_model() -> None:
    segmenter = FakeSegmenter(BRIGHT)
    findings = await analyze(volume_study("flair"), {"age": 61}, segmenter=segmenter)
    assert findings.analysis.clinical is not None
    assert findings.analysis.segmentation is not None
    assert findings.analysis.segmentation.clinical_used
    assert segmenter.calls[0][1] is not None


async def test_what_the_record_does_is_explained_on_the_key_slice() -> None:
    with pytest.raises(InvalidOptions, match="reads no clinical record"):
        await analyze(volume_study(), {"age": 61}, options={"explain_metadata": True})


async def test_the_key_slice_is_that_of_the_largest_extent() -> None:
    classifier = FakeClassifier()
    findings = await analyze(volume_study(), classifier=classifier)
    key = findings.analysis.key_slice
    assert key is not None
    assert (key.plane, key.of) == ("axial", SHAPE[2])
    height_mm = key.index * SPACING_MM[2] + float(findings.grid.affine[2, 3])
    assert height_mm == pytest.approx(LESION_MM[2], abs=3)
    last = [call for name, call in classifier.calls if name == "tumor"][-1]
    assert last["heatmap"]
    assert int((last["pixels"] > BRIGHT).sum()) == findings.analysis.segmentation.area_px  # type: ignore[union-attr]


async def test_a_volume_is_never_an_answer_without_a_reader() -> None:
    analysis = (await analyze(volume_study())).analysis
    assert analysis.verdict == "review"
    assert "not_calibrated" in [reason.code for reason in analysis.reasons]


async def test_healthy_slices_are_not_outlined() -> None:
    healthy = FakeClassifier(tumor=tumor("no_tumor", ("no_tumor",), 0.02))
    findings = await analyze(volume_study(), classifier=healthy)
    assert findings.labels is None
    assert findings.analysis.segmentation is None
    assert findings.analysis.key_slice is not None


async def test_an_outline_that_is_asked_for_needs_no_search() -> None:
    classifier, progress = FakeClassifier(), Recorder()
    searched = (await analyze(volume_study())).analysis
    asked = await analyze(volume_study(), classifier=classifier, progress=progress, options={"segment": "always"})
    assert [name for name, _ in classifier.calls].count("tumor") == 1
    assert [step for step in progress.steps if step[0] == "tumor"] == [("tumor", 0, 1), ("tumor", 1, 1)]
    assert asked.analysis.key_slice == searched.key_slice


@pytest.mark.parametrize("error", [None, NotReady("down", stage="segmentation")], ids=["nothing found", "no answer"])
async def test_without_an_outline_the_likeliest_slice_is_shown(error: NotReady | None) -> None:
    segmenter = FakeSegmenter(10 * BRIGHT, error=error)
    classifier = FakeClassifier()
    options = {"segment": "always"}
    analysis = (await analyze(volume_study(), classifier=classifier, segmenter=segmenter, options=options)).analysis
    assert [name for name, _ in classifier.calls].count("tumor") > 8
    assert analysis.key_slice == (await analyze(volume_study(), segmenter=segmenter)).analysis.key_slice


async def test_an_outline_that_fails_leaves_the_rest() -> None:
    down = FakeSegmenter(BRIGHT, error=NotReady("down", stage="segmentation"))
    analysis = (await analyze(volume_study(), segmenter=down)).analysis
    assert analysis.problem is not None
    assert analysis.tumor is not None
    assert "stage_unavailable" in [reason.code for reason in analysis.reasons]


class BusySegmenter(FakeSegmenter):
    """Has too much to do, twice."""

    refusals = 0

    async def segment_volume(self, *arguments: Any, **named: Any) -> VolumeSegmentationAnswer:
        if self.refusals < 2:
            self.refusals += 1
            raise Overloaded("full", stage="segmentation", retry_after_s=0)
        return await super().segment_volume(*arguments, **named)


async def test_a_busy_segmenter_is_waited_for() -> None:
    segmenter = BusySegmenter(BRIGHT)
    analysis = (await analyze(volume_study(), segmenter=segmenter)).analysis
    assert segmenter.refusals == 2
    assert analysis.problem is None
    assert analysis.segmentation is not None


async def test_progress_is_told_by_tile_and_slice() -> None:
    progress = Recorder()
    await analyze(volume_study(), progress=progress)
    tiles = [step for step in progress.steps if step[0] == "segmentation"]
    assert tiles[1:] == [("segmentation", done, 5) for done in range(1, 6)]
    assert sum(step[0] == "tumor" for step in progress.steps) > 8


@pytest.mark.parametrize("at", [("view", 1), ("tumor", 3), ("segmentation", 2)])
async def test_a_canceled_volume_stops_there(at: tuple[ProgressStage, int]) -> None:
    progress = Recorder(cancel_at=at)
    with pytest.raises(Canceled):
        await analyze(volume_study(), progress=progress)
    assert progress.steps[-1][:2] == at


async def test_a_volume_with_skull_is_for_review_where_the_network_knows_none() -> None:
    voxels, affine = phantom()
    noisy = voxels + np.random.default_rng(2).integers(1, 40, SHAPE).astype(np.int16)
    study = decode_input([Part(name, f"{name}.nii", nifti(noisy, affine)) for name in FOUR])
    assert isinstance(study, VolumeStudy)
    reasons = (await analyze(study)).analysis.reasons
    assert any(reason.code == "unusual_input" and "skull" in reason.detail for reason in reasons)
    plain = (await analyze(volume_study())).analysis.reasons
    assert not any("skull" in reason.detail for reason in plain)


async def test_what_looks_like_no_brain_is_refused() -> None:
    strange = view_answer(novelty=Novelty(value=9.0, review_above=2.0, refuse_above=3.0))
    with pytest.raises(NotBrainMri):
        await analyze(volume_study(), classifier=FakeClassifier(view=strange))


async def test_a_volume_without_a_head_is_refused() -> None:
    stripes = np.zeros(SHAPE, np.int16)
    stripes[:, :, 5] = np.random.default_rng(0).integers(0, 900, SHAPE[:2])
    stripes[:, :, 24:28] = 3
    study = decode_input([Part("t1ce", "t1ce.nii", nifti(stripes, affine_of(SPACING_MM)))])
    assert isinstance(study, VolumeStudy)
    with pytest.raises((BlankPicture, NotBrainMri)):
        await analyze(study)
