"""Made pictures that show no body at all: noise, patterns, text, screens, charts."""

import io
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Draw = Callable[[np.random.Generator], NDArray[np.uint8]]
_SIDE = 256
_TEXT = (
    "the patient was seen today with no new complaint and the scan of last week shows a stable finding report date "
    "invoice number total amount due please return signed copy thank you chapter figure table method result 2026 14:05"
)
_WORDS = _TEXT.split()


def _bytes(plane: NDArray[np.float64]) -> NDArray[np.uint8]:
    low, high = np.percentile(plane, [0.5, 99.5])
    return np.asarray(np.clip((plane - low) / max(high - low, 1e-9) * 255, 0, 255), np.uint8)


def white_noise(random: np.random.Generator) -> NDArray[np.uint8]:
    """Normal or uniform values, each pixel on its own."""
    if random.random() < 0.5:
        return np.asarray(random.integers(0, 256, (_SIDE, _SIDE)), np.uint8)
    return _bytes(random.normal(size=(_SIDE, _SIDE)))


def smooth_noise(random: np.random.Generator) -> NDArray[np.uint8]:
    """Noise blurred over 1 to 12 pixels."""
    blurred = cv2.GaussianBlur(random.normal(size=(_SIDE, _SIDE)), (0, 0), random.uniform(1, 12))
    return _bytes(np.asarray(blurred, np.float64))


def cloud_noise(random: np.random.Generator) -> NDArray[np.uint8]:
    """A spectrum that falls with frequency, as natural pictures have."""
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.fftfreq(_SIDE)[None, :])
    frequency[0, 0] = 1.0
    spectrum = np.fft.fft2(random.normal(size=(_SIDE, _SIDE))) / frequency ** random.uniform(0.7, 2.0)
    return _bytes(np.real(np.fft.ifft2(spectrum)))


def head_shaped_noise(random: np.random.Generator) -> NDArray[np.uint8]:
    """Noise or clouds inside a bright ellipse on black: the outline of a head and nothing in it."""
    y, x = np.mgrid[-1.0 : 1.0 : _SIDE * 1j, -1.0 : 1.0 : _SIDE * 1j]
    inside = (y / random.uniform(0.7, 0.9)) ** 2 + (x / random.uniform(0.55, 0.8)) ** 2 < 1
    texture = [white_noise, smooth_noise, cloud_noise][int(random.integers(3))](random)
    return np.asarray(np.where(inside, 60 + texture * 0.7, 0), np.uint8)


def salt_and_pepper(random: np.random.Generator) -> NDArray[np.uint8]:
    """Gray, with single pixels black or white."""
    plane = np.full((_SIDE, _SIDE), int(random.integers(0, 200)), np.uint8)
    drawn = random.random((_SIDE, _SIDE))
    share = random.uniform(0.02, 0.3)
    plane[drawn < share / 2], plane[drawn > 1 - share / 2] = 0, 255
    return plane


def gradient(random: np.random.Generator) -> NDArray[np.uint8]:
    """A ramp in any direction, or a round one."""
    y, x = np.mgrid[-1.0 : 1.0 : _SIDE * 1j, -1.0 : 1.0 : _SIDE * 1j]
    angle = random.uniform(0, 2 * np.pi)
    ramp = (
        np.hypot(y - random.uniform(-0.3, 0.3), x) if random.random() < 0.4 else y * np.sin(angle) + x * np.cos(angle)
    )
    return _bytes(ramp ** int(random.integers(1, 3)) * random.choice([-1.0, 1.0]))


def checkerboard(random: np.random.Generator) -> NDArray[np.uint8]:
    """Squares, stripes or rings of two grays."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE]
    period = int(random.integers(4, 48))
    rings = np.hypot(y - 128, x - 128) // period
    marks = [y // period + x // period, x // period, (x + y) // period, rings.astype(np.int64)][int(random.integers(4))]
    low, high = sorted(random.integers(0, 256, 2) // np.array([2, 1]))
    return np.asarray(np.where(marks % 2 == 0, low, max(high, low + 40)), np.uint8)


def shapes(random: np.random.Generator) -> NDArray[np.uint8]:
    """Some filled circles, rectangles and lines."""
    image = Image.new("L", (_SIDE, _SIDE), int(random.integers(0, 256)))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(3, 25))):
        (x, y), (w, h), fill = random.integers(0, 220, 2), random.integers(8, 120, 2), int(random.integers(0, 256))
        box = (int(x), int(y), int(x + w), int(y + h))
        kind = int(random.integers(3))
        if kind == 0:
            draw.ellipse(box, fill=fill)
        elif kind == 1:
            draw.rectangle(box, fill=fill)
        else:
            draw.line(box, fill=fill, width=int(random.integers(1, 9)))
    return np.asarray(image)


def barcode(random: np.random.Generator) -> NDArray[np.uint8]:
    """Random black and white cells, in two directions or in one."""
    cells = int(random.integers(16, 48))
    grid = random.integers(0, 2, (1 if random.random() < 0.4 else cells, cells)).astype(np.uint8) * 255
    framed = cv2.resize(grid, (216, 216), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.copyMakeBorder(framed, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=255))


def text_page(random: np.random.Generator) -> NDArray[np.uint8]:
    """Lines of words, black on white or white on black."""
    image = Image.new("L", (320, 420), 250)
    _write(ImageDraw.Draw(image), random, (12, 10, 308, 410), int(random.integers(9, 22)), 15)
    page = np.asarray(image)
    return np.asarray(255 - page) if random.random() < 0.3 else page


def screenshot(random: np.random.Generator) -> NDArray[np.uint8]:
    """Windows with a title, a menu, buttons and text."""
    dark = random.random() < 0.4
    back, front, ink = (35, 60, 220) if dark else (200, 245, 25)
    image = Image.new("L", (480, 320), back)
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(1, 4))):
        x, y = (int(v) for v in random.integers(0, 200, 2))
        w, h = int(random.integers(180, 280)), int(random.integers(110, 200))
        draw.rectangle((x, y, x + w, y + h), fill=front, outline=ink)
        draw.rectangle((x, y, x + w, y + 16), fill=(back + ink) // 2)
        _write(draw, random, (x + 8, y + 22, x + w - 8, y + h - 26), int(random.integers(9, 13)), ink)
        for button in range(3):
            draw.rounded_rectangle((x + 8 + 60 * button, y + h - 20, x + 58 + 60 * button, y + h - 6), 3, outline=ink)
    return np.asarray(image)


def _write(
    draw: ImageDraw.ImageDraw, random: np.random.Generator, box: tuple[int, int, int, int], size: int, ink: int
) -> None:
    font = ImageFont.load_default(size)
    left, top, right, bottom = box
    y = top
    while y < bottom - size:
        line = " ".join(random.choice(_WORDS, 14))
        while line and draw.textlength(line, font=font) > right - left:
            line = line[:-1]
        draw.text((left, y), line[: int(random.integers(max(4, len(line) // 2), len(line) + 1))], fill=ink, font=font)
        y += int(size * 1.35)


def chart(random: np.random.Generator) -> NDArray[np.uint8]:
    """A plot of matplotlib: lines, bars, points or a histogram."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - only the training environment has it
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(3.2, 2.4), dpi=100)
    axes = figure.add_subplot()
    x = np.arange(30)
    kind = int(random.integers(4))
    if kind == 0:
        for _ in range(int(random.integers(1, 5))):
            axes.plot(x, np.cumsum(random.normal(size=30)))
    elif kind == 1:
        axes.bar(x[:8], random.random(8))
    elif kind == 2:
        axes.scatter(random.normal(size=120), random.normal(size=120), s=12)
    else:
        axes.hist(random.normal(size=400), bins=24)
    axes.set_title("measured over time")
    out = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(out, format="png")
    return np.asarray(Image.open(out).convert("L"))


PATTERNS: dict[str, Draw] = {
    "white_noise": white_noise,
    "smooth_noise": smooth_noise,
    "cloud_noise": cloud_noise,
    "head_shaped_noise": head_shaped_noise,
    "salt_and_pepper": salt_and_pepper,
    "gradient": gradient,
    "checkerboard": checkerboard,
    "shapes": shapes,
    "barcode": barcode,
    "text_page": text_page,
    "screenshot": screenshot,
    "chart": chart,
}
"""Made pictures by kind."""
