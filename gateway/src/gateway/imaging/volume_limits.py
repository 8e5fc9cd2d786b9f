"""How large a study of volumes may be, checked on headers before anything is inflated or decoded."""

from dataclasses import dataclass

from gateway.imaging.errors import GeometryUnclear, PictureTooSmall, VolumeTooLarge
from service_kit.errors import Measurement


@dataclass(frozen=True, slots=True)
class VolumeLimits:
    """What is accepted.

    Attributes:
        max_file_bytes: one uploaded file, as sent.
        max_inflated_bytes: one file or archive, unpacked.
        max_voxels: of all sequences together.
        max_side: voxels along one axis.
        min_side, min_slices: voxels along the two longer axes, and along the shortest.
        max_sequences: volumes of one study.
        max_files: DICOM files of one study, or entries of an archive.
        max_trailing_bytes: what may follow the voxels of a NIfTI file.
        max_filled_share, max_filled_run: of the slices of a series, how many may be missing, also in a row.
        min_spacing_mm, max_spacing_mm: distance of neighboring voxels.
        max_shear_deg: how far array axes may be from right angles.
    """

    max_file_bytes: int = 512 * 2**20
    max_inflated_bytes: int = 1024 * 2**20
    max_voxels: int = 512 * 512 * 256
    max_side: int = 2048
    min_side: int = 16
    min_slices: int = 2
    max_sequences: int = 4
    max_files: int = 4096
    max_trailing_bytes: int = 2**20
    max_filled_share: float = 0.1
    max_filled_run: int = 2
    min_spacing_mm: float = 0.05
    max_spacing_mm: float = 20.0
    max_shear_deg: float = 3.0

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raises `VolumeTooLarge` or `PictureTooSmall`, naming the size and the limit."""
        sizes = " x ".join(str(size) for size in shape)
        shortest, *longer = sorted(shape)
        if shortest < self.min_slices or longer[0] < self.min_side:
            name, value, limit = ("slices", shortest, self.min_slices)
            if shortest >= self.min_slices:
                name, value, limit = ("side_vx", longer[0], self.min_side)
            raise PictureTooSmall(
                f"The volume has {sizes} voxels; at least {self.min_slices} slices of {self.min_side} x "
                f"{self.min_side} are needed. Send a single slice as a picture or as a DICOM file.",
                measurement=Measurement(name, value, limit),
            )
        voxels = 1
        for size in shape:
            voxels *= size
        if voxels > self.max_voxels or max(shape) > self.max_side:
            raise VolumeTooLarge(
                f"The header says {sizes} voxels; at most {self.max_voxels} in all and {self.max_side} along an axis "
                "are accepted. Send the volume in its own resolution, cropped to the head.",
                measurement=Measurement("voxels", voxels, self.max_voxels),
            )

    def check_spacing(self, spacing_mm: tuple[float, ...]) -> None:
        """Raises `GeometryUnclear` where a voxel's size cannot be true."""
        for value in spacing_mm:
            if not self.min_spacing_mm <= value <= self.max_spacing_mm:
                raise GeometryUnclear(
                    f"The header says a voxel spacing of {value:.4g} mm; {self.min_spacing_mm:g} to "
                    f"{self.max_spacing_mm:g} mm are believed. Correct the header.",
                    measurement=Measurement("spacing_mm", value, self.max_spacing_mm),
                )

    def check_shear(self, shear_deg: float) -> None:
        """Raises `GeometryUnclear` where the axes are not at right angles: no measure would be right."""
        if shear_deg > self.max_shear_deg:
            raise GeometryUnclear(
                f"The volume's axes are {shear_deg:.1f} degrees off right angles; at most {self.max_shear_deg:g} are "
                "accepted. Resample it to a rectangular grid first.",
                measurement=Measurement("shear_deg", shear_deg, self.max_shear_deg),
            )
