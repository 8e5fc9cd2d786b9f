"""Why a file is refused. All are the caller's to mend, so all are 4xx; none names a file or a patient.

InvalidRequest                  invalid_request              422
  PartsConflict                 parts_conflict               422   which parts may come together
  EmptyFile                     empty_file                   422   no bytes
  UnreadableFile                unreadable_file              422   damaged, cut short, or not what it says it is
  PictureTooSmall               picture_too_small            422
  UnsupportedPixels             unsupported_pixels           422   1 bit, CMYK, not finite, a compression not taken
    ColorPicture                color_picture                422
    BlankPicture                blank_picture                422   next to nothing but one value
    SaturatedPicture            saturated_picture            422   too much of it at the brightest value
  NotBrainMri                   not_brain_mri                422   noise, another body part, unlike any brain slice
  MultiFrame                    multi_frame                  422   animated, several pages, several DICOM frames
  UnsupportedDicom              unsupported_dicom            422   SOP class, photometric or transfer syntax
    NotMr                       not_mr                       422
  UnsupportedVolume             unsupported_volume           422   several time points, colors, complex numbers
  GeometryUnclear               geometry_unclear             422   where the voxels lie is not said, or said twice
  SeriesConflict                series_conflict              422   the files are no one stack of slices
  SequenceUnclear               sequence_unclear             422   which file is t1, t1ce, t2, flair
  ArchiveRefused                archive_refused              422   encrypted, nested, odd names, damaged
  UnsupportedMedia              unsupported_media_type       415
    UnsupportedFormat           unsupported_format           415   not a picture or DICOM at all
  PayloadTooLarge               payload_too_large            413
    FileTooLarge                file_too_large               413   bytes
    PictureTooLarge             picture_too_large            413   pixels, told from the header alone
    VolumeTooLarge              volume_too_large             413   voxels, slices, or what an archive unpacks to
"""

from service_kit.errors import InvalidRequest, PayloadTooLarge, UnsupportedMedia


class PartsConflict(InvalidRequest):
    """The parts of the form cannot be one study."""

    code = "parts_conflict"
    title = "These parts do not go together"


class EmptyFile(InvalidRequest):
    """A part without a byte."""

    code = "empty_file"
    title = "The file is empty"


class UnreadableFile(InvalidRequest):
    """The format is known, but the bytes are damaged, cut short or contradict themselves."""

    code = "unreadable_file"
    title = "The file cannot be read"


class PictureTooSmall(InvalidRequest):
    """Too few pixels for any model to say something about."""

    code = "picture_too_small"
    title = "The picture is too small"


class UnsupportedPixels(InvalidRequest):
    """Pixels of a kind that no MR scan has."""

    code = "unsupported_pixels"
    title = "The pixels are of a kind that is not accepted"


class ColorPicture(UnsupportedPixels):
    """A picture in color, where a scan is gray."""

    code = "color_picture"
    title = "The picture is in color"


class BlankPicture(UnsupportedPixels):
    """Nothing to see: one value everywhere, or hardly another."""

    code = "blank_picture"
    title = "The picture is blank"


class SaturatedPicture(UnsupportedPixels):
    """Overexposed, on a white background, or no scan at all."""

    code = "saturated_picture"
    title = "The picture is saturated"


class NotBrainMri(InvalidRequest):
    """Readable, but no slice of a brain MRI as far as pixels, header or the view model can tell."""

    code = "not_brain_mri"
    title = "This is no brain MRI slice"


class MultiFrame(InvalidRequest):
    """More than one slice in one file."""

    code = "multi_frame"
    title = "The file holds more than one slice"


class UnsupportedDicom(InvalidRequest):
    """A DICOM object that is not a single MR slice this gateway can decode."""

    code = "unsupported_dicom"
    title = "This DICOM object is not accepted"


class NotMr(UnsupportedDicom):
    """A DICOM object of another modality."""

    code = "not_mr"
    title = "Not an MR image"


class UnsupportedVolume(InvalidRequest):
    """A volume of a kind that is no single MR volume."""

    code = "unsupported_volume"
    title = "The volume is of a kind that is not accepted"


class GeometryUnclear(InvalidRequest):
    """Nobody could say where in the patient a voxel lies."""

    code = "geometry_unclear"
    title = "The volume's geometry is unclear"


class SeriesConflict(InvalidRequest):
    """The slices cannot be stacked to one volume."""

    code = "series_conflict"
    title = "The files are not one series"


class SequenceUnclear(InvalidRequest):
    """Which volume is which sequence is not said, or contradicted."""

    code = "sequence_unclear"
    title = "It is not clear which sequence is which"


class ArchiveRefused(InvalidRequest):
    """A zip archive that is damaged or plays tricks."""

    code = "archive_refused"
    title = "The archive is not accepted"


class UnsupportedFormat(UnsupportedMedia):
    """The bytes are of no format that is taken, whatever the file's name says."""

    code = "unsupported_format"
    title = "The file format is not accepted"


class FileTooLarge(PayloadTooLarge):
    """More bytes than one file may have."""

    code = "file_too_large"
    title = "The file is too large"


class PictureTooLarge(PayloadTooLarge):
    """More pixels than one picture may have; found in the header, before a pixel is decoded."""

    code = "picture_too_large"
    title = "The picture is too large"


class VolumeTooLarge(PayloadTooLarge):
    """More voxels, slices or unpacked bytes than one study may have; found before they are unpacked."""

    code = "volume_too_large"
    title = "The volume is too large"
