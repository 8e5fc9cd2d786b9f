"""The files of a request -> decoded volumes, not yet named: zip archives are unpacked, DICOM files stacked."""

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Literal

from gateway.imaging.archive import is_zip, unpack
from gateway.imaging.dicom import open_mr
from gateway.imaging.errors import EmptyFile, FileTooLarge, PartsConflict, UnsupportedFormat
from gateway.imaging.formats import sniff
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.nifti import decode_nifti, is_nifti
from gateway.imaging.part import Part
from gateway.imaging.sequence_names import read_name
from gateway.imaging.series import decode_series
from gateway.imaging.volume import Volume, VolumeFormat
from gateway.imaging.volume_limits import VolumeLimits
from service_kit.contracts.common import Sequence
from service_kit.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Source:
    """A volume with what is known of its sequence.

    `part` is the form's field it came in, `hint` what the DICOM header or the NIfTI file's name reads as;
    `frame_of_reference` is as in `Series`.
    """

    part: str
    volume: Volume
    format: VolumeFormat
    hint: Sequence | None = None
    warnings: tuple[str, ...] = ()
    body_part: str | None = None
    frame_of_reference: str | None = None


@dataclass(frozen=True, slots=True)
class _File:
    part: str
    kind: Literal["nifti", "dicom"]
    name: Sequence | Literal["mask"] | None
    content: bytes


def holds_volume(parts: Items[Part]) -> bool:
    """Whether these parts are a volume or a series rather than a slice; judged by first bytes and headers alone."""
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        return True
    return any(is_zip(part.content) or is_nifti(part.content) or _frames(part.content) > 1 for part in parts)


def _frames(content: bytes) -> int:
    try:
        if sniff(content) != "dicom":
            return 1
        return int(open_mr(content, DecodeLimits(), max_frames=VolumeLimits().max_files).header["NumberOfFrames"])
    except InvalidRequest:
        # Not for this question to answer: the decoder refuses it with its reason.
        return 1


def read_sources(parts: Items[Part], limits: VolumeLimits) -> tuple[list[Source], tuple[str, ...]]:
    """Every volume in the order in which it came, and what was left out.

    Raises `PartsConflict`, `UnsupportedFormat`, `EmptyFile`, and what `unpack`, `decode_nifti` and `decode_series`
    raise, with the part's name before the reason where there are several.
    """
    files, warnings = _files(parts, limits)
    scans = [file for file in files if file.kind == "dicom" or file.name != "mask" or file.part != "file"]
    if len(scans) < len(files):
        warnings.append(f"{len(files) - len(scans)} files of labels, by their names, were left out.")
    if not scans:
        raise PartsConflict("There is no scan among the files, only labels by their names.")
    sources: list[Source] = []
    stacked: set[str] = set()
    for file in scans:
        try:
            if file.kind == "nifti":
                sources.append(_nifti(file, limits))
            elif file.part not in stacked:
                stacked.add(file.part)
                together = [other.content for other in scans if (other.part, other.kind) == (file.part, "dicom")]
                found, notes = decode_series(together, limits)
                warnings += notes
                sources += [
                    Source(
                        file.part, one.volume, "dicom", one.sequence, one.warnings, one.body_part,
                        one.frame_of_reference,
                    )
                    for one in found
                ]  # fmt: skip
        except InvalidRequest as error:
            if len({other.part for other in scans}) == 1:
                raise
            raise type(error)(f"Part '{file.part}': {error.detail}", measurement=error.measurement) from error
    return sources, tuple(warnings)


def _nifti(file: _File, limits: VolumeLimits) -> Source:
    found = decode_nifti(file.content, limits)
    return Source(file.part, found.volume, "nifti", None if file.name == "mask" else file.name, found.warnings)


def _files(parts: Items[Part], limits: VolumeLimits) -> tuple[list[_File], list[str]]:
    files: list[_File] = []
    warnings: list[str] = []
    for part in parts:
        if not part.content:
            raise EmptyFile("The file has no bytes: was it still being written, or was the path wrong?")
        if len(part.content) > limits.max_file_bytes:
            raise FileTooLarge(f"The file has {len(part.content)} bytes; at most {limits.max_file_bytes} are accepted.")
        if not is_zip(part.content):
            files.append(_File(part.name, _kind(part.content), read_name(part.filename), part.content))
            continue
        members = unpack(part.content, limits)
        inside: list[_File] = []
        for member in members:
            try:
                inside.append(_File(part.name, _kind(member.content), read_name(member.name), member.content))
            except UnsupportedFormat:
                continue
        if not inside:
            raise UnsupportedFormat("The zip archive holds neither DICOM nor NIfTI files.")
        if len(inside) < len(members):
            warnings.append(f"{len(members) - len(inside)} files of the archive are neither DICOM nor NIfTI.")
        files += inside
    return files, warnings


def _kind(content: bytes) -> Literal["nifti", "dicom"]:
    if is_nifti(content):
        return "nifti"
    if content.startswith(b"\x1f\x8b"):
        raise UnsupportedFormat("The gzip file holds no NIfTI volume. Send .nii.gz, DICOM files, or a zip of them.")
    kind = sniff(content)
    if kind != "dicom":
        raise UnsupportedFormat("A picture came with a volume or several files. Send slices one by one.")
    return "dicom"
