"""Pictures that are no brain MRI, by kind: what the gate at the door is tested with. Nothing of it is kept in the repo.

Made ones (`patterns`, `phantoms`), sample pictures that ship inside installed packages, the development sets' DICOM
files of other machines and other body parts, and brain slices cut up or laid out as a sheet.
"""

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.datasets.patterns import PATTERNS, Draw
from model_export.datasets.phantoms import PHANTOMS
from model_export.datasets.pictures import read_gray

Pixels = NDArray[np.uint8]
Family = Literal["made", "drawn body part", "package picture", "real DICOM", "brain destroyed", "borderline"]

_PACKAGED: dict[str, tuple[tuple[str, str], ...]] = {
    "photo": (
        ("sklearn", "datasets/images/china.jpg"), ("sklearn", "datasets/images/flower.jpg"),
        ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"), ("skimage", "data/chelsea.png"),
        ("skimage", "data/coffee.png"), ("skimage", "data/rocket.jpg"), ("skimage", "data/motorcycle_left.png"),
        ("skimage", "data/camera.png"), ("skimage", "data/astronaut.png"), ("skimage", "data/clock_motion.png"),
    ),
    "texture": (
        ("skimage", "data/brick.png"), ("skimage", "data/grass.png"), ("skimage", "data/gravel.png"),
        ("skimage", "data/coins.png"),
    ),
    "microscopy": (("skimage", "data/cell.png"), ("skimage", "data/ihc.png")),
    "eye_fundus": (("skimage", "data/retina.jpg"),),
    "sky": (("skimage", "data/hubble_deep_field.jpg"), ("skimage", "data/moon.png")),
    "scanned_text": (("skimage", "data/page.png"), ("skimage", "data/text.png")),
}  # fmt: skip
_DIGITS = ("sklearn", "datasets/data/digits.csv.gz")
_DICOM: dict[str, tuple[str, ...]] = {
    "real_shoulder_mr": ("dicom_test_files/WG04/*/MR2_*.dcm", "dicom2nifti/hitachi/anatomical/001/*.dcm"),
    "real_knee_mr": ("dicom_test_files/WG04/*/MR3_*.dcm",),
    "real_abdomen_mr": ("pydicom_data/MR-SIEMENS-DICOM-WithOverlays.dcm",),
    "real_head_ct": ("non_mr/693_J2KR.dcm",),
    "real_limb_xray": ("non_mr/RG3_*.dcm",),
    "real_scanner_phantom": ("dcm_qa_enh/Siemens/XA10/*.dcm",),
    "real_scanner_noise": ("dicom2nifti/ge/anatomical/001/*.dcm", "dicom2nifti/siemens/anatomical/001/*.dcm"),
    "real_bone_scan": ("non_mr/JPEG-lossy.dcm",),
    "real_mask": ("non_mr/liver_1frame.dcm",),
}


@dataclass(frozen=True, slots=True)
class OutlierKind:
    """One kind of picture; `draw(random)` gives a new one `[rows, columns]` each time."""

    name: str
    family: Family
    draw: Draw


def made_kinds() -> tuple[OutlierKind, ...]:
    """The kinds that are computed: they need no file, and may serve to fit."""
    return (
        *(OutlierKind(name, "made", draw) for name, draw in PATTERNS.items()),
        *(OutlierKind(name, "drawn body part", draw) for name, draw in PHANTOMS.items()),
    )


def packaged_kinds() -> tuple[OutlierKind, ...]:
    """Sample pictures of scikit-learn, matplotlib and scikit-image, as far as these are installed, in random crops."""
    found = []
    for name, places in _PACKAGED.items():
        paths = [path for path in (_installed(*place) for place in places) if path is not None]
        if paths:
            found.append(OutlierKind(name, "package picture", lambda r, p=tuple(paths): _crop(_read(p, r), r)))  # type: ignore[misc]
    if _installed(*_DIGITS):
        found.append(OutlierKind("digits", "package picture", _digits))
    return tuple(found)


def dicom_kinds(root: Path) -> tuple[OutlierKind, ...]:
    """The development sets' DICOM files that show no brain MRI, turned, cropped and windowed at random."""
    found = []
    for name, patterns in _DICOM.items():
        paths = sorted(path for pattern in patterns for path in (root / "dicom").glob(pattern))
        frames = [frame for frame in (_frame(path) for path in paths) if frame is not None]
        if frames:
            found.append(OutlierKind(name, "real DICOM", lambda r, f=tuple(frames): _scan(f, r)))  # type: ignore[misc]
    return tuple(found)


def brain_kinds(brains: Sequence[Pixels]) -> tuple[OutlierKind, ...]:
    """Brain slices that are none any more, and (`borderline`) those of which a reader could still tell something."""

    def one(random: np.random.Generator) -> Pixels:
        return brains[int(random.integers(len(brains)))]

    def sheet(random: np.random.Generator) -> Pixels:
        count = int(random.integers(3, 6))
        rows = [np.hstack([_square(one(random), 96) for _ in range(count)]) for _ in range(count)]
        return np.vstack(rows)

    return (
        OutlierKind("brain_shuffled", "brain destroyed", lambda r: _shuffled(one(r), r)),
        OutlierKind("brain_contact_sheet", "brain destroyed", sheet),
        OutlierKind("brain_negative", "borderline", lambda r: 255 - one(r)),
        OutlierKind("brain_zoomed", "borderline", lambda r: _zoomed(one(r), r)),
        OutlierKind("brain_half", "borderline", lambda r: _half(one(r), r)),
        OutlierKind("brain_overexposed", "borderline", lambda r: _overexposed(one(r), r)),
    )


def _installed(package: str, path: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    return folder / path if folder and (folder / path).is_file() else None


@cache
def _cached_gray(path: Path) -> Pixels:
    return read_gray(path)


def _read(paths: Sequence[Path], random: np.random.Generator) -> Pixels:
    return _cached_gray(paths[int(random.integers(len(paths)))])


def _crop(pixels: Pixels, random: np.random.Generator, least: float = 0.4) -> Pixels:
    """A random part of the picture, mirrored half of the time, with another gamma."""
    rows, columns = pixels.shape
    share = random.uniform(least, 1.0)
    height, width = max(48, int(rows * share)), max(48, int(columns * share))
    top, left = int(random.integers(0, max(1, rows - height + 1))), int(random.integers(0, max(1, columns - width + 1)))
    part = pixels[top : top + height, left : left + width]
    part = part[:, ::-1] if random.random() < 0.5 else part
    levels = (np.arange(256) / 255.0) ** np.exp(random.uniform(-0.4, 0.4)) * 255.0
    return np.ascontiguousarray(levels.astype(np.uint8)[part])


def _digits(random: np.random.Generator) -> Pixels:
    images = _digit_images()
    count = int(random.integers(1, 9))
    tiles = images[random.integers(0, len(images), count * count)] * (255.0 / 16.0)
    sheet = tiles.reshape(count, count, 8, 8).transpose(0, 2, 1, 3).reshape(count * 8, count * 8)
    return np.asarray(cv2.resize(sheet.astype(np.uint8), (256, 256), interpolation=cv2.INTER_CUBIC), np.uint8)


@cache
def _digit_images() -> NDArray[np.float64]:
    """scikit-learn's handwritten digits `[1797, 8, 8]`, 0 to 16."""
    path = _installed(*_DIGITS)
    if path is None:
        raise FileNotFoundError("scikit-learn's digits are not installed")
    return np.loadtxt(path, delimiter=",")[:, :64].reshape(-1, 8, 8)


def _frame(path: Path) -> NDArray[np.float32] | None:
    """The (middle) frame of a DICOM file, or None where this environment cannot decode it."""
    import pydicom  # noqa: PLC0415 - only the training environment has it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = pydicom.dcmread(path, force=True)
            pixels = np.asarray(found.pixel_array, np.float32)
        except (AttributeError, RuntimeError, ValueError, NotImplementedError):
            return None
    if pixels.ndim == 3 and pixels.shape[-1] not in {3, 4}:
        pixels = pixels[len(pixels) // 2]
    if pixels.ndim != 2:
        return None
    return pixels.max() - pixels if found.PhotometricInterpretation == "MONOCHROME1" else pixels


def _scan(frames: Sequence[NDArray[np.float32]], random: np.random.Generator) -> Pixels:
    frame = frames[int(random.integers(len(frames)))]
    low, high = np.percentile(frame, [random.uniform(0, 20), random.uniform(96, 100)])
    gray = np.clip((frame - low) / max(float(high - low), 1e-6) * 255, 0, 255).astype(np.uint8)
    return _crop(np.rot90(gray, int(random.integers(4)) if random.random() < 0.3 else 0), random, least=0.7)


def _square(pixels: Pixels, side: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _shuffled(pixels: Pixels, random: np.random.Generator) -> Pixels:
    count = int(random.integers(3, 9))
    side = 240 // count
    tiles = _square(pixels, side * count).reshape(count, side, count, side).transpose(0, 2, 1, 3)
    order = random.permutation(count * count)
    mixed = tiles.reshape(-1, side, side)[order].reshape(count, count, side, side)
    return np.ascontiguousarray(mixed.transpose(0, 2, 1, 3).reshape(side * count, side * count))


def _zoomed(pixels: Pixels, random: np.random.Generator) -> Pixels:
    rows, columns = pixels.shape
    height, width = rows // 4, columns // 4
    top, left = int(random.integers(rows // 4, rows // 2)), int(random.integers(columns // 4, columns // 2))
    return np.asarray(cv2.resize(pixels[top : top + height, left : left + width], (256, 256)), np.uint8)


def _half(pixels: Pixels, random: np.random.Generator) -> Pixels:
    turned = np.rot90(pixels, int(random.integers(4)))
    return np.ascontiguousarray(turned[: turned.shape[0] // 2])


def _overexposed(pixels: Pixels, random: np.random.Generator) -> Pixels:
    return np.asarray(np.clip(pixels * random.uniform(3.0, 6.0), 0, 255), np.uint8)
