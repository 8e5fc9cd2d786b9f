"""DICOM files -> volumes: every series becomes one, its slices sorted by position, each oddity said or refused."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.grid import Grid
from gateway.imaging.dicom import MrObject, open_mr
from gateway.imaging.dicom_rules import Header, other_body_part, rescale, warnings_of
from gateway.imaging.errors import GeometryUnclear, SeriesConflict, UnsupportedVolume, VolumeTooLarge
from gateway.imaging.geometry import numbers, sequence_of
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.stacking import SlicePlace, Stack, stack_slices
from gateway.imaging.study import Pixels
from gateway.imaging.volume import Volume
from gateway.imaging.volume_limits import VolumeLimits
from gateway.imaging.voxels import keep
from service_kit.contracts.common import Sequence
from service_kit.errors import InvalidRequest

_INT16: Final = np.iinfo(np.int16)


@dataclass(frozen=True, slots=True)
class Series:
    """One decoded series. `sequence` is what its header reads as; `frame_of_reference` is equal where two series share
    their coordinates, and a digest, since the identifier itself is the patient's.
    """

    volume: Volume
    sequence: Sequence | None
    warnings: tuple[str, ...]
    body_part: str | None
    frame_of_reference: str | None


@dataclass(frozen=True, slots=True)
class _Slice:
    """One frame of one object."""

    mr: MrObject
    frame: int
    header: Header

    def place(self) -> SlicePlace | None:
        position = numbers(self.header.get("ImagePositionPatient"), 3)
        orientation = numbers(self.header.get("ImageOrientationPatient"), 6)
        spacing = numbers(self.header.get("PixelSpacing"), 2)
        if position is None or orientation is None or spacing is None:
            return None
        return SlicePlace((position[0], position[1], position[2]), tuple(orientation), (spacing[0], spacing[1]))


def decode_series(contents: Items[bytes], limits: VolumeLimits) -> tuple[list[Series], tuple[str, ...]]:
    """The volumes that DICOM files hold, one a series, and what was left out.

    Files that are no MR images, and series that are no volumes (a localizer), are left out with a warning where another
    series is one. Raises the first refusal where nothing is left: the errors of `open_mr` and `stack_slices`, `keep`,
    `VolumeTooLarge`.
    """
    if len(contents) > limits.max_files:
        raise VolumeTooLarge(f"{len(contents)} DICOM files were sent; at most {limits.max_files} are accepted.")
    objects, refusals = _open_all(contents, limits)
    if not objects:
        raise refusals[0]
    warnings = _left_out("file", len(contents), refusals)
    groups: dict[str, list[_Slice]] = {}
    for mr in objects:
        group = groups.setdefault(str(mr.header.get("SeriesInstanceUID")), [])
        group += [_Slice(mr, number, header) for number, header in enumerate(mr.frame_headers())]
    series: list[Series] = []
    failed: list[InvalidRequest] = []
    for group in groups.values():
        try:
            series.append(_decode_group(group, limits))
        except InvalidRequest as error:
            failed.append(error)
    if not series:
        raise failed[0] if len(failed) == 1 else _all_failed(failed)
    return series, (*warnings, *_left_out("series", len(groups), failed))


def _open_all(contents: Items[bytes], limits: VolumeLimits) -> tuple[list[MrObject], list[InvalidRequest]]:
    objects: list[MrObject] = []
    refusals: list[InvalidRequest] = []
    for content in contents:
        try:
            objects.append(open_mr(content, DecodeLimits(), max_frames=limits.max_files))
        except InvalidRequest as error:
            refusals.append(error)
    return objects, refusals


def _left_out(what: str, total: int, refusals: list[InvalidRequest]) -> tuple[str, ...]:
    if not refusals:
        return ()
    codes = ", ".join(f"{count} {code}" for code, count in sorted(Counter(error.code for error in refusals).items()))
    several = what if what == "series" else f"{what}s"
    return (f"{len(refusals)} of {total} {several} were left out ({codes}). The first: {refusals[0].detail}",)


def _all_failed(failed: list[InvalidRequest]) -> SeriesConflict:
    details = Counter(error.detail for error in failed).most_common(4)
    reasons = " ".join(f"{count} of them: {detail}" for detail, count in details)
    return SeriesConflict(f"None of the {len(failed)} series makes a volume. {reasons}")


def _decode_group(group: list[_Slice], limits: VolumeLimits) -> Series:
    header = group[0].header
    if any("MOSAIC" in (member.header.get("ImageType") or ()) for member in group):
        raise UnsupportedVolume("The series is of mosaics (several slices in one picture). Convert it to NIfTI first.")
    shapes = Counter((member.header["Rows"], member.header["Columns"]) for member in group)
    if len(shapes) > 1:
        sizes = ", ".join(f"{count} of {rows} x {columns}" for (rows, columns), count in sorted(shapes.items()))
        raise SeriesConflict(f"The slices differ in size (rows x columns): {sizes}. Send those of one size.")
    stack = stack_slices(_places(group), limits)
    (rows, columns), slices = next(iter(shapes)), len(stack.slots)
    limits.check_shape((columns, rows, slices))
    grid = Grid.from_lps((columns, rows, slices), stack.affine)
    limits.check_spacing(grid.spacing_mm)
    limits.check_shear(grid.shear_deg)
    values, repeated = _fill(group, stack, grid)
    voxels, note = keep(values)
    reference = header.get("FrameOfReferenceUID")
    return Series(
        volume=Volume(voxels, grid),
        sequence=sequence_of(header),
        warnings=(*warnings_of(header), *stack.warnings, *_said(header, grid), *repeated, *([note] if note else [])),
        body_part=other_body_part(header),
        frame_of_reference=hashlib.sha256(str(reference).encode()).hexdigest() if reference else None,
    )


def _places(group: list[_Slice]) -> list[SlicePlace]:
    places = [member.place() for member in group]
    known = [place for place in places if place is not None]
    if len(known) < len(places):
        raise GeometryUnclear(
            f"{len(places) - len(known)} of {len(places)} slices do not say where they lie (ImagePositionPatient, "
            "ImageOrientationPatient, PixelSpacing). Send the original files of the scanner."
        )
    return known


def _said(header: Header, grid: Grid) -> tuple[str, ...]:
    said = numbers([header.get("SpacingBetweenSlices")], 1)
    if said is None or abs(abs(said[0]) - grid.spacing_mm[2]) <= 0.1 * grid.spacing_mm[2]:
        return ()
    return (
        f"The header says {abs(said[0]):.2f} mm between slices; their positions are {grid.spacing_mm[2]:.2f} mm apart, "
        "which was taken. Every second slice may be missing.",
    )


def _fill(group: list[_Slice], stack: Stack, grid: Grid) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The values `[columns, rows, slices]`, in int16 where all fit, and a warning where slices came twice.

    Frames are decoded object by object, each object's elements read once.
    """
    slot_of = {index: k for k, slot in enumerate(stack.slots) for index in slot}
    values = np.zeros(grid.shape, np.float32, order="F")
    filled = np.zeros(grid.shape[2], np.bool_)
    repeated, whole = 0, True
    for index, pixels in _decoded(group):
        k = slot_of[index]
        if not filled[k]:
            values[:, :, k], filled[k] = pixels.T, True
            whole = whole and bool((pixels == np.rint(pixels)).all())
        elif np.array_equal(values[:, :, k], pixels.T):
            repeated += 1
        else:
            raise _several(stack)
    if any(member.header["PhotometricInterpretation"] == "MONOCHROME1" for member in group):
        values = values.max() + values.min() - values
    for k in np.flatnonzero(~filled).tolist():
        # Runs of missing slices are short: between the two that are there, each by its distance.
        before, after = k - 1, k + int(filled[k:].argmax())
        values[:, :, k] = (values[:, :, before] * (after - k) + values[:, :, after]) / (after - before)
    if whole and filled.all() and _INT16.min <= values.min() and values.max() <= _INT16.max:
        values = values.astype(np.int16)
    return values, (f"{repeated} slices came twice; one of each was taken.",) if repeated else ()


def _decoded(group: list[_Slice]) -> Iterator[tuple[int, Pixels]]:
    """(index in `group`, rescaled pixels) one after the other; frames of one object stand next to each other."""
    start = 0
    while start < len(group):
        stop = start
        while stop < len(group) and group[stop].mr is group[start].mr:
            stop += 1
        frames = group[start].mr.decode(member.frame for member in group[start:stop])
        for index, stored in zip(range(start, stop), frames, strict=True):
            header = {**group[index].header, "PhotometricInterpretation": "MONOCHROME2"}
            yield index, rescale(stored, header)
        start = stop


def _several(stack: Stack) -> SeriesConflict:
    counts = Counter(len(slot) for slot in stack.slots if slot)
    most = max(counts)
    return SeriesConflict(
        f"{counts[most]} of {len(stack.slots)} positions have {most} different pictures: echoes, time points, "
        "diffusion weightings or parts of a complex image. Send one of them."
    )
