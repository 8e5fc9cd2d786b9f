"""Files that must be refused, each with its status and code: one list for the decoder, the HTTP tests and the bench.

`BAD_INPUTS[name].parts()` makes the form's parts afresh; nothing here needs a file on disk.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gateway.imaging.decode import Part
from tests.unit.gateway_imaging import pictures


@dataclass(frozen=True)
class BadInput:
    """`analyzed` is how /v1/analyses refuses it, where that takes volumes too and refuses it for another reason."""

    parts: Callable[[], list[Part]]
    status: int
    code: str
    analyzed: tuple[int, str] | None = None

    @property
    def refused(self) -> tuple[int, str]:
        """Status and code at /v1/analyses."""
        return self.analyzed or (self.status, self.code)


def _one(content: Callable[[], bytes], filename: str = "scan.png") -> Callable[[], list[Part]]:
    return lambda: [Part("file", filename, content())]


def _cut(content: bytes, share: float = 0.6) -> bytes:
    return content[: int(len(content) * share)]


def _png() -> bytes:
    return pictures.save(pictures.gray8(), "PNG")


def _jpeg() -> bytes:
    return pictures.save(pictures.gray8(), "JPEG")


def _damaged_png() -> bytes:
    content = bytearray(_png())
    content[len(content) // 2] ^= 0xFF
    return bytes(content)


def _animated(kind: str) -> bytes:
    frames = [Image.fromarray(np.roll(pictures.gray8(), 5 * n, axis=0)) for n in range(3)]
    return pictures.save(pictures.gray8(), kind, save_all=True, append_images=frames)


def _not_finite_tiff() -> bytes:
    pixels = pictures.head().astype(np.float32)
    pixels[40, 40], pixels[41, 41] = np.nan, np.inf
    return pictures.save(pixels, "TIFF")


def _cmyk() -> bytes:
    out = io.BytesIO()
    Image.fromarray(pictures.gray8()).convert("CMYK").save(out, "JPEG")
    return out.getvalue()


def _one_bit() -> bytes:
    return pictures.save(pictures.gray8() > 128, "PNG")


def _rgb_dicom() -> bytes:
    return pictures.dicom(SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)


BAD_INPUTS: dict[str, BadInput] = {
    "no file": BadInput(list, 422, "parts_conflict"),
    "empty file": BadInput(_one(lambda: b""), 422, "empty_file"),
    "text": BadInput(_one(lambda: b"patient;age\nx;61\n" * 40, "scan.csv"), 415, "unsupported_format"),
    "random bytes named png": BadInput(_one(lambda: np.random.default_rng(7).bytes(4096)), 415, "unsupported_format"),
    "pdf": BadInput(_one(lambda: b"%PDF-1.7\n" + bytes(500), "scan.pdf"), 415, "unsupported_format"),
    "html named jpg": BadInput(_one(lambda: b"<!doctype html><p>404</p>" * 20, "a.jpg"), 415, "unsupported_format"),
    "gif": BadInput(_one(lambda: pictures.save(pictures.gray8(), "GIF"), "scan.gif"), 415, "unsupported_format"),
    "zip": BadInput(
        _one(lambda: b"PK\x03\x04" + bytes(400), "series.zip"), 415, "unsupported_format", (422, "archive_refused")
    ),
    "nifti": BadInput(
        _one(lambda: bytes(344) + b"n+1\x00" + bytes(400), "t1.nii"),
        415,
        "unsupported_format",
        (422, "unreadable_file"),
    ),
    "cut png": BadInput(_one(lambda: _cut(_png())), 422, "unreadable_file"),
    "png with a wrong checksum": BadInput(_one(_damaged_png), 422, "unreadable_file"),
    "png of 0 x 0": BadInput(_one(lambda: pictures.png_bomb(0, 0)), 422, "picture_too_small"),
    "cut jpeg": BadInput(_one(lambda: _cut(_jpeg()), "scan.jpg"), 422, "unreadable_file"),
    "cut tiff": BadInput(_one(lambda: _cut(pictures.save(pictures.gray8(), "TIFF")), "a.tif"), 422, "unreadable_file"),
    "cut bmp": BadInput(_one(lambda: _cut(pictures.save(pictures.gray8(), "BMP")), "a.bmp"), 422, "unreadable_file"),
    "cut webp": BadInput(_one(lambda: _cut(pictures.save(pictures.gray8(), "WEBP")), "a.webp"), 422, "unreadable_file"),
    "8 x 8 png": BadInput(_one(lambda: pictures.save(pictures.gray8(8, 8), "PNG")), 422, "picture_too_small"),
    "blank png": BadInput(_one(lambda: pictures.save(np.zeros((96, 96), np.uint8), "PNG")), 422, "blank_picture"),
    "color photo": BadInput(
        _one(lambda: pictures.save(pictures.color_photo(), "JPEG"), "cat.jpg"), 422, "color_picture"
    ),
    "1-bit png": BadInput(_one(_one_bit), 422, "unsupported_pixels"),
    "cmyk jpeg": BadInput(_one(_cmyk, "scan.jpg"), 422, "unsupported_pixels"),
    "tiff with NaN": BadInput(_one(_not_finite_tiff, "scan.tif"), 422, "unsupported_pixels"),
    "animated png": BadInput(_one(lambda: _animated("PNG")), 422, "multi_frame"),
    "animated webp": BadInput(_one(lambda: _animated("WEBP"), "scan.webp"), 422, "multi_frame"),
    "tiff of several pages": BadInput(_one(lambda: _animated("TIFF"), "scan.tif"), 422, "multi_frame"),
    "png bomb": BadInput(_one(lambda: pictures.png_bomb(40_000, 40_000)), 413, "picture_too_large"),
    "jpeg bomb": BadInput(_one(lambda: pictures.jpeg_bomb(65_000, 65_000), "a.jpg"), 413, "picture_too_large"),
    "webp bomb": BadInput(_one(lambda: pictures.webp_bomb(16_000, 16_000), "a.webp"), 413, "picture_too_large"),
    "bmp bomb": BadInput(_one(lambda: pictures.bmp_bomb(60_000, 60_000), "a.bmp"), 413, "picture_too_large"),
    "tiff bomb": BadInput(_one(lambda: pictures.tiff_bomb(60_000, 60_000), "a.tif"), 413, "picture_too_large"),
    "deflated dicom bomb": BadInput(_one(pictures.dicom_bomb, "scan.dcm"), 413, "picture_too_large"),
    "dicom bomb": BadInput(
        _one(lambda: pictures.dicom(Rows=65_000, Columns=65_000), "scan.dcm"), 413, "picture_too_large"
    ),
    "cut dicom": BadInput(_one(lambda: _cut(pictures.dicom()), "scan.dcm"), 422, "unreadable_file"),
    "ct dicom": BadInput(
        _one(lambda: pictures.dicom(Modality="CT", SOPClassUID=pictures.CT_IMAGE), "ct.dcm"), 422, "not_mr"
    ),
    "multi-frame dicom": BadInput(
        _one(lambda: pictures.dicom(np.stack([pictures.gray16()] * 4), NumberOfFrames=4), "mf.dcm"),
        422,
        "multi_frame",
        (422, "geometry_unclear"),
    ),
    "color dicom": BadInput(_one(_rgb_dicom, "rgb.dcm"), 422, "unsupported_dicom"),
    "two files": BadInput(lambda: [Part("file", f"{n}.png", _png()) for n in range(2)], 422, "parts_conflict"),
    "file beside t1": BadInput(
        lambda: [Part("file", "a.png", _png()), Part("t1", "b.png", _png())], 422, "parts_conflict"
    ),
    "sequences of two sizes": BadInput(
        lambda: [
            Part("t1", "a.png", _png()),
            Part("flair", "b.png", pictures.save(pictures.gray8(64, 64), "PNG")),
        ],
        422,
        "parts_conflict",
    ),
}
