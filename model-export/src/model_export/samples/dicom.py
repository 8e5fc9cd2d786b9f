"""One synthetic slice as a DICOM file: MR Image Storage, 12 bits stored, geometry as a scanner writes it."""

import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

_ORIENTATION = {
    "axial": [1, 0, 0, 0, 1, 0],
    "coronal": [1, 0, 0, 0, 0, -1],
    "sagittal": [0, 1, 0, 0, 0, -1],
}
"""ImageOrientationPatient of each view: row direction, column direction."""
_DATE, _TIME = datetime.date(2026, 1, 1), datetime.time(12, 0)


def write_dicom(path: Path, picture: NDArray[np.uint8], view: str, spacing_mm: float) -> Path:
    """Write `picture [rows, columns]` stretched to 12 bits. Identifiers derive from the name."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["neurogate-sample", path.name, "instance"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    file.StudyInstanceUID = generate_uid(entropy_srcs=["neurogate-sample", path.name, "study"])
    file.SeriesInstanceUID = generate_uid(entropy_srcs=["neurogate-sample", path.name, "series"])
    file.FrameOfReferenceUID = generate_uid(entropy_srcs=["neurogate-sample", path.name, "frame"])
    file.PatientName, file.PatientID = "SYNTHETIC^SAMPLE", "SYNTHETIC-1"
    file.PatientBirthDate, file.PatientSex = "", "O"
    file.StudyDate = file.SeriesDate = file.ContentDate = _DATE.strftime("%Y%m%d")
    file.StudyTime = file.SeriesTime = file.ContentTime = _TIME.strftime("%H%M%S")
    file.AccessionNumber, file.StudyID, file.ReferringPhysicianName = "", "1", ""
    file.Modality, file.Manufacturer = "MR", "Synthetic"
    file.SeriesDescription = f"Synthetic T1 post contrast {view}"
    file.SeriesNumber, file.InstanceNumber = 1, 1
    file.ImageType = ["DERIVED", "PRIMARY", "OTHER"]
    file.ScanningSequence, file.SequenceVariant, file.ScanOptions, file.MRAcquisitionType = "SE", "NONE", "", "2D"
    file.ContrastBolusAgent = "SYNTHETIC"
    file.RepetitionTime, file.EchoTime, file.EchoTrainLength = "550", "12", "1"
    rows, columns = picture.shape
    file.Rows, file.Columns = rows, columns
    file.PixelSpacing = [spacing_mm, spacing_mm]
    file.SliceThickness = "5"
    file.ImageOrientationPatient = _ORIENTATION[view]
    corner = -spacing_mm * (columns - 1) / 2
    file.ImagePositionPatient = [corner, corner, 0.0]
    file.PatientPosition, file.PositionReferenceIndicator = "HFS", ""
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.WindowCenter, file.WindowWidth = "2000", "4000"
    file.LossyImageCompression = "00"
    file.PixelData = (picture.astype("<u2") * 16).tobytes()
    file.save_as(path, enforce_file_format=True)
    return path
