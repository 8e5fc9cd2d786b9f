"""What can be refused of a file before it is decoded, by its first and its last bytes: at once, while it arrives."""

from typing import Final

from gateway.imaging.archive import END_BYTES, check_directory, is_zip
from gateway.imaging.errors import EmptyFile, PartsConflict
from gateway.imaging.formats import is_picture, sniff
from gateway.imaging.nifti import check_header, is_nifti
from gateway.imaging.volume_limits import VolumeLimits

HEAD_BYTES: Final = 4096
"""How much of a file's beginning is looked at."""
TAIL_BYTES: Final = END_BYTES
"""How much of its end."""


def check_head(head: bytes, limits: VolumeLimits, *, of_volume: bool) -> None:
    """Judge a file's beginning; `of_volume` says that it came with a series or a volume.

    Raises:
        EmptyFile: there are no bytes.
        UnsupportedFormat: no decoder takes it.
        PartsConflict: a picture among the files of a volume.
        UnreadableFile, UnsupportedVolume, GeometryUnclear, VolumeTooLarge, PictureTooSmall: a NIfTI header says so.
    """
    if not head:
        raise EmptyFile("The file has no bytes: was it still being written, or was the path wrong?")
    if is_zip(head):
        return
    if is_nifti(head):
        check_header(head, limits)
        return
    sniff(head)
    if of_volume and is_picture(head):
        raise PartsConflict("A picture came with a volume or with several files. Send slices one by one.")


def check_tail(head: bytes, tail: bytes, limits: VolumeLimits) -> None:
    """Judge a file's end. Raises `ArchiveRefused` or `VolumeTooLarge` for an archive."""
    if is_zip(head):
        check_directory(tail, limits)
