"""The entry for volumes: the parts of a request -> one `VolumeStudy`, every sequence named and on one grid."""

import hashlib
from collections.abc import Sequence as Items
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeGuard, get_args

from gateway.grid import Grid
from gateway.imaging.contrast import check_contrast
from gateway.imaging.errors import GeometryUnclear, PartsConflict, SequenceUnclear, VolumeTooLarge
from gateway.imaging.part import Part
from gateway.imaging.resample import resample
from gateway.imaging.sources import Source, read_sources
from gateway.imaging.volume import Volume, VolumeStudy
from gateway.imaging.volume_limits import VolumeLimits
from service_kit.contracts.common import Sequence

DEFAULT_SEQUENCE: Final[Sequence] = "t1ce"
SEQUENCES: Final[tuple[Sequence, ...]] = get_args(Sequence)
_NAME_THEM: Final = f"Name the parts of the form {', '.join(SEQUENCES)}."
_MIN_COVERED: Final = 0.5
_ALL_COVERED: Final = 0.99


def decode_volumes(
    parts: Items[Part], *, sequence: Sequence | None = None, limits: VolumeLimits | None = None
) -> VolumeStudy:
    """Decode NIfTI files, DICOM files (repeated parts) or zip archives of them, named "file" or by sequence.

    A part's name says the sequence; else the DICOM header, then the file's name; `sequence` says it of a lone volume.
    All sequences come on the first one's grid. Pure and synchronous: call it in a thread. Raises the errors of
    `gateway.imaging.errors` alone.
    """
    limits = limits or VolumeLimits()
    _check_names(parts)
    sources, notes = read_sources(parts, limits)
    if len(sources) > limits.max_sequences:
        raise SequenceUnclear(
            f"{len(sources)} volumes were sent; at most {limits.max_sequences} are accepted, one a sequence. "
            f"{_NAME_THEM}"
        )
    named, warnings = _name(sources, sequence)
    first = sources[0]
    if len(named) * first.volume.voxels.size > limits.max_voxels:
        raise VolumeTooLarge(
            f"{len(named)} sequences of {first.volume.voxels.size} voxels are more than the {limits.max_voxels} that a "
            "study may have."
        )
    volumes, resampled, moved = _on_one_grid(named, first)
    labelled = [f"{name}: {note}" for name, source in named.items() for note in source.warnings]
    plain = [note for source in named.values() for note in source.warnings]
    grid = first.volume.grid
    return VolumeStudy(
        kind="series" if first.format == "dicom" else "volume",
        format=first.format,
        sha256=_digest(parts),
        sequences=MappingProxyType(volumes),
        grid=grid,
        warnings=(
            *notes, *(plain if len(named) == 1 else labelled), *warnings, *moved,
            *check_contrast({name: volume.voxels for name, volume in volumes.items()}),
        ),
        body_part=next((source.body_part for source in named.values() if source.body_part is not None), None),
        resampled=tuple(resampled),
    )  # fmt: skip


def _check_names(parts: Items[Part]) -> None:
    names = {part.name for part in parts}
    if not names:
        raise PartsConflict(f"No file was sent. {_NAME_THEM}")
    if any(name != "file" and not _is_sequence(name) for name in names):
        raise PartsConflict(f"A part's name is not known: use 'file', or {', '.join(SEQUENCES)}.")
    if "file" in names and len(names) > 1:
        raise PartsConflict(f"A part 'file' came with parts named by sequence. {_NAME_THEM}")


def _is_sequence(name: str) -> TypeGuard[Sequence]:
    return name in SEQUENCES


def _name(sources: list[Source], asked: Sequence | None) -> tuple[dict[Sequence, Source], list[str]]:
    """Each volume's sequence. Nothing is guessed where a guess could exchange two channels."""
    if asked is not None and len(sources) > 1:
        raise PartsConflict(f"The option 'sequence' is for a lone volume; {len(sources)} came. {_NAME_THEM}")
    named: dict[Sequence, Source] = {}
    warnings: list[str] = []
    unknown = 0
    for source in sources:
        name, note = _sequence_of(source, asked, alone=len(sources) == 1)
        if name is None:
            unknown += 1
            continue
        if name in named:
            raise SequenceUnclear(
                f"Two volumes are {name}, by part, header or file name. Send one of them. {_NAME_THEM}"
            )
        named[name] = source
        warnings += [note] if note else []
    if unknown:
        raise SequenceUnclear(f"{unknown} of {len(sources)} volumes do not say their sequence. {_NAME_THEM}")
    return named, warnings


def _sequence_of(source: Source, asked: Sequence | None, *, alone: bool) -> tuple[Sequence | None, str | None]:
    said = source.part if _is_sequence(source.part) else asked
    where = "DICOM header" if source.format == "dicom" else "file's name"
    if said is not None:
        contradicted = source.hint not in {None, said}
        note = f"Taken as {said}, as the request says, although the {where} reads as {source.hint}."
        return said, note if contradicted else None
    if source.hint is not None:
        note = f"A volume was taken as {source.hint} from its file's name."
        return source.hint, None if source.format == "dicom" else note
    if alone:
        return DEFAULT_SEQUENCE, (
            f"Nothing says the volume's sequence; {DEFAULT_SEQUENCE} was taken. Say it with the option 'sequence'."
        )
    return None, None


def _on_one_grid(
    named: dict[Sequence, Source], first: Source
) -> tuple[dict[Sequence, Volume], list[Sequence], list[str]]:
    grid = first.volume.grid
    volumes: dict[Sequence, Volume] = {}
    resampled: list[Sequence] = []
    warnings: list[str] = []
    for name, source in named.items():
        volume = replace(source.volume, sequence=name)
        if source.volume.grid.oriented != grid.oriented:
            raise GeometryUnclear(f"The header of {name} and of the first volume: only one says how its axes lie.")
        if None not in {source.frame_of_reference, first.frame_of_reference} and (
            source.frame_of_reference != first.frame_of_reference
        ):
            warnings.append(
                f"{name} has another frame of reference: the patient may have moved; it was not registered."
            )
        turned = _turned(volume, grid)
        if turned is None:
            turned, covered = resample(volume, grid)
            warnings.append(_moved(name, volume.grid, grid, covered))
            resampled.append(name)
        volumes[name] = turned
    return volumes, resampled, warnings


def _turned(volume: Volume, grid: Grid) -> Volume | None:
    """The same voxels on `grid` where that is only another order of their axes, so that nothing is interpolated."""
    if volume.grid.matches(grid):
        return replace(volume, grid=grid)
    if volume.grid.canonical.matches(grid.canonical):
        return Volume(grid.turn.undo(volume.canonical), grid, volume.sequence)
    return None


def _moved(name: Sequence, old: Grid, new: Grid, covered: float) -> str:
    if covered < _MIN_COVERED:
        raise PartsConflict(
            f"{name} covers {covered:.0%} of the first volume, at least {_MIN_COVERED:.0%} is needed: they are not of "
            "one place. Send scans of one patient and one examination."
        )
    sizes = [" x ".join(str(size) for size in grid.shape) for grid in (old, new)]
    spacings = [" x ".join(f"{step:.3g}" for step in grid.spacing_mm) for grid in (old, new)]
    note = f" It covers {covered:.0%} of it." if covered < _ALL_COVERED else ""
    return (
        f"{name} was resampled from {sizes[0]} voxels of {spacings[0]} mm to the first volume's {sizes[1]} of "
        f"{spacings[1]} mm.{note}"
    )


def _digest(parts: Items[Part]) -> str:
    if len(parts) == 1:
        return hashlib.sha256(parts[0].content).hexdigest()
    lines = sorted(f"{part.name} {hashlib.sha256(part.content).hexdigest()}\n" for part in parts)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
