import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gateway.imaging.decode import DecodeLimits, Part, decode_study
from gateway.imaging.errors import (
    ColorPicture,
    FileTooLarge,
    PictureTooLarge,
    PictureTooSmall,
    UnreadableFile,
    UnsupportedFormat,
    UnsupportedPixels,
)
from gateway.imaging.study import Study
from service_kit.errors import ServiceError
from tests.unit.gateway_imaging import pictures


def decode(content: bytes, filename: str = "scan") -> Study:
    return decode_study([Part("file", filename, content)])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_gray_8_bit_is_kept_exactly(kind: str) -> None:
    study = decode(pictures.save(pictures.gray8(), kind))
    assert study.format == kind.lower()
    assert study.primary.dtype == np.uint8
    assert np.array_equal(study.primary, pictures.gray8())
    assert (study.rows, study.columns) == (96, 80)
    assert (study.spacing_mm, study.view, study.warnings) == (None, None, ())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossy_formats_stay_close(kind: str, channels: int) -> None:
    pixels = pictures.gray8() if channels == 1 else np.dstack([pictures.gray8()] * 3)
    study = decode(pictures.save(pixels, kind, quality=95))
    assert study.format == kind.lower()
    assert np.abs(study.primary.astype(float) - pictures.gray8()).mean() < 2


def test_progressive_jpeg_and_large_jpeg_in_three_channels() -> None:
    gray = pictures.gray8(512, 512)
    study = decode(pictures.save(np.dstack([gray] * 3), "JPEG", quality=95, progressive=True))
    assert np.abs(study.primary.astype(float) - gray).mean() < 2


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_keep_full_precision(kind: str) -> None:
    study = decode(pictures.save(pictures.gray16(), kind))
    assert study.primary.dtype == np.float32
    assert np.array_equal(study.primary, pictures.gray16().astype(np.float32))


def test_float_tiff_is_kept() -> None:
    pixels = (pictures.head() / 255).astype(np.float32)
    assert np.array_equal(decode(pictures.save(pixels, "TIFF")).primary, pixels)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_compressions(compression: str) -> None:
    study = decode(pictures.save(pictures.gray8(), "TIFF", compression=compression))
    assert np.array_equal(study.primary, pictures.gray8())


def test_tiff_with_a_compression_that_is_not_taken() -> None:
    content = pictures.save(pictures.gray8(), "TIFF", compression="tiff_lzw")
    other = content.replace(struct.pack("<HHIH", 259, 3, 1, 5), struct.pack("<HHIH", 259, 3, 1, 34925))
    with pytest.raises(UnsupportedPixels, match="compression"):
        decode(other)


def test_tiff_with_huge_tiles_is_refused_before_they_are_allocated() -> None:
    content = pictures.save(pictures.gray8(), "TIFF", compression="tiff_lzw")
    height = content.index(struct.pack("<HHI", 278, 3, 1))
    tiles = struct.pack("<HHIIHHII", 322, 4, 1, 60_000, 323, 4, 1, 60_000)
    tiled = content[:height] + tiles + content[height + len(tiles) :]
    with pytest.raises((PictureTooLarge, UnreadableFile)):
        decode(tiled)


def test_min_is_white_tiff_is_turned_to_black_background() -> None:
    for pixels in (pictures.gray8(), pictures.gray16()):
        content = pictures.save(np.iinfo(pixels.dtype).max - pixels, "TIFF")
        turned = content.replace(struct.pack("<HHIH", 262, 3, 1, 1), struct.pack("<HHIH", 262, 3, 1, 0))
        assert turned != content
        assert np.array_equal(decode(turned).primary, pixels)


def test_palette_of_grays_and_of_colors() -> None:
    gray = Image.fromarray(pictures.gray8())
    out = io.BytesIO()
    gray.convert("P").save(out, "PNG")
    assert np.array_equal(decode(out.getvalue()).primary, pictures.gray8())
    out = io.BytesIO()
    Image.fromarray(pictures.color_photo()).quantize(64).save(out, "PNG")
    with pytest.raises(ColorPicture):
        decode(out.getvalue())


@pytest.mark.parametrize("bits", [2, 4])
def test_few_bits_are_stretched_to_8(bits: int) -> None:
    levels = (np.arange(64 * 64) % (1 << bits)).reshape(64, 64)
    packed = np.zeros((64, 64 * bits // 8), np.uint8)
    for part in range(8 // bits):
        packed |= (levels[:, part :: 8 // bits] << (8 - bits * (part + 1))).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    header = struct.pack(">IIBBBBB", 64, 64, bits, 0, 0, 0, 0)
    chunk = pictures.png_chunk
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert np.array_equal(decode(content).primary, levels * (255 // ((1 << bits) - 1)))


def test_transparent_pixels_turn_black() -> None:
    gray = pictures.gray8()
    alpha = np.full_like(gray, 255)
    alpha[:20] = 0
    rgba = np.dstack([np.where(alpha == 0, 255, gray)] * 3 + [alpha])
    study = decode(pictures.save(rgba, "PNG"))
    assert not study.primary[:20].any()
    assert np.array_equal(study.primary[20:], gray[20:])


def test_color_is_judged_by_its_share() -> None:
    rgb = np.dstack([pictures.gray8(200, 200)] * 3)
    rgb[2:10, 2:10] = (255, 0, 0)
    assert decode(pictures.save(rgb, "PNG")).rows == 200
    rgb[2:80, 2:80] = (255, 0, 0)
    with pytest.raises(ColorPicture, match=r"1[0-9]\.\d% .* at most 1%"):
        decode(pictures.save(rgb, "PNG"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_color_photo_is_refused_in_every_format(kind: str) -> None:
    with pytest.raises(ColorPicture):
        decode(pictures.save(pictures.color_photo(), kind))


def test_16_bit_color_png_is_refused_rather_than_cut_to_8_bits() -> None:
    header = struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0)
    rows = zlib.compress(bytes(64 * (64 * 6 + 1)))
    chunk = pictures.png_chunk
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    with pytest.raises(UnsupportedPixels, match="16 bits"):
        decode(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honored(kind: str, orientation: int) -> None:
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    upright = Image.fromarray(pictures.gray8())
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    stored.save(out, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    decoded = decode(out.getvalue()).primary.astype(float)
    assert decoded.shape == (96, 80)
    assert np.abs(decoded - pictures.gray8()).mean() < 3


def test_content_wins_over_the_extension() -> None:
    study = decode(pictures.save(pictures.gray8(), "PNG"), "Doe_John.jpg")
    assert study.format == "png"
    assert study.warnings == ("The file is a PNG picture, although its name ends in .jpg.",)


def test_limits_are_settings() -> None:
    content = pictures.save(pictures.gray8(), "PNG")
    part = [Part("file", "a.png", content)]
    with pytest.raises(FileTooLarge, match=str(len(content))):
        decode_study(part, limits=DecodeLimits(max_file_bytes=100))
    with pytest.raises(PictureTooLarge):
        decode_study(part, limits=DecodeLimits(max_pixels=1000))
    with pytest.raises(PictureTooLarge):
        decode_study(part, limits=DecodeLimits(max_side_px=90))
    with pytest.raises(PictureTooSmall):
        decode_study(part, limits=DecodeLimits(min_longer_side_px=128))


def test_jpeg_of_many_scans_is_refused() -> None:
    content = pictures.save(pictures.gray8(), "JPEG")
    end = content.rindex(b"\xff\xd9")
    with pytest.raises(UnsupportedPixels, match="scans"):
        decode(content[:end] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 80 + content[end:])


def test_formats_that_are_not_taken_are_named() -> None:
    for content, name in ((b"GIF89a" + bytes(50), "GIF"), (b"\x1f\x8b" + bytes(50), "NIfTI"), (b"hello", "text")):
        with pytest.raises(UnsupportedFormat, match=name):
            decode(content)


STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"II*\x00",
    b"MM\x00*",
    b"BM",
    b"RIFF\x20\0\0\0WEBP",
    bytes(128) + b"DICM",
    b"\x08\x00\x05\x00",
    b"",
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=600))
def test_random_bytes_meet_service_errors_only(start: bytes, rest: bytes) -> None:
    with pytest.raises(ServiceError):
        decode(start + rest)


SEEDS = {
    "png": pictures.save(pictures.gray8(), "PNG"),
    "palette": pictures.save(pictures.color_photo(64, 64), "PNG"),
    "jpeg": pictures.save(pictures.gray8(), "JPEG"),
    "webp": pictures.save(pictures.gray8(), "WEBP"),
    "tiff": pictures.save(pictures.gray16(), "TIFF"),
    "lzw": pictures.save(pictures.gray8(), "TIFF", compression="tiff_lzw"),
    "bmp": pictures.save(pictures.gray8(), "BMP"),
    "dicom": pictures.dicom(),
}


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
    st.booleans(),
    st.floats(0.05, 1),
)
def test_mutated_files_decode_or_meet_service_errors(
    name: str, changes: list[tuple[float, int]], in_header: bool, share: float
) -> None:
    content = bytearray(SEEDS[name])
    span = min(len(content), 400) if in_header else len(content)
    for place, value in changes:
        content[int(place * span)] = value
    content = content[: max(1, int(len(content) * share))] if share < 0.9 else content
    with contextlib.suppress(ServiceError):
        study = decode(bytes(content))
        assert study.primary.ndim == 2
        assert study.primary.dtype in {np.dtype(np.uint8), np.dtype(np.float32)}
