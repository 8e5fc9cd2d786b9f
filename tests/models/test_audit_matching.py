"""Copies are recognized through what people do to pictures; look-alikes are not called copies."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from model_export.audit.content import content_hash
from model_export.audit.head import head_outline, upright
from model_export.audit.matching import Match, find_matches
from model_export.audit.perceptual import find_candidates, local_contrast
from model_export.audit.turns import TURNS, turned
from tests.models.test_audit import made_picture

pytestmark = pytest.mark.torch


def small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)


def matches(pictures: list[NDArray[np.uint8]]) -> list[Match]:
    plain = np.stack([small(picture) for picture in pictures])
    return find_matches(plain, np.stack([upright(p, head_outline(p), 64) for p in pictures]))


def others(count: int) -> list[NDArray[np.uint8]]:
    return [made_picture(900 + number) for number in range(count)]


@pytest.mark.parametrize("turn", range(TURNS))
def test_each_of_the_eight_versions_is_found(turn: int) -> None:
    first = made_picture(1)
    (found,) = matches([first, *others(6), np.ascontiguousarray(turned(first, turn))])
    assert (found.first, found.second) == (0, 7)
    assert found.correlation > 0.98


def rotated(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    matrix = cv2.getRotationMatrix2D((47.5, 47.5), 17, 0.9)
    return np.asarray(cv2.warpAffine(picture, matrix, (96, 96)), np.uint8)


def stretched(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (110, 84)), np.uint8)


def padded(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(picture, ((5, 30), (12, 12)))


def brightened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(255 * (picture / 255.0) ** 0.6, np.uint8)


def sharpened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    blurred = cv2.GaussianBlur(picture, (0, 0), 3)
    return np.asarray(cv2.addWeighted(picture, 2.0, blurred, -1.0, 0), np.uint8)


def compressed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


@pytest.mark.parametrize("change", [rotated, stretched, padded, brightened, sharpened, compressed])
def test_a_changed_and_mirrored_copy_is_found(change) -> None:  # type: ignore[no-untyped-def]
    first = made_picture(2)
    found = matches([first, *others(6), np.ascontiguousarray(change(first)[:, ::-1])])
    assert [(match.first, match.second) for match in found] == [(0, 7)]


def test_pictures_that_merely_look_alike_are_no_copies() -> None:
    first, second = made_picture(3), made_picture(4)
    alike = cv2.addWeighted(first, 0.57, second, 0.43, 0)
    drawings = np.stack([local_contrast(small(np.asarray(p, np.uint8))) for p in (first, alike)])
    assert float((drawings[0] * drawings[1]).sum()) > 0.65
    assert matches([first, *others(6), np.asarray(alike, np.uint8)]) == []


def test_brightness_does_not_change_the_drawing_and_an_empty_picture_has_none() -> None:
    picture = small(made_picture(5))
    drawing = local_contrast(picture)
    assert float((drawing * local_contrast(picture // 2)).sum()) > 0.98
    assert not local_contrast(np.full((64, 64), 40, np.uint8)).any()


def test_candidates_are_ordered_pairs_with_the_turn_that_fits() -> None:
    pictures = [small(made_picture(seed)) for seed in range(5)]
    drawings = np.stack([local_contrast(p) for p in [*pictures, np.rot90(pictures[2])]])
    found = find_candidates(drawings, 0.9)
    assert (found.first.tolist(), found.second.tolist()) == ([2], [5])
    assert np.allclose(turned(drawings[5], int(found.turn[0])), drawings[2], atol=1e-5)


def test_the_outline_is_the_head_and_empty_on_an_empty_picture() -> None:
    picture = made_picture(6)
    outline = head_outline(picture)
    head = picture > 0
    assert (outline.astype(bool) & head).sum() / (outline.astype(bool) | head).sum() > 0.93
    assert not head_outline(np.zeros((64, 64), np.uint8)).any()


def test_the_hash_is_of_pixels_and_their_shape() -> None:
    picture = made_picture(7)
    assert content_hash(picture) == content_hash(np.asfortranarray(picture))
    assert content_hash(picture) != content_hash(picture.T)
    assert content_hash(picture[:48]) != content_hash(picture[:48].reshape(96, 48))
