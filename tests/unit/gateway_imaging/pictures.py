"""Small pictures and DICOM files, made on the spot."""

import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, generate_uid

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def head(rows: int = 96, columns: int = 80, top: float = 255.0) -> NDArray[np.float64]:
    """A bright ellipse with structure in it, on black: asymmetric, so that every turn of it differs."""
    y, x = np.mgrid[0:rows, 0:columns]
    v, u = (y - rows * 0.48) / (rows * 0.40), (x - columns * 0.5) / (columns * 0.38)
    inside = v**2 + u**2 < 1
    texture = 0.55 + 0.2 * np.sin(x / columns * 9) * np.cos(y / rows * 7)
    blob = 0.35 * np.exp(-(((v - 0.3) / 0.25) ** 2 + ((u + 0.35) / 0.2) ** 2))
    return np.where(inside, np.clip(texture + blob, 0, 1), 0.0) * top


def gray8(rows: int = 96, columns: int = 80) -> NDArray[np.uint8]:
    return np.rint(head(rows, columns)).astype(np.uint8)


def gray16(rows: int = 96, columns: int = 80) -> NDArray[np.uint16]:
    return np.rint(head(rows, columns, 60_000)).astype(np.uint16)


def save(array: NDArray[Any], kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def color_photo(rows: int = 128, columns: int = 128) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:rows, 0:columns]
    return np.dstack([x * 255 // columns, y * 255 // rows, np.full_like(x, 60)]).astype(np.uint8)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(rows: int, columns: int, bits: int = 8, color: int = 0) -> bytes:
    """A PNG of zeros whose header asks for `rows` x `columns`; the pixels are there as far as 8 MB of them go."""
    header = struct.pack(">IIBBBBB", columns, rows, bits, color, 0, 0, 0)
    zeros = zlib.compress(bytes(min((columns * bits // 8 + 1) * rows, 8 * 2**20)), 9)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zeros) + png_chunk(b"IEND", b"")


def jpeg_bomb(rows: int, columns: int) -> bytes:
    """A small JPEG whose frame header was enlarged."""
    content = bytearray(save(gray8(), "JPEG"))
    at = content.index(b"\xff\xc0")
    struct.pack_into(">HH", content, at + 5, rows, columns)
    return bytes(content)


def webp_bomb(rows: int, columns: int) -> bytes:
    """A lossless WebP's header alone, asking for `rows` x `columns`."""
    body = b"\x2f" + struct.pack("<I", (columns - 1) | (rows - 1) << 14) + bytes(64)
    chunk = b"VP8L" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def bmp_bomb(rows: int, columns: int) -> bytes:
    content = bytearray(save(gray8(), "BMP"))
    struct.pack_into("<ii", content, 18, columns, rows)
    return bytes(content)


def tiff_bomb(rows: int, columns: int) -> bytes:
    content = save(gray8(96, 80), "TIFF")
    for tag, value in ((256, columns), (257, rows)):
        at = content.index(struct.pack("<HHI", tag, 4, 1))
        content = content[: at + 8] + struct.pack("<I", value) + content[at + 12 :]
    return content


def dicom(pixels: Any = None, **elements: Any) -> bytes:
    """An MR slice; `elements` set or (None) remove tags by keyword. `TransferSyntaxUID` deflated is honored."""
    pixels = np.rint(head(96, 80, 1200)).astype(np.uint16) if pixels is None else pixels
    syntax = elements.pop("TransferSyntaxUID", ExplicitVRLittleEndian)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = UID(elements.get("SOPClassUID") or MR_IMAGE)
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["neurogate"])
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    defaults: dict[str, Any] = {
        "SOPClassUID": MR_IMAGE,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "Modality": "MR",
        "PatientName": "Secret^Name",
        "PatientID": "4711",
        "Rows": pixels.shape[-2],
        "Columns": pixels.shape[-1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": pixels.dtype.itemsize * 8,
        "BitsStored": pixels.dtype.itemsize * 8,
        "HighBit": pixels.dtype.itemsize * 8 - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelSpacing": [0.5, 0.75],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelData": pixels.tobytes(),
    }
    for keyword, value in {**defaults, **elements}.items():
        if value is not None:
            setattr(ds, keyword, value)
    ds["PixelData"].VR = "OW" if pixels.dtype.itemsize == 2 else "OB"
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def dicom_bomb(inflated_bytes: int = 96 * 2**20) -> bytes:
    """A deflated DICOM file whose pixels unpack to far more than its header says."""
    plain = dicom(TransferSyntaxUID=DeflatedExplicitVRLittleEndian)
    meta_bytes = 132 + 12 + struct.unpack_from("<I", plain, 140)[0]
    data_set = zlib.decompressobj(-zlib.MAX_WBITS).decompress(plain[meta_bytes:])
    data_set = data_set[: data_set.rindex(b"\xe0\x7f\x10\x00OW") + 8] + struct.pack("<I", inflated_bytes)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflater.compress(data_set)
    zeros = bytes(2**20)
    for _ in range(inflated_bytes // len(zeros)):
        body += deflater.compress(zeros)
    return plain[:meta_bytes] + body + deflater.flush()


def with_elements(elements: bytes, content: bytes | None = None) -> bytes:
    """A DICOM file with further elements (explicit VR) put before its pixels."""
    content = content or dicom()
    at = content.index(b"\xe0\x7f\x10\x00OW")
    return content[:at] + elements + content[at:]


def nested_junk(items: int, depth: int = 1) -> bytes:
    """A private sequence of undefined length with many items, each `depth` sequences deep."""
    inner = b"\x08\x00\x05\x00CS\x00\x00" * 20
    for _ in range(depth):
        item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner + b"\xfe\xff\x0d\xe0\x00\x00\x00\x00"
        head = struct.pack("<HH2sHI", 0x0031, 0x1000, b"SQ", 0, 0xFFFFFFFF)
        inner = head + item * items + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    return inner


def rle_frame(segment: bytes, segments: int = 1) -> bytes:
    offsets = [64 + n * len(segment) for n in range(segments)] + [0] * (15 - segments)
    return struct.pack("<16I", segments, *offsets) + segment * segments
