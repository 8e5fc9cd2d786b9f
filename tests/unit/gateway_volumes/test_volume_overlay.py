from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.grid import Grid
from gateway.rendering import render
from gateway.reporting.canvas import Canvas, Scale
from gateway.reporting.colors import LABELS, OUTLINE
from gateway.reporting.volume_overlay import WIDTH_PX, render_volume_overlay
from gateway.reporting.volume_scene import Scene
from gateway.reporting.volume_slices import key_picture
from gateway.slices import SliceStack
from gateway.volume_findings import VolumeFindings
from gateway.volume_schemas import KeySlice
from tests.unit.gateway_reporting.scenes import open_png
from tests.unit.gateway_volumes.places import ORIENTATIONS
from tests.unit.gateway_volumes.volume_cases import volume_case


def near(picture: NDArray[np.uint8], color: tuple[int, int, int]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(picture.astype(int) - np.array(color)).max(axis=2) < 24)


@pytest.fixture(scope="module")
def case() -> VolumeFindings:
    return volume_case((4, 4, 4))


def test_the_lesion_is_where_it_is_in_the_patient_however_the_axes_are_stored() -> None:
    """It is on the right, in front and above: left, top and top of the pictures."""
    sheets = [open_png(render_volume_overlay(volume_case((6, 6, 6), codes=codes))) for codes in ORIENTATIONS]
    axial = sheets[0][:400, : WIDTH_PX // 4]
    rows, columns = np.nonzero(near(axial, OUTLINE))
    assert rows.size
    assert columns.mean() < 0.45 * axial.shape[1]
    assert rows.mean() < 0.6 * axial.shape[0]
    for sheet in sheets[1:]:
        assert sheet.shape == sheets[0].shape
        # The mosaic's slices may be rounded to other neighbors where the axes are stored the other way round.
        assert np.mean(np.abs(sheet.astype(int) - sheets[0]) > 8) < 0.02


def test_each_label_has_its_color_and_the_legend_says_so(case: VolumeFindings) -> None:
    sheet = open_png(render_volume_overlay(case))
    assert sheet.shape[1] == WIDTH_PX
    above, legend = sheet[: -sheet.shape[0] // 8], sheet[-150:]
    for color in LABELS.values():
        assert near(above, color).any()
        assert near(legend, color).any()
    one = open_png(render_volume_overlay(volume_case((4, 4, 4), outline="one")))
    assert near(one, OUTLINE).any()
    assert not near(one, LABELS["necrotic_core"]).any()


def test_without_an_outline_three_gray_planes_are_shown() -> None:
    sheet = open_png(render_volume_overlay(volume_case((4, 4, 4), outline="none"))).astype(int)
    legend_px = 150
    assert sheet[:-legend_px].max() > 100
    assert np.ptp(sheet[:-legend_px], axis=2).max() < 24  # letters are nearly white, numbers nearly gray
    assert sheet.shape[0] < WIDTH_PX / 2


@pytest.mark.parametrize("spacing_mm", [(4.0, 4.0, 8.0), (8.0, 4.0, 4.0), (4.0, 12.0, 4.0)])
def test_pixels_are_square_whatever_the_voxels_are(spacing_mm: tuple[float, float, float]) -> None:
    """The same head on uneven grids: the same proportions, but for a voxel and the margin."""
    scene = Scene.of(volume_case(spacing_mm))
    for plane in ("axial", "coronal", "sagittal"):
        stack = scene.stack(plane)
        step = max(spacing_mm)
        tall, wide = stack.shape[1] * stack.spacing_mm[1], stack.shape[2] * stack.spacing_mm[2]
        want = {"axial": (184, 148), "coronal": (140, 148), "sagittal": (140, 184)}[plane]
        assert (tall, wide) == pytest.approx(want, abs=2 * step + 11)
    sheet = open_png(render_volume_overlay(volume_case(spacing_mm)))
    assert sheet.shape[1] == WIDTH_PX


def test_the_axial_slice_is_the_measured_one_and_in_the_mosaic(case: VolumeFindings) -> None:
    scene = Scene.of(case)
    assert case.analysis.segmentation is not None
    volume = case.analysis.segmentation.volume
    assert volume is not None
    shown = scene.center["axial"]
    assert scene.number("axial", shown) == volume.lesions[0].axial_slice
    chosen = scene.mosaic(12, 6)
    assert shown in chosen
    assert list(chosen) == sorted(set(chosen))
    assert 6 <= len(chosen) <= 12
    assert case.labels is not None
    areas = np.count_nonzero(SliceStack(case.grid, "axial").take(case.labels), axis=(1, 2))
    assert all(areas[scene.number("axial", index)] for index in chosen)


def test_a_flat_lesion_is_shown_with_its_neighbors() -> None:
    flat = volume_case((4, 4, 24))
    assert flat.labels is not None
    scene = Scene.of(flat)
    assert len(scene.mosaic(12, 6)) == min(6, scene.stack("axial").shape[0])


def test_a_label_that_a_narrow_panel_cannot_hold_lies_in_its_border() -> None:
    wide, narrow = (Canvas(np.zeros((60, columns), np.uint8), None, Scale(1, 1), 1.0) for columns in (400, 20))
    for canvas in (wide, narrow):
        canvas.label((30, canvas.width / 2), "coronal 37")
    np.testing.assert_array_equal(np.asarray(narrow.picture((0, 190))), np.asarray(wide.picture()))


def test_a_thin_slab_can_be_drawn() -> None:
    """Four sagittal slices: the axial and coronal panels are narrower than their letters."""
    slab = volume_case((46.0, 4.0, 4.0))
    thin = replace(slab, grid=Grid(slab.grid.shape, slab.grid.affine @ np.diag([0.1, 1, 1, 1])))
    sheet = open_png(render_volume_overlay(thin))
    assert sheet.shape[1] == WIDTH_PX
    assert near(sheet, LABELS["edema"]).any()


def test_heat_map_and_input_are_of_the_key_slice(case: VolumeFindings) -> None:
    key = case.analysis.key_slice
    assert key is not None
    pixels, spacing_mm = key_picture(case)
    assert spacing_mm == pytest.approx((4.0, 4.0))
    np.testing.assert_array_equal(pixels, SliceStack(case.grid, "axial").take(case.pictures["t1ce"])[key.index])
    np.testing.assert_array_equal(open_png(render("input.png", case)), pixels)
    assert open_png(render("heatmap.png", case)).shape[2] == 3


def test_a_key_slice_of_another_plane() -> None:
    """A sagittal series is classified on its own slices."""
    key = KeySlice(plane="sagittal", index=20, of=46)
    case = volume_case((4, 4, 4), key_slice=key)
    pixels, _ = key_picture(case)
    np.testing.assert_array_equal(pixels, SliceStack(case.grid, "sagittal").take(case.pictures["t1ce"])[20])
    without = volume_case((4, 4, 4), key_slice=None)
    count = SliceStack(without.grid, "axial").shape[0]
    middle = SliceStack(without.grid, "axial").take(without.pictures["t1ce"])[count // 2]
    np.testing.assert_array_equal(key_picture(without)[0], middle)


def test_an_empty_head_can_be_drawn() -> None:
    dark = volume_case((12, 12, 12), outline="none", mapped=False)
    blank = VolumeFindings(
        dark.analysis, dark.grid, {"t1ce": np.zeros(dark.grid.shape, np.uint8)}, "t1ce", None, {}, None
    )
    assert open_png(render_volume_overlay(blank)).shape[1] == WIDTH_PX
