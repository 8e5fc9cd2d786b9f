"""A volume on one sheet: three planes through the lesion with its outline and diameters, and a mosaic below."""

import numpy as np
from PIL import Image

from gateway.reporting.canvas import Canvas, Scale
from gateway.reporting.colors import DIAMETER, HALO, QUIET_TEXT, TEXT, Color
from gateway.reporting.outline import draw_caliper, draw_outline
from gateway.reporting.pictures import encode_png
from gateway.reporting.volume_legend import draw_legend
from gateway.reporting.volume_scene import Scene
from gateway.volume_findings import VolumeFindings
from service_kit.contracts.classification import ViewLabel

WIDTH_PX = 1440
_MAX_HEIGHT_PX = 900
_LEAST_SIDE_PX = 150
"""Few thick slices make narrow panels: their letters stand beside them."""
_MOSAIC_COLUMNS, _MOST_TILES = 6, 12
_GAP_PX = 6
_UNIT_PX, _TILE_UNIT_PX = 1.3, 0.9
_TICK_PX = 11.0
PLANES: tuple[ViewLabel, ...] = ("axial", "coronal", "sagittal")
# Left, right, top, bottom of a picture in the radiological convention.
_LETTERS = {"axial": "RLAP", "coronal": "RLSI", "sagittal": "APSI"}


def render_volume_overlay(findings: VolumeFindings) -> bytes:
    """PNG of the axial, coronal and sagittal slices where the largest lesion is largest, then axial slices through
    the whole outline, numbered as `slices/axial` counts them, and a legend with volumes.

    One scale holds for the three planes, whatever the voxels' shape. Without an outline: the middle slices alone.
    """
    scene = Scene.of(findings)
    rows = [_planes(scene)]
    tiles = _tiles(scene)
    if tiles:
        rows.append(tiles)
    legend = draw_legend(findings, WIDTH_PX)
    sheet = Image.new("RGB", (WIDTH_PX, sum(row.height + _GAP_PX for row in rows) + legend.height), HALO)
    y = 0
    for row in rows:
        sheet.paste(row, ((WIDTH_PX - row.width) // 2, y))
        y += row.height + _GAP_PX
    sheet.paste(legend, (0, y))
    return encode_png(sheet)


def _planes(scene: Scene) -> Image.Image:
    sizes_mm = [_size_mm(scene, plane) for plane in PLANES]
    width_mm, height_mm = sum(wide for _, wide in sizes_mm), max(tall for tall, _ in sizes_mm)
    room_px = WIDTH_PX - 2 * _GAP_PX
    px_per_mm = min(room_px / width_mm, _MAX_HEIGHT_PX / height_mm)
    narrow = sum(wide * px_per_mm < _LEAST_SIDE_PX for _, wide in sizes_mm)
    px_per_mm = min(px_per_mm, (room_px - narrow * _LEAST_SIDE_PX) / width_mm)
    panels = [_panel(scene, plane, px_per_mm) for plane in PLANES]
    height = max(panel.height for panel in panels)
    row = Image.new("RGB", (sum(panel.width for panel in panels) + 2 * _GAP_PX, height), HALO)
    x = 0
    for panel in panels:
        row.paste(panel, (x, (height - panel.height) // 2))
        x += panel.width + _GAP_PX
    return row


def _panel(scene: Scene, plane: ViewLabel, px_per_mm: float) -> Image.Image:
    index = scene.center[plane]
    canvas = _painted(scene, plane, index, px_per_mm, _UNIT_PX)
    if plane == "axial":
        canvas.scale_bar()
        _diameters(canvas, scene, index)
    if scene.lesions:
        _cross_marks(canvas, scene, plane)
    margin = 15 * _UNIT_PX
    border = above, beside = _border(canvas.height), _border(canvas.width)
    if scene.grid.oriented:
        middle_y, middle_x = canvas.height / 2, canvas.width / 2
        left, top = margin - beside, margin - above
        right, bottom = canvas.width - left, canvas.height - top
        places = ((middle_y, left), (middle_y, right), (top, middle_x), (bottom, middle_x))
        for letter, place in zip(_LETTERS[plane], places, strict=True):
            canvas.label(place, letter, TEXT)
    canvas.label((margin - above, -beside), f"{plane} {scene.number(plane, index)}", QUIET_TEXT)
    return canvas.picture(border)


def _border(side_px: int) -> int:
    return max(0, -(-(_LEAST_SIDE_PX - side_px) // 2))


def _tiles(scene: Scene) -> Image.Image | None:
    chosen = scene.mosaic(_MOST_TILES, _MOSAIC_COLUMNS)
    if not chosen:
        return None
    tall_mm, wide_mm = _size_mm(scene, "axial")
    width = (WIDTH_PX - (_MOSAIC_COLUMNS - 1) * _GAP_PX) // _MOSAIC_COLUMNS
    px_per_mm = min(width / wide_mm, _MAX_HEIGHT_PX / 2 / tall_mm)
    tiles = [_tile(scene, index, px_per_mm) for index in chosen]
    step_y, step_x = tiles[0].height + _GAP_PX, width + _GAP_PX
    lines = -(-len(tiles) // _MOSAIC_COLUMNS)
    block = Image.new("RGB", (WIDTH_PX, lines * step_y - _GAP_PX), HALO)
    for place, tile in enumerate(tiles):
        line, column = divmod(place, _MOSAIC_COLUMNS)
        block.paste(tile, (column * step_x + (width - tile.width) // 2, line * step_y))
    return block


def _tile(scene: Scene, index: int, px_per_mm: float) -> Image.Image:
    canvas = _painted(scene, "axial", index, px_per_mm, _TILE_UNIT_PX)
    shown = index == scene.center["axial"]
    canvas.label((13, 0), str(scene.number("axial", index)), DIAMETER if shown else QUIET_TEXT)
    return canvas.picture()


def _painted(scene: Scene, plane: ViewLabel, index: int, px_per_mm: float, unit_px: float) -> Canvas:
    """The slice with its outline."""
    stack = scene.stack(plane)
    _, tall_mm, wide_mm = stack.spacing_mm
    cut = np.ascontiguousarray(stack.take(scene.picture)[index])
    canvas = Canvas(cut, (tall_mm, wide_mm), Scale(tall_mm * px_per_mm, wide_mm * px_per_mm), unit_px)
    for color, inside in scene.regions(plane, index):
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if rows.size:
            box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
            draw_outline(canvas, inside, box, color)
    return canvas


def _diameters(canvas: Canvas, scene: Scene, index: int) -> None:
    number = scene.number("axial", index)
    for lesion in scene.lesions:
        if lesion.axial_slice != number:
            continue
        for axis_mm, length_mm in (
            (lesion.longest_axis_mm, lesion.longest_diameter_mm),
            (lesion.perpendicular_axis_mm, lesion.perpendicular_diameter_mm),
        ):
            (_, *start), (_, *end) = scene.places("axial", axis_mm).tolist()
            draw_caliper(canvas, ((start[0], start[1]), (end[0], end[1])))
            y, x = canvas.scale.place(*max(start, end, key=lambda place: float(place[1])))
            canvas.label((y, x + 34 * canvas.unit_px), f"{length_mm:.0f} mm", DIAMETER)


def _cross_marks(canvas: Canvas, scene: Scene, plane: ViewLabel) -> None:
    """Short marks at the borders, where the other two planes cut this one."""
    center = scene.center
    canonical = np.array([center["sagittal"], center["coronal"], center["axial"]], np.float64)
    x_mm, y_mm, z_mm = (float(value) for value in scene.grid.canonical.to_mm(canonical))
    _, row, column = scene.places(plane, ((x_mm, y_mm, z_mm),))[0].tolist()
    y, x = canvas.scale.place(row, column)
    length = _TICK_PX * canvas.unit_px
    bottom, right = float(canvas.height - 1), float(canvas.width - 1)
    color: Color = QUIET_TEXT
    for start, end in (
        ((y, 0.0), (y, length)),
        ((y, right - length), (y, right)),
        ((0.0, x), (length, x)),
        ((bottom - length, x), (bottom, x)),
    ):
        canvas.line(start, end, color, 1.0)


def _size_mm(scene: Scene, plane: ViewLabel) -> tuple[float, float]:
    stack = scene.stack(plane)
    (_, rows, columns), (_, tall_mm, wide_mm) = stack.shape, stack.spacing_mm
    return rows * tall_mm, columns * wide_mm
