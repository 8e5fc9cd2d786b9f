"""NIfTI-1 and NIfTI-2 single files (.nii, .nii.gz) -> a volume. The header is judged before more is inflated.

Of the header only geometry and number format are read: its free text and its extensions may name the patient and never
become objects. https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields says what the fields mean.
"""

import gzip
import io
import math
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from gateway.grid import Grid, Matrix, Triple
from gateway.imaging.errors import FileTooLarge, GeometryUnclear, UnreadableFile, UnsupportedVolume, VolumeTooLarge
from gateway.imaging.volume import Volume
from gateway.imaging.volume_limits import VolumeLimits
from gateway.imaging.voxels import keep

GZIP_MAGIC: Final = b"\x1f\x8b"
# nibabel's headers have no types: their fields are read as items and turned into plain numbers at once.
Header = Any
_KINDS: Final[dict[str, tuple[int, Any]]] = {"n+1": (348, Nifti1Header), "n+2": (540, Nifti2Header)}
_HEAD_BYTES: Final = 540
_NUMBERS: Final = frozenset(np.dtype(kind) for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "i8", "u8", "f4", "f8"))
_UNSUPPORTED: Final = {
    1: "single bits: a mask", 32: "complex numbers", 128: "colors (RGB)", 511: "colors (RGB)", 1536: "128-bit numbers",
    1792: "complex numbers", 2048: "complex numbers", 2304: "colors (RGBA)",
}  # fmt: skip
_UNITS: Final = {1: "meters", 3: "micrometers"}
_TRANSFORMS_DIFFER_VX: Final = 0.5
_CUT_SHORT: Final = "The NIfTI file is cut short: its header asks for {} bytes of voxels, {} are there."
_DAMAGED_GZIP: Final = "The gzip stream of the NIfTI file is damaged or cut short."


@dataclass(frozen=True, slots=True)
class NiftiVolume:
    """One decoded file: the volume, and what a reader of the result should know."""

    volume: Volume
    warnings: tuple[str, ...]


def is_nifti(content: bytes) -> bool:
    """Whether the bytes, inflated where they are gzip, begin with a NIfTI header of any kind."""
    return _magic(_head(content)) is not None


def decode_nifti(content: bytes, limits: VolumeLimits) -> NiftiVolume:
    """Decode one volume; values are scaled by the header's slope and intercept.

    Raises:
        FileTooLarge, VolumeTooLarge: bytes, voxels, or an inflated stream beyond the limits.
        UnreadableFile: wrong magic, cut short, damaged, a header that contradicts itself.
        UnsupportedVolume: several volumes in one file, colors, complex numbers, a header without voxels.
        GeometryUnclear: transforms that contradict each other or cannot be true.
        UnsupportedPixels, BlankPicture, PictureTooSmall: as for slices.
    """
    if len(content) > limits.max_file_bytes:
        raise FileTooLarge(f"The file has {len(content)} bytes; at most {limits.max_file_bytes} are accepted.")
    header, kind, grid, warnings = check_header(content, limits)
    shape = grid.shape
    slope, intercept = _scaling(header)
    stored, trailing = _stored(content, header, shape, kind, limits)
    values = stored if (slope, intercept) == (1.0, 0.0) else _scaled(stored, slope, intercept)
    voxels, note = keep(values)
    notes = [*warnings, *([note] if note else [])]
    if trailing:
        notes.append(f"{trailing} bytes follow the voxels of the NIfTI file; they were not read.")
    return NiftiVolume(Volume(voxels, grid), tuple(notes))


def check_header(head: bytes, limits: VolumeLimits) -> tuple[Header, np.dtype[Any], Grid, list[str]]:
    """Judge a file by its header alone; `head` is the file or its first bytes, also compressed.

    Returns the header, the number format, the grid, and what a reader should know. Raises as `decode_nifti` does.
    """
    header = _read_header(_head(head))
    shape = _shape(header)
    limits.check_shape(shape)
    kind = _number_format(header)
    grid, warnings = _grid(header, shape)
    limits.check_spacing(grid.spacing_mm)
    limits.check_shear(grid.shear_deg)
    return header, kind, grid, list(warnings)


def _open(content: bytes) -> BinaryIO:
    source = io.BytesIO(content)
    return cast("BinaryIO", gzip.GzipFile(fileobj=source)) if content.startswith(GZIP_MAGIC) else source


def _head(content: bytes) -> bytes:
    try:
        return _open(content).read(_HEAD_BYTES)
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableFile(_DAMAGED_GZIP) from error


def _magic(head: bytes) -> str | None:
    if head[4:7] in {b"n+2", b"ni2"}:
        return head[4:7].decode()
    if head[344:347] in {b"n+1", b"ni1"}:
        return head[344:347].decode()
    return None


def _read_header(head: bytes) -> Header:
    magic = _magic(head)
    if magic is None:
        raise UnreadableFile(
            "This is no NIfTI file: the magic of its header is missing. Analyze files are not accepted, since they do "
            "not say where left and right are."
        )
    if magic.startswith("ni"):
        raise UnsupportedVolume("This is the header of a NIfTI pair (.hdr with .img). Save it as one .nii or .nii.gz.")
    size, kind = _KINDS[magic]
    if len(head) < size:
        raise UnreadableFile("The NIfTI file is cut short: it ends inside its header.")
    header = kind(head[:size], check=False)
    if int(header["sizeof_hdr"]) != size:
        raise UnreadableFile(f"The NIfTI header says that it has {int(header['sizeof_hdr'])} bytes, not {size}.")
    return header


def _shape(header: Header) -> Triple:
    dimensions = [int(size) for size in header["dim"]]
    count = dimensions[0]
    if not 1 <= count <= 7 or any(size < 1 for size in dimensions[1 : count + 1]):
        raise UnreadableFile("The NIfTI header's dimensions are not positive numbers.")
    sizes = dimensions[1 : count + 1] + [1] * (3 - count)
    volumes = math.prod(sizes[3:])
    if volumes > 1:
        raise UnsupportedVolume(
            f"The NIfTI file holds {volumes} volumes and does not say which is which sequence or time point. Split it "
            "(fslsplit, nibabel.four_to_three) and send one file for each, as parts named t1, t1ce, t2, flair."
        )
    return sizes[0], sizes[1], sizes[2]


def _number_format(header: Header) -> np.dtype[Any]:
    code = int(header["datatype"])
    try:
        kind: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except (HeaderDataError, KeyError) as error:
        raise UnreadableFile(f"The NIfTI header's number format (code {code}) does not exist.") from error
    if code in _UNSUPPORTED or kind.newbyteorder("=") not in _NUMBERS:
        raise UnsupportedVolume(
            f"The NIfTI file holds {_UNSUPPORTED.get(code, 'no numbers')}; a scan has real numbers."
        )
    return kind


def _scaling(header: Header) -> tuple[float, float]:
    try:
        slope, intercept = header.get_slope_inter()
    except HeaderDataError as error:
        raise UnreadableFile("The NIfTI header's slope or intercept is not a finite number.") from error
    if slope is None:
        return 1.0, 0.0
    return float(slope), float(intercept or 0.0)


def _scaled(stored: NDArray[Any], slope: float, intercept: float) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(stored.astype(np.float32) * np.float32(slope) + np.float32(intercept), np.float32)


def _grid(header: Header, shape: Triple) -> tuple[Grid, list[str]]:
    """The grid by the standard's rules: sform where it is coded, else qform, else voxel sizes alone."""
    if (units := int(header["xyzt_units"]) & 0x07) in _UNITS:
        raise GeometryUnclear(f"The NIfTI header counts in {_UNITS[units]}. Save it in millimeters.")
    try:
        sform, sform_code = header.get_sform(coded=True)
        qform, qform_code = header.get_qform(coded=True)
    except (HeaderDataError, ValueError) as error:
        raise GeometryUnclear("The NIfTI header's qform is no rotation. Save the file again.") from error
    if sform is not None:
        grid = Grid(shape, _believed(sform, "sform"))
        return grid, [] if qform is None else _compared(grid, Grid(shape, _believed(qform, "qform")))
    if qform is not None:
        return Grid(shape, _believed(qform, "qform")), []
    note = (
        f"The NIfTI header says no orientation (sform code {int(sform_code)}, qform code {int(qform_code)}): the order "
        "of its axes was guessed, and left and right are unknown."
    )
    return Grid(shape, _believed(header.get_base_affine(), "pixdim"), oriented=False), [note]


def _believed(affine: Any, name: str) -> Matrix:
    matrix = np.asarray(affine, np.float64)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.isfinite(matrix).all() or spacing.min() <= 0:
        raise GeometryUnclear(f"The NIfTI header's {name} has values that are no lengths. Save the file again.")
    if abs(np.linalg.det(matrix[:3, :3] / spacing)) < 0.5:
        raise GeometryUnclear(f"The NIfTI header's {name} lays two axes into one. Save the file again.")
    return matrix


def _compared(grid: Grid, other: Grid) -> list[str]:
    if grid.axis_codes != other.axis_codes:
        raise GeometryUnclear(
            f"The NIfTI header's two transforms contradict each other: axes run {grid.axis_codes} by the sform and "
            f"{other.axis_codes} by the qform, so left and right are uncertain. Save the file with one transform."
        )
    distance_vx = grid.distance_vx(other)
    if distance_vx <= _TRANSFORMS_DIFFER_VX:
        return []
    return [f"The NIfTI header's sform and qform differ by up to {distance_vx:.1f} voxels; the sform was taken."]


def _stored(
    content: bytes, header: Header, shape: Triple, kind: np.dtype[Any], limits: VolumeLimits
) -> tuple[NDArray[Any], int]:
    """The stored numbers `[i, j, k]`, and how many bytes follow them."""
    offset = float(header["vox_offset"])
    least = int(header["sizeof_hdr"]) + 4
    if not math.isfinite(offset) or offset != int(offset) or int(offset) < least:
        raise UnreadableFile(f"The NIfTI header's vox_offset is {offset:g}; voxels begin at byte {least} or later.")
    start, wanted = int(offset), math.prod(shape) * kind.itemsize
    if start + wanted > limits.max_inflated_bytes:
        raise VolumeTooLarge(
            f"The NIfTI header asks for {start + wanted} bytes; at most {limits.max_inflated_bytes} are inflated."
        )
    source = _open(content)
    try:
        source.seek(start)
        body = source.read(wanted)
        # The checksum of a gzip stream stands at its end: reading on to there also proves the voxels.
        trailing = len(source.read(limits.max_trailing_bytes + 1)) if len(body) == wanted else 0
    except (EOFError, OSError, zlib.error) as error:
        raise UnreadableFile(_DAMAGED_GZIP) from error
    if len(body) < wanted:
        raise UnreadableFile(_CUT_SHORT.format(wanted, len(body)))
    if trailing > limits.max_trailing_bytes:
        raise VolumeTooLarge(f"More than {limits.max_trailing_bytes} bytes follow the voxels of the NIfTI file.")
    stored = np.frombuffer(body, kind).reshape(shape, order="F")
    return (stored if kind.isnative else stored.astype(kind.newbyteorder("="))), trailing
