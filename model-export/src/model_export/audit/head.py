"""Where the head is, and the picture brought to the head's own axes: copies that were rotated or stretched agree."""

import cv2
import numpy as np
from numpy.typing import NDArray

_FOREGROUND_SHARE = 0.12
_FOREGROUND_LEAST = 12.0
_LEAST_PX = 50
_FILL = 0.46


def head_outline(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """0/1 `[rows, columns]`: the convex hull of the largest thing that stands out of the rim; empty where none does."""
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    off = np.abs(cv2.blur(picture, (3, 3)).astype(np.float32) - float(np.median(rim)))
    limit = max(_FOREGROUND_LEAST, _FOREGROUND_SHARE * float(np.percentile(off, 99)))
    count, parts, found, _ = cv2.connectedComponentsWithStats((off > limit).astype(np.uint8))
    outline = np.zeros(picture.shape, np.uint8)
    if count < 2:
        return outline
    largest = 1 + int(np.argmax(found[1:, cv2.CC_STAT_AREA]))
    rows, columns = np.nonzero(parts == largest)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    return np.asarray(cv2.fillConvexPoly(outline, hull, 1), np.uint8)


def upright(picture: NDArray[np.uint8], outline: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture `[side, side]`, the head centered, its long axis vertical, both axes stretched to one length.

    What is left open (which end is up, mirrored or not) are the eight turns that the comparison tries anyway.
    """
    if int(outline.sum()) < _LEAST_PX:
        return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    moments = cv2.moments(outline, binaryImage=True)
    mass = moments["m00"]
    center = np.array([moments["m10"] / mass, moments["m01"] / mass])
    spread = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]]) / mass
    lengths, axes = np.linalg.eigh(spread)
    step = np.sqrt(np.maximum(lengths, 1.0)) * 2 / (side * _FILL)
    matrix = np.zeros((2, 3))
    matrix[:, :2] = axes * step
    matrix[:, 2] = center - matrix[:, :2] @ np.full(2, (side - 1) / 2)
    shrink = float(step.min())
    smooth = cv2.GaussianBlur(picture, (0, 0), shrink / 2) if shrink > 1.2 else picture
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(smooth, matrix, (side, side), flags=flags), np.uint8)
