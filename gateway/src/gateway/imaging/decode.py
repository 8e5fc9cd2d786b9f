"""The entry: the parts of a request -> one `Study`. Content decides what a file is; its name and type are hearsay."""

import hashlib
from collections.abc import Sequence as Items
from pathlib import PurePath
from types import MappingProxyType
from typing import TypeGuard, get_args

from gateway.imaging.decode_volume import decode_volumes
from gateway.imaging.dicom import decode_dicom
from gateway.imaging.errors import EmptyFile, FileTooLarge, PartsConflict
from gateway.imaging.formats import EXTENSIONS, NAMES, sniff
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.part import Part
from gateway.imaging.raster import decode_raster
from gateway.imaging.sources import holds_volume
from gateway.imaging.study import CLASSIFIED_FIRST, Picture, Study
from gateway.imaging.volume import VolumeStudy
from gateway.imaging.volume_limits import VolumeLimits
from service_kit.contracts.common import Sequence
from service_kit.errors import InvalidRequest

__all__ = ["DecodeLimits", "Part", "decode_input", "decode_study"]

DEFAULT_SEQUENCE: Sequence = "t1ce"
SEQUENCES: tuple[Sequence, ...] = get_args(Sequence)


def decode_input(
    parts: Items[Part],
    *,
    sequence: Sequence | None = None,
    limits: DecodeLimits | None = None,
    volume_limits: VolumeLimits | None = None,
) -> Study | VolumeStudy:
    """A slice by `decode_study`, a series or volume by `decode_volumes`: what the parts hold decides."""
    if holds_volume(parts):
        return decode_volumes(parts, sequence=sequence, limits=volume_limits)
    return decode_study(parts, sequence=sequence, limits=limits)


def decode_study(parts: Items[Part], *, sequence: Sequence | None = None, limits: DecodeLimits | None = None) -> Study:
    """Decode one slice: a lone part "file", or one part for each sequence, all of one shape.

    `sequence` names what a lone "file" is; without it the DICOM header is asked, then `t1ce` is taken.
    Pure and synchronous: call it in a thread. Raises only the errors of `gateway.imaging.errors`.
    """
    limits = limits or DecodeLimits()
    _check_names(parts, sequence, limits)
    if len(parts) == 1:
        part = parts[0]
        picture = _decode_part(part, limits)
        name, warning = _sequence_of(part, picture, sequence)
        warnings = picture.warnings if warning is None else (*picture.warnings, warning)
        return _study({name: picture}, hashlib.sha256(part.content).hexdigest(), warnings)
    return _join(parts, limits)


def _check_names(parts: Items[Part], sequence: Sequence | None, limits: DecodeLimits) -> None:
    names = [part.name for part in parts]
    if not names:
        raise PartsConflict(f"No file was sent: send one part 'file', or parts named {', '.join(SEQUENCES)}.")
    if len(names) > limits.max_parts:
        raise PartsConflict(f"{len(names)} files were sent; at most {limits.max_parts} are accepted: one a sequence.")
    if any(name != "file" and not _is_sequence(name) for name in names):
        raise PartsConflict(f"A part's name is not known: use 'file', or {', '.join(SEQUENCES)}.")
    if names.count("file") > 1:
        raise PartsConflict(
            "Several parts are named 'file': one slice is accepted here; send series to /v1/analyses. For several "
            f"sequences of the same slice name the parts {', '.join(SEQUENCES)}."
        )
    if "file" in names and len(names) > 1:
        raise PartsConflict(
            f"A part 'file' came with parts named by sequence: name all of them {', '.join(SEQUENCES)}."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PartsConflict(f"The sequence {', '.join(twice)} came more than once.")
    if sequence is not None and names not in (["file"], [sequence]):
        raise PartsConflict(
            "The option 'sequence' is for a lone part 'file'; parts named by sequence say it themselves."
        )


def _is_sequence(name: str) -> TypeGuard[Sequence]:
    return name in SEQUENCES


def _decode_part(part: Part, limits: DecodeLimits) -> Picture:
    if not part.content:
        raise EmptyFile("The file has no bytes: was it still being written, or was the path wrong?")
    if len(part.content) > limits.max_file_bytes:
        raise FileTooLarge(f"The file has {len(part.content)} bytes; at most {limits.max_file_bytes} are accepted.")
    kind = sniff(part.content)
    extension = PurePath(part.filename).suffix.lower()
    claimed = EXTENSIONS.get(extension)
    lies = claimed is not None and claimed != kind
    warnings = (f"The file is {NAMES[kind]}, although its name ends in {extension}.",) if lies else ()
    if kind == "dicom":
        return decode_dicom(part.content, limits, warnings)
    return Picture(kind, decode_raster(part.content, kind, limits), warnings=warnings)


def _sequence_of(part: Part, picture: Picture, asked: Sequence | None) -> tuple[Sequence, str | None]:
    said = part.name if _is_sequence(part.name) else asked
    if said is None:
        return picture.sequence or DEFAULT_SEQUENCE, None
    if picture.sequence is not None and picture.sequence != said:
        return said, f"The DICOM header reads as {picture.sequence}; taken as {said}, as the request says."
    return said, None


def _join(parts: Items[Part], limits: DecodeLimits) -> Study:
    pictures: dict[Sequence, Picture] = {}
    digests: list[str] = []
    warnings: list[str] = []
    for part in parts:
        try:
            picture = _decode_part(part, limits)
        except InvalidRequest as error:
            raise type(error)(f"Part '{part.name}': {error.detail}", measurement=error.measurement) from error
        name, warning = _sequence_of(part, picture, None)
        pictures[name] = picture
        digests.append(f"{name} {hashlib.sha256(part.content).hexdigest()}\n")
        notes = picture.warnings if warning is None else (*picture.warnings, warning)
        warnings += [f"{name}: {note}" for note in notes]
    return _study(pictures, hashlib.sha256("".join(sorted(digests)).encode()).hexdigest(), tuple(warnings))


def _study(pictures: dict[Sequence, Picture], sha256: str, warnings: tuple[str, ...]) -> Study:
    shapes = {picture.pixels.shape for picture in pictures.values()}
    if len(shapes) > 1:
        sizes = ", ".join(f"{name} {p.pixels.shape[0]} x {p.pixels.shape[1]}" for name, p in pictures.items())
        raise PartsConflict(f"The sequences differ in size (rows x columns): {sizes}. Resample them to one grid first.")
    spacings = [picture.spacing_mm for picture in pictures.values() if picture.spacing_mm is not None]
    if any(abs(a - b) > 0.01 * b for spacing in spacings for a, b in zip(spacing, spacings[0], strict=True)):
        raise PartsConflict("The sequences differ in pixel spacing by more than 1 %. Resample them to one grid first.")
    views = {picture.view for picture in pictures.values() if picture.view is not None}
    if len(views) > 1:
        raise PartsConflict(f"The sequences were taken in different planes: {', '.join(sorted(views))}.")
    primary = next(pictures[name] for name in CLASSIFIED_FIRST if name in pictures)
    return Study(
        kind="slice",
        format=primary.format,
        sha256=sha256,
        sequences=MappingProxyType({name: picture.pixels for name, picture in pictures.items()}),
        spacing_mm=spacings[0] if spacings else None,
        view=next(iter(views), None),
        warnings=warnings,
        orientation=primary.orientation,
        body_part=next((p.body_part for p in pictures.values() if p.body_part is not None), None),
    )
