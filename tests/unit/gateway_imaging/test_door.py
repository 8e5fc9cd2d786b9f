"""The pixel rules at the door: what each refuses, with which code, value and limit; and what must pass."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gateway.imaging.decode import Part, decode_study
from gateway.imaging.door import DoorLimits, check_slice, check_study, neighbor_correlation
from service_kit.errors import ServiceError
from tests.unit.gateway_imaging import pictures

RANDOM = np.random.default_rng(3)
LIMITS = DoorLimits()


def noise(rows: int = 128, columns: int = 128) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (rows, columns)).astype(np.uint8)


def page() -> NDArray[np.uint8]:
    sheet = np.full((128, 128), 255, np.uint8)
    sheet[10:120:8, 10:110] = pictures.gray8(14, 100)
    return sheet


def posterized() -> NDArray[np.uint8]:
    return (pictures.gray8() // 64 * 64).astype(np.uint8)


def faint() -> NDArray[np.uint8]:
    return (100 + np.random.default_rng(3).integers(0, 9, (96, 96)) // 2 * 2).astype(np.uint8)


def hardly_there() -> NDArray[np.uint8]:
    """Six grays in the middle of the range, and a few stray pixels of others."""
    pixels = (100 + pictures.gray8(96, 96) // 43).astype(np.uint8)
    pixels[0, :20], pixels[0, 20:40], pixels[0, 40:44] = 10, 200, 60
    return pixels


REFUSED: dict[str, tuple[Callable[[], NDArray[Any]], str, str, float]] = {
    "too small": (lambda: pictures.gray8(47, 40), "picture_too_small", "longer_side_px", 48),
    "drawn mask": (posterized, "blank_picture", "gray_levels", 8),
    "nearly constant": (lambda: np.clip(faint(), 100, 106), "blank_picture", "gray_levels", 8),
    "narrow range": (
        hardly_there,
        "blank_picture",
        "gray_range_levels",
        8,
    ),
    "page": (page, "saturated_picture", "saturated_share", 0.25),
    "overexposed": (
        lambda: np.clip(pictures.head() * 2.5, 0, 255).astype(np.uint8),
        "saturated_picture",
        "saturated_share",
        0.25,
    ),
    "white padding": (
        lambda: np.pad(pictures.gray8(), 60, constant_values=255),
        "saturated_picture",
        "saturated_share",
        0.25,
    ),
    "noise": (noise, "not_brain_mri", "neighbor_correlation", 0.3),
    "noise of 12 bits": (lambda: noise().astype(np.float32) * 16.0, "not_brain_mri", "neighbor_correlation", 0.3),
    "small noise": (lambda: noise(28, 64), "not_brain_mri", "neighbor_correlation", 0.3),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_value_the_limit_and_what_to_send(name: str) -> None:
    make, code, measured, limit = REFUSED[name]
    with pytest.raises(ServiceError) as caught:
        check_slice(make())
    error = caught.value
    assert (error.status, error.code) == (422, code), error.detail
    assert error.measurement is not None
    assert (error.measurement.name, error.measurement.limit) == (measured, limit)
    assert "Send one slice of a brain MRI" in error.detail


def test_the_measured_value_is_on_the_wrong_side_of_its_limit() -> None:
    for make, _, measured, limit in REFUSED.values():
        with pytest.raises(ServiceError) as caught:
            check_slice(make())
        assert caught.value.measurement is not None
        value = caught.value.measurement.value
        assert value > limit if measured == "saturated_share" else value < limit


@pytest.mark.parametrize(
    "pixels",
    [
        pictures.gray8(),
        pictures.gray8(64, 64),
        pictures.gray8(48, 30),
        pictures.gray8(28, 64),
        pictures.head(96, 80, 1200).astype(np.float32),
        (pictures.head(96, 80, 3.0) - 1.0).astype(np.float32),
        np.clip(pictures.head() + RANDOM.normal(0, 25, (96, 80)), 0, 255).astype(np.uint8),
        np.rot90(pictures.gray8()),
        pictures.gray8()[::-1],
    ],
    ids=["head", "64 x 64", "48 px", "oblong", "12 bits", "negative values", "noisy", "turned", "upside down"],
)
def test_a_head_passes(pixels: NDArray[Any]) -> None:
    check_slice(np.ascontiguousarray(pixels))


def test_every_sequence_is_looked_at() -> None:
    good, bad = pictures.save(pictures.gray8(96, 96), "PNG"), pictures.save(noise(96, 96), "PNG")
    check_study(decode_study([Part("t1", "a.png", good), Part("flair", "b.png", good)]))
    with pytest.raises(ServiceError, match="this is noise"):
        check_study(decode_study([Part("t1", "a.png", good), Part("flair", "b.png", bad)]))


def test_neighbors_along_one_direction_are_enough() -> None:
    stripes = np.repeat(np.random.default_rng(5).integers(0, 256, (64, 1)), 64, axis=1).astype(np.uint8)
    assert neighbor_correlation(stripes) > 0.99
    assert abs(neighbor_correlation(noise())) < 0.05


DATA = Path(os.environ.get("NEUROGATE_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.mark.skipif(not (DATA / "views64").is_dir(), reason="the development sets are not here (set NEUROGATE_DATA)")
def test_no_real_slice_breaks_a_rule() -> None:
    for folder, column in (("views64", "image"), ("t1_slices", "image")):
        with (DATA / folder / "index.csv").open(newline="") as lines:
            names = [row[column] for row in csv.DictReader(lines)]
        for name in names[:: max(1, len(names) // 60)]:
            check_slice(np.asarray(Image.open(DATA / folder / name).convert("L")))
