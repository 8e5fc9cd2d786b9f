"""Lossless JPEG frames of DICOM files, decoded in a child process with limits on memory and time."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.imaging.errors import UnreadableFile

CHILD = Path(__file__).with_name("jpeg_lossless_child.py")
TIMEOUT_S = 8.0
_BASE_MEMORY_BYTES = 768 * 2**20
_BYTES_PER_SAMPLE = 16


def decode_jpeg_lossless(
    frame: bytes, syntax: str, rows: int, columns: int, *, bits_allocated: int, bits_stored: int, signed: bool
) -> NDArray[np.generic]:
    """One gray frame -> `[rows, columns]` of 8- or 16-bit integers. Raises `UnreadableFile`."""
    memory_bytes = _BASE_MEMORY_BYTES + rows * columns * _BYTES_PER_SAMPLE
    numbers = (rows, columns, bits_allocated, bits_stored, int(signed), memory_bytes)
    command = [sys.executable, "-I", str(CHILD), syntax, *(str(number) for number in numbers)]
    try:
        run = subprocess.run(command, input=frame, capture_output=True, timeout=TIMEOUT_S, check=True)  # noqa: S603 - our own file, numbers only
    except subprocess.SubprocessError as error:
        raise UnreadableFile("The lossless JPEG inside the DICOM file is damaged or cut short.") from error
    size_bytes = bits_allocated // 8
    # A decoder that complains has filled the rest of the picture by guessing.
    if run.stderr or len(run.stdout) != rows * columns * size_bytes:
        raise UnreadableFile("The lossless JPEG inside the DICOM file is damaged: it does not fill the picture.")
    return np.frombuffer(run.stdout, f"<{'i' if signed else 'u'}{size_bytes}").reshape(rows, columns)
