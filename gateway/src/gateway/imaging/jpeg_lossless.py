"""Lossless JPEG and JPEG-LS frames of DICOM files, decoded in a child process with limits on memory and time.

On damaged frames GDCM may end its process and CharLS may compute for seconds: neither runs inside the gateway.
"""

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
_DAMAGED = "The lossless JPEG inside the DICOM file is damaged or cut short."


def decode_jpeg_lossless(
    frame: bytes, syntax: str, rows: int, columns: int, *, bits_allocated: int, bits_stored: int, signed: bool
) -> NDArray[np.generic]:
    """One gray frame -> `[rows, columns]` of 8- or 16-bit integers (`bits_allocated`). Raises `UnreadableFile`."""
    memory_bytes = _BASE_MEMORY_BYTES + rows * columns * _BYTES_PER_SAMPLE
    numbers = (rows, columns, bits_allocated, bits_stored, int(signed), memory_bytes)
    command = [sys.executable, "-I", str(CHILD), syntax, *(str(number) for number in numbers)]
    try:
        # No shell; our own file, a known transfer syntax and numbers.
        run = subprocess.run(command, input=frame, capture_output=True, timeout=TIMEOUT_S, check=True)  # noqa: S603
    except subprocess.SubprocessError as error:
        raise UnreadableFile(_DAMAGED) from error
    # A decoder that complains has filled the rest of the picture by guessing.
    if run.stderr or len(run.stdout) != rows * columns * bits_allocated // 8:
        raise UnreadableFile(_DAMAGED)
    size_bytes = bits_allocated // 8
    if not signed:
        return np.frombuffer(run.stdout, f"<u{size_bytes}").reshape(rows, columns)
    # The code stream has `bits_stored` bits a sample; the sign is the highest of them.
    shift = bits_allocated - bits_stored
    values = np.frombuffer(run.stdout, f"<i{size_bytes}").reshape(rows, columns)
    return (values << shift) >> shift
