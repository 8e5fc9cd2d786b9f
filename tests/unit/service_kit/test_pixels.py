from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service_kit.errors import InvalidRequest
from service_kit.inference.pixels import MAX_SIDE_PX, refuse_others, take_pixels, take_vector
from service_kit.tensors import Envelope

AXES = ("rows", "columns")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pixels_are_taken_as_they_are(dtype: type[np.generic]) -> None:
    sent = np.ones((3, 4), dtype)
    assert take_pixels(Envelope({"image": sent}, {}), "image", AXES) is sent


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 4), np.int32), "uint8 or float32, not int32"),
        (np.zeros((1, 3, 4), np.uint8), r"must be \[rows, columns\], not of 3"),
        (np.zeros((3, 0), np.uint8), r"empty: its shape is \[3, 0\]"),
        (np.zeros((MAX_SIDE_PX + 1, 1), np.uint8), "too large"),
        (np.array([[0, np.nan]], np.float32), "NaN"),
        (np.array([[0, -np.inf]], np.float32), "infinity"),
        (np.array([[0, 2e12]], np.float32), "beyond"),
    ],
)
def test_bad_pixels_are_refused(array: NDArray[Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        take_pixels(Envelope({"image": array}, {}), "image", AXES)


def test_missing_arrays_are_named() -> None:
    with pytest.raises(InvalidRequest, match=r"image is missing: send it as \[rows, columns\]"):
        take_pixels(Envelope({}, {}), "image", AXES)
    with pytest.raises(InvalidRequest, match=r"v is missing: send it as float32 \[3\]"):
        take_vector(Envelope({}, {}), "v", 3)


@pytest.mark.parametrize("vector", [np.zeros(2, np.float32), np.zeros(3), np.array([0, 0, np.nan], np.float32)])
def test_bad_vectors_are_refused(vector: NDArray[Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"^v "):
        take_vector(Envelope({"v": vector}, {}), "v", 3)


def test_other_arrays_are_refused_without_repeating_their_names() -> None:
    envelope = Envelope({"image": np.zeros(1), "Eva Musterfrau": np.zeros(1)}, {})
    with pytest.raises(InvalidRequest, match="reads image, mask") as caught:
        refuse_others(envelope, ("image", "mask"))
    assert "Eva" not in caught.value.detail
