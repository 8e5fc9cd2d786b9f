import numpy as np
import pytest

from gateway.reporting.canvas import MAX_LONG_SIDE_PX, Canvas
from gateway.reporting.colors import inferno
from gateway.reporting.heatmap import render_heatmap, render_saliency, spread
from gateway.reporting.overlay import render_overlay
from gateway.reporting.pictures import render_input, render_mask, to_8_bits
from tests.unit.gateway_reporting.scenes import ellipse, open_png, scan

MASK = ellipse(half_axes_mm=(30, 18), degrees=25)


def test_input_and_mask_are_of_the_inputs_size_and_undecorated() -> None:
    assert np.array_equal(open_png(render_input(scan())), scan())
    mask = open_png(render_mask(MASK))
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, MASK * 255)
    assert np.array_equal(open_png(render_mask(MASK.astype(np.uint8))), mask)


def test_many_bits_are_windowed_to_8() -> None:
    wide = scan().astype(np.float32) * 40 - 300
    wide[0, 0] = 1e6
    levels = to_8_bits(wide)
    assert levels.dtype == np.uint8
    assert (levels.min(), levels.max()) == (0, 255)
    assert np.corrcoef(levels.ravel()[1:], scan().ravel()[1:])[0, 1] > 0.99
    assert not to_8_bits(np.full((8, 8), 7.0, np.float32)).any()


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "proportion"),
    [((160, 200), None, 160 / 200), ((96, 320), (3.0, 0.8), 288 / 256), ((64, 64), (1.0, 1.0), 1.0)],
)
def test_small_inputs_are_enlarged_true_to_size(
    shape: tuple[int, int], spacing_mm: tuple[float, float] | None, proportion: float
) -> None:
    canvas = Canvas(scan(*shape), spacing_mm)
    assert max(canvas.height, canvas.width) >= 512
    assert canvas.height / canvas.width == pytest.approx(proportion, rel=0.01)


def test_large_inputs_are_bounded() -> None:
    canvas = Canvas(scan(300, 4100), None)
    assert canvas.width == MAX_LONG_SIDE_PX


def test_overlay_marks_the_outline_and_leaves_the_rest_alone() -> None:
    plain = open_png(render_overlay(scan(), np.zeros_like(MASK))).astype(int)
    marked = open_png(render_overlay(scan(), MASK, label="glioma", probability=0.93)).astype(int)
    assert marked.shape == plain.shape
    zoom = 640 / 200
    changed = np.abs(marked - plain).max(axis=2) > 40
    inside = ellipse((512, 640), half_axes_mm=(30 * zoom + 9, 18 * zoom + 9), degrees=25)
    far = changed[:512] & ~inside
    far[:, 320:] = False  # the diameters' labels stand there
    assert not far.any()
    center = (80.5 * zoom - 0.5, 100.5 * zoom - 0.5)
    outer, inner = (
        ellipse((512, 640), half_axes_mm=(30 * zoom + by, 18 * zoom + by), degrees=25, center_px=center)
        for by in (1.5, -1.5)
    )
    rim = outer & ~inner
    blue_over_red = marked[:512, :, 2] - marked[:512, :, 0]
    assert (blue_over_red[rim] > 60).mean() > 0.6
    assert np.abs(plain[:512] - plain[:512, :, :1]).max() == 0


def test_overlay_of_an_empty_mask_draws_nothing_on_the_scan() -> None:
    drawn = open_png(render_overlay(scan(), np.zeros_like(MASK)))
    marked = open_png(render_overlay(scan(), MASK))
    assert drawn.shape == marked.shape
    assert np.array_equal(drawn[:512, :, 0], drawn[:512, :, 2])
    assert not np.array_equal(drawn[512:], marked[512:])


def test_overlay_differs_with_spacing_and_label() -> None:
    pictures = {
        render_overlay(scan(), MASK),
        render_overlay(scan(), MASK, spacing_mm=(0.5, 0.5)),
        render_overlay(scan(), MASK, label="meningioma", probability=0.5),
    }
    assert len(pictures) == 3


@pytest.mark.parametrize("shape", [(32, 32), (17, 400), (400, 17), (2100, 500)])
def test_every_size_can_be_drawn(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, np.bool_)
    mask[: shape[0] // 2, : shape[1] // 2] = True
    overlay = open_png(render_overlay(scan(*shape), mask, spacing_mm=(0.9, 0.9)))
    heat = open_png(render_heatmap(scan(*shape), np.eye(5, dtype=np.float32), (0, 0, *shape), label="glioma"))
    assert overlay.shape[2] == heat.shape[2] == 3
    assert max(overlay.shape) >= 512


def test_the_map_lies_where_its_extent_says() -> None:
    canvas = Canvas(scan(100, 100), None)
    values = np.zeros((10, 10), np.float32)
    values[2, 7] = 1.0
    size = (canvas.height, canvas.width)
    strength = spread(values, (0, 0, 100, 100), size, canvas.scale)
    peak = np.unravel_index(int(strength.argmax()), strength.shape)
    assert peak[0] / canvas.scale.rows == pytest.approx(25, abs=1)
    assert peak[1] / canvas.scale.columns == pytest.approx(75, abs=1)
    shifted = spread(values, (-50, 10, 200, 80), size, canvas.scale)
    peak = np.unravel_index(int(shifted.argmax()), shifted.shape)
    assert peak[0] / canvas.scale.rows == pytest.approx(0, abs=1)
    assert peak[1] / canvas.scale.columns == pytest.approx(70, abs=1)
    assert not shifted[:, : int(9 * canvas.scale.columns)].any()


def test_a_full_map_is_full_to_the_rim() -> None:
    canvas = Canvas(scan(100, 100), None)
    strength = spread(np.ones((7, 7), np.float32), (0, 0, 100, 100), (canvas.height, canvas.width), canvas.scale)
    assert strength.min() > 0.99


def test_the_map_alone_lies_on_the_pictures_own_pixels() -> None:
    values = np.zeros((6, 6), np.float32)
    values[1, 4] = 1.0
    plane = open_png(render_saliency(values, (-10, 20, 120, 60), (96, 80)))
    assert (plane.dtype, plane.shape) == (np.uint8, (96, 80))
    row, column = np.unravel_index(int(plane.argmax()), plane.shape)
    # The peak's cell spans rows 10 to 30 and columns 60 to 70.
    assert row == pytest.approx(19.5, abs=1)
    assert column == pytest.approx(64.5, abs=1)
    assert plane.max() > 240
    assert not plane[:, :20].any()
    assert (open_png(render_saliency(np.ones((6, 6), np.float32), (0, 0, 96, 80), (96, 80))) == 255).all()


def test_an_empty_map_changes_nothing_of_the_scan() -> None:
    drawn = open_png(render_heatmap(scan(), np.zeros((10, 10), np.float32), (0, 0, 160, 200), label="pituitary"))
    assert np.array_equal(drawn[:512, :, 0], drawn[:512, :, 2])


def test_inferno_rises_in_lightness() -> None:
    lightness = inferno(np.linspace(0, 1, 50, dtype=np.float32)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(lightness) > 0).all()
    assert lightness[0] < 5
    assert lightness[-1] > 220
