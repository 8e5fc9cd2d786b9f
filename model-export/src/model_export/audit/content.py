"""The hash of what a picture shows, whatever file it lies in."""

import hashlib

import numpy as np
from numpy.typing import NDArray


def content_hash(pixels: NDArray[np.generic]) -> str:
    """Hex digest of decoded pixels `[rows, columns(, channels)]`: shape, type and values; not of the file's bytes."""
    head = f"{pixels.shape}{pixels.dtype.str}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(pixels).tobytes()).hexdigest()
