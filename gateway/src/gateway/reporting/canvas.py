"""The drawing board of overlays and heat maps: the scan at a readable size, marks on it, a strip of text below."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gateway.reporting.colors import HALO, QUIET_TEXT, STRIP, TEXT, Color
from gateway.reporting.pictures import Pixels, to_8_bits

MIN_LONG_SIDE_PX = 640
MAX_LONG_SIDE_PX = 2048
MIN_WIDTH_PX = 580
_LEGEND_LINES = 2
DISCLAIMER = "Research use only. Not a medical device."

Field = NDArray[np.float32]
Window = tuple[slice, slice]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Scale:
    """From the input's grid to the canvas: canvas pixels per input pixel, (rows, columns)."""

    rows: float
    columns: float

    def place(self, row: float, column: float) -> tuple[float, float]:
        """Canvas (y, x) of an input position; whole numbers are the centers of pixels."""
        return (row + 0.5) * self.rows - 0.5, (column + 0.5) * self.columns - 0.5


class Canvas:
    """A scan, enlarged to a readable size with its true proportions, to be painted on.

    `color [height, width, 3]` is float32 in 0..255; `unit_px` is the width of a fine line at this size. With `scale`
    the size is not chosen: panels of one sheet are of one scale.
    """

    def __init__(
        self, pixels: Pixels, spacing_mm: tuple[float, float] | None, scale: Scale | None = None, unit_px: float = 0.0
    ) -> None:
        gray = Image.fromarray(to_8_bits(pixels))
        self.scale = scale or _choose_scale(pixels.shape[0], pixels.shape[1], spacing_mm)
        self.height = max(1, round(pixels.shape[0] * self.scale.rows))
        self.width = max(1, round(pixels.shape[1] * self.scale.columns))
        larger = gray.resize((self.width, self.height), Image.Resampling.LANCZOS)
        self.color: Field = np.repeat(np.asarray(larger, np.float32)[..., None], 3, axis=2)
        self.unit_px = unit_px or max(1.0, max(self.height, self.width) / 640)
        self.spacing_mm = spacing_mm
        self._labels: list[tuple[float, float, str, Color]] = []

    def blend(self, color: Color | Field, alpha: Field, window: Window | None = None) -> None:
        """Paint `color` (one, or one for each pixel) where `alpha` in 0..1 says; both are of `window`'s shape."""
        place = window or (slice(None), slice(None))
        weight = np.clip(alpha, 0, 1)[..., None]
        self.color[place] += (np.asarray(color, np.float32) - self.color[place]) * weight

    def window(self, top: float, left: float, bottom: float, right: float, margin: float) -> Window:
        """The part of the canvas within `margin` of a box."""
        rows = slice(max(0, math.floor(top - margin)), max(0, math.ceil(bottom + margin) + 1))
        return rows, slice(max(0, math.floor(left - margin)), max(0, math.ceil(right + margin) + 1))

    def line(self, start: tuple[float, float], end: tuple[float, float], color: Color, width: float = 1.6) -> None:
        """A line between two canvas positions (y, x) with a dark halo."""
        (top, bottom), (left, right) = sorted((start[0], end[0])), sorted((start[1], end[1]))
        window = self.window(top, left, bottom, right, 6 * self.unit_px)
        distance = _distance_to_segment(self._grid(window), start, end)
        self.blend(HALO, _edge(distance, width * self.unit_px / 2 + 1.2 * self.unit_px) * 0.55, window)
        self.blend(color, _edge(distance, width * self.unit_px / 2), window)

    def label(self, position: tuple[float, float], text: str, color: Color = TEXT) -> None:
        """Text beside a canvas position (y, x), kept inside the picture."""
        self._labels.append((*position, text, color))

    def scale_bar(self) -> None:
        """A bar of a round length at the lower left, where the spacing is known."""
        if self.spacing_mm is None:
            return
        px_per_mm = self.scale.columns / self.spacing_mm[1]
        length_mm = _round_length(self.width * 0.22 / px_per_mm)
        margin = 14 * self.unit_px
        y, x = self.height - margin, margin
        end = x + length_mm * px_per_mm
        self.line((y, x), (y, end), TEXT, 1.8)
        for tick in (x, end):
            self.line((y - 4 * self.unit_px, tick), (y + 1, tick), TEXT, 1.8)
        self.label((y - 14 * self.unit_px, (x + end) / 2), _millimeters(length_mm))

    def picture(self, border_px: tuple[int, int] = (0, 0)) -> Image.Image:
        """The picture with its labels, which may lie in the border, and nothing around it.

        `border_px` is black above and below, and left and right.
        """
        picture = Image.fromarray(np.clip(np.rint(self.color), 0, 255).astype(np.uint8))
        top, left = border_px
        sheet = Image.new("RGB", (self.width + 2 * left, self.height + 2 * top), HALO)
        sheet.paste(picture, (left, top))
        self._write_labels(sheet, left, border_px)
        return sheet

    def finish(self, legend: "Legend") -> Image.Image:
        """The picture with its labels, above a strip with the `legend` and the disclaimer."""
        picture = Image.fromarray(np.clip(np.rint(self.color), 0, 255).astype(np.uint8))
        width = max(self.width, MIN_WIDTH_PX)
        zoom = max(1.0, width / 580)
        strip = legend.draw(width, zoom)
        sheet = Image.new("RGB", (width, self.height + strip.height), HALO)
        left = (width - self.width) // 2
        sheet.paste(picture, (left, 0))
        sheet.paste(strip, (0, self.height))
        self._write_labels(sheet, left)
        return sheet

    def _write_labels(self, sheet: Image.Image, left: int, border_px: tuple[int, int] = (0, 0)) -> None:
        """`left` is where the picture begins on the sheet; of what is around it, labels may use `border_px`."""
        above, beside = border_px
        draw = ImageDraw.Draw(sheet)
        font = load_font(17 * self.unit_px)
        halo = max(2, round(2 * self.unit_px))
        for y, x, text, color in self._labels:
            half_width, half_height = draw.textlength(text, font) / 2 + 4, 10 * self.unit_px
            middle = (
                min(max(x, half_width - beside), self.width + beside - half_width) + left,
                min(max(y, half_height - above), self.height + above - half_height) + above,
            )
            draw.text(middle, text, color, font, "mm", stroke_width=halo, stroke_fill=HALO)

    def _grid(self, window: Window) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        rows, columns = window
        y, x = np.arange(self.height)[rows], np.arange(self.width)[columns]
        return y[:, None], x[None, :]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend: a swatch of `color` (or a ramp of colors), a text, a quieter text."""

    color: Color | Field | None
    text: str
    quiet: str = ""


@dataclass(frozen=True, slots=True)
class Legend:
    """What stands below a picture: at most two entries, so that all strips are of one height."""

    entries: tuple[Entry, ...]

    def draw(self, width: int, zoom: float) -> Image.Image:
        """The strip, `width` wide: the entries above one another, then the disclaimer."""
        line, pad = round(22 * zoom), round(12 * zoom)
        strip = Image.new("RGB", (width, line * (_LEGEND_LINES + 1) + pad + pad // 2), STRIP)
        draw = ImageDraw.Draw(strip)
        font, small = load_font(14.5 * zoom), load_font(12 * zoom)
        y = pad + line // 2
        for entry in self.entries:
            x: float = pad
            if isinstance(entry.color, tuple):
                draw.rounded_rectangle((x, y - 2 * zoom, x + 22 * zoom, y + 2 * zoom), 2 * zoom, entry.color)
                x += 32 * zoom
            elif entry.color is not None:
                x = self._ramp(strip, entry.color, x, y, zoom)
            if entry.text:
                x = write_unit(draw, (x, y), entry.text, font, zoom) + 10 * zoom
            draw.text((x, y), entry.quiet, QUIET_TEXT, small, "lm")
            y += line
        y = pad + line // 2 + line * _LEGEND_LINES
        draw.text((pad, y), DISCLAIMER, QUIET_TEXT, small, "lm")
        return strip

    @staticmethod
    def _ramp(strip: Image.Image, colors: Field, x: float, y: float, zoom: float) -> float:
        draw, font = ImageDraw.Draw(strip), load_font(12 * zoom)
        width, height = round(120 * zoom), round(10 * zoom)
        draw.text((x, y), "0", QUIET_TEXT, font, "lm")
        x += 12 * zoom
        bar = Image.fromarray(np.rint(colors).astype(np.uint8)[None]).resize((width, height), Image.Resampling.BILINEAR)
        strip.paste(bar, (round(x), round(y - height / 2)))
        draw.text((x + width + 6 * zoom, y), "1", QUIET_TEXT, font, "lm")
        return x + width + 24 * zoom


def write_unit(draw: ImageDraw.ImageDraw, start: tuple[float, float], text: str, font: Font, zoom: float) -> float:
    """Write `text` and return where it ends; a squared unit's exponent is raised, since the typeface has none."""
    x, y = start
    body, exponent, rest = text.partition("²")
    draw.text((x, y), body, TEXT, font, "lm")
    x += draw.textlength(body, font)
    if exponent:
        small = load_font(10 * zoom)
        draw.text((x + zoom, y - 5 * zoom), "2", TEXT, small, "lm")
        x += draw.textlength("2", small) + 2 * zoom
        draw.text((x, y), rest, TEXT, font, "lm")
        x += draw.textlength(rest, font)
    return x


def load_font(size_px: float) -> Font:
    """Pillow's own typeface at this size."""
    return ImageFont.load_default(max(8.0, size_px))


def _choose_scale(rows: int, columns: int, spacing_mm: tuple[float, float] | None) -> Scale:
    tall, wide = spacing_mm or (1.0, 1.0)
    finest = min(tall, wide)
    tall, wide = tall / finest, wide / finest
    long_side = max(rows * tall, columns * wide)
    zoom = min(max(1.0, MIN_LONG_SIDE_PX / long_side), MAX_LONG_SIDE_PX / long_side)
    return Scale(tall * zoom, wide * zoom)


def _distance_to_segment(
    grid: tuple[NDArray[np.intp], NDArray[np.intp]], start: tuple[float, float], end: tuple[float, float]
) -> Field:
    y, x = grid
    dy, dx = end[0] - start[0], end[1] - start[1]
    squared = max(dy * dy + dx * dx, 1e-9)
    along = np.clip(((y - start[0]) * dy + (x - start[1]) * dx) / squared, 0, 1)
    distance: Field = np.hypot(y - start[0] - along * dy, x - start[1] - along * dx).astype(np.float32)
    return distance


def _edge(distance: Field, half_width: float) -> Field:
    """1 within `half_width`, 0 beyond it, and a soft edge of one pixel."""
    edge: Field = np.clip(half_width + 0.5 - distance, 0, 1).astype(np.float32)
    return edge


def _round_length(about_mm: float) -> float:
    power = 10.0 ** math.floor(math.log10(max(about_mm, 1e-3)))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= about_mm * (1 + 1e-9))


def _millimeters(length_mm: float) -> str:
    return f"{length_mm / 10:g} cm" if length_mm >= 10 else f"{length_mm:g} mm"
