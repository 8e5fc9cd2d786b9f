import base64
import csv
import io
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import encaps
from pydicom.dataset import Dataset
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from gateway.imaging.decode import Part, decode_study
from gateway.imaging.dicom_rle import decode_rle
from gateway.imaging.errors import (
    BlankPicture,
    MultiFrame,
    NotMr,
    PictureTooLarge,
    UnreadableFile,
    UnsupportedDicom,
)
from gateway.imaging.jpeg_lossless import decode_jpeg_lossless
from gateway.imaging.study import Study
from service_kit.errors import ServiceError
from tests.unit.gateway_imaging import pictures

STORED = np.rint(pictures.head(96, 80, 1200)).astype(np.uint16)
ENHANCED = {"SOPClassUID": pictures.ENHANCED_MR_IMAGE}


def decode(content: bytes) -> Study:
    return decode_study([Part("file", "a.dcm", content)])


def test_pixels_and_geometry() -> None:
    study = decode(pictures.dicom())
    assert (study.format, study.view, study.spacing_mm) == ("dicom", "axial", (0.5, 0.75))
    assert study.primary.dtype == np.float32
    assert np.array_equal(study.primary, STORED)
    assert study.warnings == ()


def test_nothing_of_the_patient_is_kept() -> None:
    assert "Secret" not in repr(decode(pictures.dicom()))


def test_eight_bits_stay_eight_bits() -> None:
    study = decode(pictures.dicom(pictures.gray8()))
    assert study.primary.dtype == np.uint8
    assert np.array_equal(study.primary, pictures.gray8())


def test_rescale_and_monochrome1() -> None:
    study = decode(pictures.dicom(RescaleSlope="2.5", RescaleIntercept="-100"))
    assert np.allclose(study.primary, STORED * 2.5 - 100)
    inverted = decode(pictures.dicom(int(STORED.max()) - STORED, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(inverted.primary, STORED)
    inverted8 = decode(pictures.dicom(255 - pictures.gray8(), PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(inverted8.primary, pictures.gray8())


def test_signed_values() -> None:
    signed = STORED.astype(np.int16) - 500
    assert np.array_equal(decode(pictures.dicom(signed)).primary, signed)


@pytest.mark.parametrize("keyword", ["RescaleSlope", "RescaleIntercept"])
def test_a_rescale_out_of_range_is_refused(keyword: str) -> None:
    with pytest.raises(UnreadableFile, match=keyword):
        decode(pictures.dicom(**{keyword: "1e30"}))


@pytest.mark.parametrize(
    ("orientation", "view"),
    [
        ([1, 0, 0, 0, 1, 0], "axial"),
        ([1, 0, 0, 0, 0, -1], "coronal"),
        ([0, 1, 0, 0, 0, -1], "sagittal"),
        ([1, 0, 0, 0, 0.866, -0.5], "axial"),
        ([1, 0, 0, 0, 0.7071, -0.7071], None),
        ([1, 0, 0, 1, 0, 0], None),
        (None, None),
    ],
)
def test_view_from_the_orientation(orientation: list[float] | None, view: str | None) -> None:
    picture = decode(pictures.dicom(ImageOrientationPatient=orientation))
    assert picture.view == view
    assert picture.orientation == (tuple(orientation) if orientation and view else None)


@pytest.mark.parametrize(
    ("elements", "sequence"),
    [
        ({"SeriesDescription": "SAG T1 MPRAGE"}, "t1"),
        ({"SeriesDescription": "AX T1 POST GAD"}, "t1ce"),
        ({"SeriesDescription": "t1_mprage_tra_p2_iso +KM"}, "t1ce"),
        ({"SeriesDescription": "T1 pre contrast"}, "t1"),
        ({"SeriesDescription": "T1 AX", "ContrastBolusAgent": "Gadovist"}, "t1ce"),
        ({"SeriesDescription": "T1 AX", "ContrastBolusAgent": "NONE"}, "t1"),
        ({"SeriesDescription": "AX T2 TSE", "ContrastBolusAgent": "Gadovist"}, "t2"),
        ({"SeriesDescription": "t2_tirm_tra_dark-fluid"}, "flair"),
        ({"ProtocolName": "Ax FLAIR"}, "flair"),
        ({"ScanningSequence": "SE", "RepetitionTime": 500, "EchoTime": 12}, "t1"),
        ({"ScanningSequence": "SE", "RepetitionTime": 4000, "EchoTime": 100}, "t2"),
        ({"ScanningSequence": ["SE", "IR"], "RepetitionTime": 9000, "EchoTime": 120, "InversionTime": 2500}, "flair"),
        ({"ScanningSequence": "GR", "RepetitionTime": 500, "EchoTime": 12}, "t1ce"),
        ({"SeriesDescription": "localizer"}, "t1ce"),
    ],
)
def test_sequence_where_the_header_is_clear_else_t1ce(elements: dict[str, Any], sequence: str) -> None:
    assert decode(pictures.dicom(**elements)).primary_sequence == sequence


def test_other_body_parts_and_mosaics_are_warned_of() -> None:
    assert decode(pictures.dicom(BodyPartExamined="BRAIN")).warnings == ()
    (warning,) = decode(pictures.dicom(BodyPartExamined="ABDOMEN")).warnings
    assert "ABDOMEN" in warning
    (warning,) = decode(pictures.dicom(BodyPartExamined="John Doe")).warnings
    assert "Doe" not in warning.title()
    (warning,) = decode(pictures.dicom(ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"])).warnings
    assert "mosaic" in warning


def test_a_single_enhanced_frame_is_read_with_its_functional_groups() -> None:
    measures, orientation, group = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [0.9, 0.8]
    orientation.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    group.PixelMeasuresSequence = [measures]
    group.PlaneOrientationSequence = [orientation]
    content = pictures.dicom(
        **ENHANCED,
        NumberOfFrames=1,
        PixelSpacing=None,
        ImageOrientationPatient=None,
        SharedFunctionalGroupsSequence=[group],
    )
    study = decode(content)
    assert (study.spacing_mm, study.view) == ((0.9, 0.8), "sagittal")
    with pytest.raises(MultiFrame, match="multi-frame DICOM object \\(3 frames\\)"):
        decode(pictures.dicom(np.stack([STORED] * 3), **ENHANCED, NumberOfFrames=3))


@pytest.mark.parametrize("modality", ["CT", "US", "SEG", "SR", "RTSTRUCT"])
def test_other_modalities_are_named(modality: str) -> None:
    with pytest.raises(NotMr, match=f"modality is {modality};"):
        decode(pictures.dicom(Modality=modality))


def test_a_modality_that_is_no_code_is_not_repeated() -> None:
    with pytest.raises(NotMr, match="none given") as caught:
        decode(pictures.dicom(Modality="john doe"))
    assert "doe" not in caught.value.detail


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "Secondary Capture"),
        ({"SOPClassUID": None}, "missing"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "photometric"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "RGB"),
        ({"BitsStored": 1}, "1 bits stored"),
        ({"BitsAllocated": 32, "BitsStored": 32}, "32 bits"),
    ],
)
def test_what_an_mr_slice_must_be(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsupportedDicom, match=words):
        decode(pictures.dicom(**changes))


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated", "BitsStored"])
def test_missing_numbers_are_named(keyword: str) -> None:
    with pytest.raises(UnreadableFile, match=keyword):
        decode(pictures.dicom(**{keyword: None}))


def test_broken_spacing_is_unknown_spacing() -> None:
    for spacing in ([0, 0], [1e6, 1], [1.0], None):
        assert decode(pictures.dicom(PixelSpacing=spacing)).spacing_mm is None


def test_missing_and_surplus_pixels() -> None:
    with pytest.raises(UnreadableFile, match="cut short"):
        decode(pictures.dicom(PixelData=STORED.tobytes()[:-2000]))
    assert np.array_equal(decode(pictures.dicom(PixelData=STORED.tobytes() + bytes(64))).primary, STORED)


def test_blank_slice() -> None:
    with pytest.raises(BlankPicture):
        decode(pictures.dicom(np.zeros((64, 64), np.uint16)))


def recoded(syntax: str, frame: bytes, pixels: Any = None) -> bytes:
    """The slice with its one compressed frame under `syntax`; `pixels` give the size."""
    ds = pydicom.dcmread(io.BytesIO(pictures.dicom(pictures.gray8() if pixels is None else pixels)))
    ds.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    ds.PixelData = encaps.encapsulate([frame])
    ds["PixelData"].is_undefined_length = True
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_compressed_frames() -> None:
    gray = pictures.gray8()
    lossless = decode(recoded(JPEG2000Lossless, pictures.save(gray, "JPEG2000", no_jp2=True)))
    assert np.array_equal(lossless.primary, gray)
    lossy = decode(recoded(JPEGBaseline8Bit, pictures.save(gray, "JPEG", quality=95)))
    assert np.abs(lossy.primary.astype(float) - gray).mean() < 2
    ds = pydicom.dcmread(io.BytesIO(pictures.dicom()))
    ds.compress(RLELossless)
    out = io.BytesIO()
    ds.save_as(out)
    assert np.array_equal(decode(out.getvalue()).primary, STORED)


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_a_compressed_frame_of_another_size_than_the_header_is_refused(kind: str) -> None:
    frame = pictures.save(pictures.gray8(512, 512), kind)
    with pytest.raises(UnreadableFile, match="differs in size"):
        decode(recoded(JPEGBaseline8Bit if kind == "JPEG" else JPEG2000Lossless, frame))


# 16 x 32 gray pixels as lossless JPEG (process 14, first-order prediction): a ramp of 16 levels, each a column wide.
def lossless_jpeg_frame(rows: int = 32, columns: int = 32) -> bytes:
    """All differences are 0 or 1 or -31 * ... kept to two codes: "0" for 0 and "10" + one bit for +-1."""
    table = b"\xff\xc4" + struct.pack(">HB", 2 + 17 + 2, 0) + bytes([1, 1] + [0] * 14) + bytes([0, 1])
    frame = b"\xff\xc3" + struct.pack(">HBHHB3B", 11, 8, rows, columns, 1, 1, 0x11, 0)
    scan = b"\xff\xda" + struct.pack(">HB2B3B", 8, 1, 1, 0, 1, 0, 0)
    bits = ""
    for row in range(rows):
        for column in range(columns):
            if column == 0:
                # The first sample is predicted as 128, the first of a later row as the one above it.
                bits += "0" if row == 0 else "101"
            else:
                bits += "101"
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)).replace(b"\xff", b"\xff\x00")
    return b"\xff\xd8" + table + frame + scan + data + b"\xff\xd9"


def test_lossless_jpeg_is_decoded_in_a_child_process() -> None:
    row, column = np.mgrid[0:32, 0:32]
    expected = (128 + row + column).astype(np.uint8)
    decoded = decode_jpeg_lossless(
        lossless_jpeg_frame(), JPEGLosslessSV1, 32, 32, bits_allocated=8, bits_stored=8, signed=False
    )
    assert np.array_equal(decoded, expected)


@pytest.mark.parametrize("cut", [8, 40, 70])
def test_damaged_lossless_jpeg_ends_the_child_not_the_gateway(cut: int) -> None:
    frame = lossless_jpeg_frame()[:cut] + b"\xff\xd9"
    with pytest.raises(UnreadableFile):
        decode_jpeg_lossless(frame, JPEGLosslessSV1, 32, 32, bits_allocated=8, bits_stored=8, signed=False)


# A 32 x 32 ramp (16 + 3 * row + column) as JPEG-LS, 8 bits, made with CharLS.
JPEG_LS_RAMP = base64.b64decode(
    "/9j/9wALCAAgACABAREA/9oACAEBAAAAAAD2/zf/f/9//3+2lf9//3m//3//Yn//f/9b/3//ft//f/95/3//f7//f/93/3//fv9/"
    "/3/f/3//e/9//3//f/9//3//f/9//3//f/9//3//f/9//3//f/9//3//f/9//3//f/9//3//f/9//3//f/9//3//f/9//3//f/9/"
    "/3//f/9//3//f/9//3//f/9//3//QP/Z"
)


def test_jpeg_ls_frames() -> None:
    row, column = np.mgrid[0:32, 0:32]
    ramp = (16 + 3 * row + column).astype(np.uint8)
    assert np.array_equal(decode(recoded(JPEGLSLossless, JPEG_LS_RAMP, ramp)).primary, ramp)
    with pytest.raises(UnreadableFile):
        decode(recoded(JPEGLSLossless, JPEG_LS_RAMP[:40], ramp))
    with pytest.raises(UnreadableFile, match="another kind"):
        decode(recoded(JPEGLosslessSV1, JPEG_LS_RAMP, ramp))


def test_signs_of_lossless_samples() -> None:
    frame = lossless_jpeg_frame()
    values = decode_jpeg_lossless(frame, JPEGLosslessSV1, 32, 32, bits_allocated=8, bits_stored=8, signed=True)
    assert values.dtype == np.int8
    assert values[0, 0] == -128


def test_a_broken_compressed_frame_is_refused() -> None:
    frame = pictures.save(pictures.gray8(), "JPEG2000", no_jp2=True)
    with pytest.raises(UnreadableFile):
        decode(recoded(JPEG2000Lossless, frame[:200]))
    with pytest.raises(UnsupportedDicom, match="MPEG2"):
        decode(recoded(MPEG2MPML, frame))


def test_uncompressed_and_deflated_transfer_syntaxes() -> None:
    for syntax in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        assert np.array_equal(decode(pictures.dicom(TransferSyntaxUID=syntax)).primary, STORED)
    ds = pydicom.dcmread(io.BytesIO(pictures.dicom()))
    ds.PixelData = STORED.astype(">u2").tobytes()
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, implicit_vr=False, little_endian=False)
    assert np.array_equal(decode(out.getvalue()).primary, STORED)


def test_a_file_without_preamble_and_meta_is_read() -> None:
    ds = pydicom.dcmread(io.BytesIO(pictures.dicom()))
    out = io.BytesIO()
    bare = Dataset(ds)
    pydicom.dcmwrite(out, bare, implicit_vr=True, little_endian=True)
    content = out.getvalue()
    assert content[128:132] != b"DICM"
    assert np.array_equal(decode(content).primary, STORED)


def test_deflated_bomb_is_measured_against_the_header() -> None:
    with pytest.raises(PictureTooLarge, match="unpacks to more"):
        decode(pictures.dicom_bomb(32 * 2**20))


def test_junk_elements_are_counted_and_refused() -> None:
    flat = b"".join(struct.pack("<HH2sH", 0x0029, 0x1000 + n, b"SH", 0) for n in range(40_000))
    for junk in (flat, pictures.nested_junk(4000)):
        with pytest.raises(UnreadableFile, match="elements, far more than a slice has"):
            decode(pictures.with_elements(junk))
    with pytest.raises(UnreadableFile, match="nested too deep"):
        decode(pictures.with_elements(pictures.nested_junk(1, depth=40)))


def test_private_sequences_are_passed_over() -> None:
    unknown = struct.pack("<HH2sHI", 0x0033, 0x1010, b"UN", 0, 0xFFFFFFFF)
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + struct.pack("<HHI", 0x0033, 0x1011, 4) + b"abcd"
    unknown += item + b"\xfe\xff\x0d\xe0\x00\x00\x00\x00" + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    study = decode(pictures.with_elements(pictures.nested_junk(20, depth=2) + unknown))
    assert np.array_equal(study.primary, STORED)


@pytest.mark.parametrize("cut", [1, 9, 30, 60])
def test_damaged_sequences_are_refused(cut: int) -> None:
    junk = pictures.nested_junk(3)
    with pytest.raises(UnreadableFile):
        decode(pictures.with_elements(junk[:-cut]))


def test_a_long_meta_group_is_refused() -> None:
    content = pictures.dicom()
    with pytest.raises(ServiceError):
        decode(content[:144] + struct.pack("<HH2sHI", 2, 0x0102, b"OB", 0, 200_000) + bytes(200_000) + content[144:])


def test_run_length_code_stops_at_the_pictures_size() -> None:
    gray = pictures.gray8()
    rows, columns = gray.shape
    literal = b"".join(
        bytes([len(run) - 1]) + run for at in range(0, gray.size, 128) if (run := gray.tobytes()[at : at + 128])
    )
    assert np.array_equal(decode_rle(pictures.rle_frame(literal), rows, columns, 1, signed=False), gray)
    bomb = pictures.rle_frame(b"\x81\x05" * 100_000)
    assert decode_rle(bomb, rows, columns, 1, signed=False).max() == 5
    for broken in (b"", b"\x00" * 64, pictures.rle_frame(literal[:50]), pictures.rle_frame(literal, 2)):
        with pytest.raises(UnreadableFile):
            decode_rle(broken, rows, columns, 1, signed=False)


def test_a_jpeg_with_a_dicom_preamble_is_no_dicom() -> None:
    out = io.BytesIO()
    Image.fromarray(pictures.gray8()).save(out, "JPEG")
    with pytest.raises(ServiceError):
        decode(bytes(128) + b"DICM" + out.getvalue())


DATA = Path(os.environ.get("NEUROGATE_DATA", Path(__file__).parents[4] / "shared" / "data")) / "dicom"


def manifest_rows() -> list[tuple[Path, dict[str, str]]]:
    rows: list[tuple[Path, dict[str, str]]] = []
    for manifest in sorted(DATA.glob("*/manifest.csv")):
        with manifest.open(newline="") as lines:
            rows += [(manifest.parent / row["file"], row) for row in csv.DictReader(lines)]
    return [(path, row) for path, row in rows if path.exists()]


@pytest.mark.skipif(not DATA.is_dir(), reason="the development DICOM files are not here (set NEUROGATE_DATA)")
def test_real_files_decode_or_are_refused_with_a_reason() -> None:
    rows = manifest_rows()
    assert len(rows) > 100
    outcomes = [(path, row, outcome(path.read_bytes())) for path, row in rows]
    assert sum(isinstance(result, Study) for _, _, result in outcomes) > 60
    for path, row, result in outcomes:
        single_mr = row.get("sop_class") == "MR Image Storage" and row["frames"] in {"", "1"}
        if isinstance(result, Study):
            assert single_mr, path
            assert (result.rows, result.columns) == (int(row["rows"]), int(row["cols"])), path
            assert result.view == row["orientation"], path
            continue
        assert not single_mr or not row["decoded"].startswith("ok"), f"{path}: {result.detail}"
        if row["modality"] != "MR":
            assert result.code == "not_mr", path
        elif row["frames"] not in {"", "1"}:
            assert result.code == "multi_frame", path
        else:
            assert result.code in {"unreadable_file", "unsupported_dicom"}, path


def outcome(content: bytes) -> Study | ServiceError:
    try:
        return decode(content)
    except ServiceError as error:
        return error
