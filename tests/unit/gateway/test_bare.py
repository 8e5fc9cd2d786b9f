"""Files without metadata: the same pixels, and nothing of the patient."""

import io

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from gateway.findings import BareFile
from gateway.imaging.bare import strip_picture
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.raster import RasterFormat, decode_raster
from tests.unit.gateway_imaging import pictures

SECRET = b"Doe^Jane"


def jpeg(pixels: np.ndarray[tuple[int, int], np.dtype[np.uint8]], **options: object) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    image = Image.fromarray(pixels)
    image.save(out, "JPEG", exif=exif, comment=SECRET, icc_profile=SECRET * 40, **options)
    return out.getvalue() + SECRET


def png(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    text = PngImagePlugin.PngInfo()
    text.add_text("Patient", SECRET.decode())
    image.save(out, "PNG", pnginfo=text, **options)
    return out.getvalue() + SECRET


def assert_same(content: bytes, kind: RasterFormat) -> bytes:
    stripped = strip_picture(content, kind)
    assert stripped is not None
    assert stripped.kind == kind
    bare = stripped.content
    assert SECRET in content
    assert SECRET not in bare
    assert len(bare) < len(content)
    before, after = (decode_raster(file, kind, DecodeLimits()) for file in (content, bare))
    assert before.dtype == after.dtype
    np.testing.assert_array_equal(before, after)
    return bare


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 2}, {"restart_marker_rows": 1}],
    ids=str,
)
def test_a_gray_jpeg_loses_its_words_alone(options: dict[str, object]) -> None:
    bare = assert_same(jpeg(pictures.gray8(), **options), "jpeg")
    assert strip_picture(bare, "jpeg") == BareFile("jpeg", bare)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGB", "I;16"])
def test_a_png_loses_its_words_alone(mode: str) -> None:
    gray = pictures.gray16() if mode == "I;16" else pictures.gray8()
    image = Image.fromarray(gray)
    bare = assert_same(png(image if mode == "I;16" else image.convert(mode)), "png")
    assert strip_picture(bare, "png") == BareFile("png", bare)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(32, 90), st.integers(32, 90), st.integers(1, 100))
def test_any_gray_jpeg_keeps_its_pixels(seed: int, rows: int, columns: int, quality: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns)).astype(np.uint8)
    assert_same(jpeg(pixels, quality=quality), "jpeg")


def test_what_could_change_is_left_alone() -> None:
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pictures.gray8()).save(turned, "JPEG", exif=exif)
    color = simplejpeg.encode_jpeg(np.ascontiguousarray(np.dstack([pictures.gray8()] * 3)), 90)
    assert strip_picture(turned.getvalue(), "jpeg") is None
    assert strip_picture(color, "jpeg") is None
    assert strip_picture(pictures.save(pictures.gray8(), "TIFF"), "tiff") is None
