"""PNG, JPEG, WebP, TIFF and BMP -> gray pixels. The header is judged first, and only then is a decoder called."""

import io
import struct
from typing import Literal

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from gateway.imaging import gray, headers
from gateway.imaging.errors import MultiFrame, PictureTooLarge, UnreadableFile, UnsupportedPixels
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.study import Pixels

RasterFormat = Literal["png", "jpeg", "webp", "tiff", "bmp"]

_TIFF_COMPRESSIONS = {1: "none", 5: "LZW", 7: "JPEG", 8: "deflate", 32773: "PackBits", 32946: "deflate"}
_PILLOW_ERRORS = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, Warning, struct.error)
_ONE_BIT = "The picture has 1 bit a pixel: a mask or a line drawing, not a scan."
_DAMAGED = "The {} is damaged or cut short: its pixels cannot be decoded."


def decode_raster(content: bytes, kind: RasterFormat, limits: DecodeLimits) -> Pixels:
    """Decode one picture to uint8 (as stored in 8 bits) or float32 (more bits) `[rows, columns]`, upright.

    Raises the errors of `gateway.imaging.errors`, those about size before a pixel is decoded.
    """
    match kind:
        case "png":
            pixels = _decode_png(content, limits)
        case "jpeg":
            pixels = _decode_jpeg(content, limits)
        case "webp":
            pixels = _decode_webp(content, limits)
        case "tiff":
            pixels = _decode_tiff(content, limits)
        case "bmp":
            pixels = _decode_bmp(content, limits)
    return gray.check_pixels(pixels)


def _decode_png(content: bytes, limits: DecodeLimits) -> Pixels:
    header = headers.read_png(content)
    limits.check_size(header.rows, header.columns)
    if header.bits == 1:
        raise UnsupportedPixels(_ONE_BIT)
    if header.bits == 16 and header.channels != 1:
        raise UnsupportedPixels(f"The PNG has {header.channels} channels of 16 bits; save it as 16-bit gray.")
    return gray.orient(_pillow(content, "PNG", limits), header.orientation)


def _decode_webp(content: bytes, limits: DecodeLimits) -> Pixels:
    header = headers.read_webp(content)
    limits.check_size(header.rows, header.columns)
    return gray.orient(_pillow(content, "WEBP", limits), header.orientation)


def _decode_jpeg(content: bytes, limits: DecodeLimits) -> Pixels:
    header = headers.read_jpeg(content)
    limits.check_size(header.rows, header.columns)
    if header.bits != 8:
        raise UnsupportedPixels(f"The JPEG has {header.bits} bits a channel; 8 are accepted. Send PNG or DICOM.")
    if header.channels not in {1, 3}:
        raise UnsupportedPixels(f"The JPEG has {header.channels} channels (CMYK); save it in gray.")
    try:
        if header.channels == 3:
            # Color is judged on a picture of an eighth of the size, which costs little beside the decoding itself.
            factor = 8 if min(header.rows, header.columns) >= 256 else 1
            rows, columns = header.rows // factor, header.columns // factor
            gray.check_color(simplejpeg.decode_jpeg(content, "RGB", min_height=rows, min_width=columns))
        pixels = simplejpeg.decode_jpeg(content, "GRAY")[..., 0]
    except ValueError as error:
        raise UnreadableFile(_DAMAGED.format("JPEG")) from error
    if pixels.shape != (header.rows, header.columns):
        raise UnreadableFile(_DAMAGED.format("JPEG"))
    return gray.orient(pixels, header.orientation)


def _decode_bmp(content: bytes, limits: DecodeLimits) -> Pixels:
    header = headers.read_bmp(content)
    limits.check_size(header.rows, header.columns)
    return _pillow(content, "BMP", limits)


def _decode_tiff(content: bytes, limits: DecodeLimits) -> Pixels:
    return _pillow(content, "TIFF", limits)


def _pillow(content: bytes, name: str, limits: DecodeLimits) -> Pixels:
    try:
        with Image.open(io.BytesIO(content), formats=[name]) as image:
            limits.check_size(image.height, image.width)
            if isinstance(image, TiffImageFile):
                _check_tiff(image, limits)
            if image.mode == "1":
                raise UnsupportedPixels(_ONE_BIT)
            image.load()
            pixels = gray.to_gray(image)
            return _white_is_high(pixels, image) if isinstance(image, TiffImageFile) else pixels
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"The {name} header asks for more than {limits.max_pixels} pixels.") from error
    except UnidentifiedImageError as error:
        raise UnreadableFile(f"The {name} has no readable header.") from error
    except _PILLOW_ERRORS as error:
        raise UnreadableFile(_DAMAGED.format(name)) from error


def _check_tiff(image: TiffImageFile, limits: DecodeLimits) -> None:
    if image.n_frames > 1:
        raise MultiFrame(f"The TIFF has {image.n_frames} pages: send one slice a file.")
    compression = image.tag_v2.get(259, 1)
    if compression not in _TIFF_COMPRESSIONS:
        names = ", ".join(sorted(set(_TIFF_COMPRESSIONS.values())))
        raise UnsupportedPixels(f"The TIFF's compression (code {compression}) is not accepted; use one of: {names}.")
    tile_rows, tile_columns = int(image.tag_v2.get(323, 0)), int(image.tag_v2.get(322, 0))
    if tile_rows * tile_columns > limits.max_pixels:
        raise PictureTooLarge(f"The TIFF asks for tiles of {tile_rows} x {tile_columns} pixels.")


def _white_is_high(pixels: Pixels, image: TiffImageFile) -> Pixels:
    """Turn a TIFF in which 0 is white (tag 262); Pillow does so itself for 8 bits alone."""
    if image.tag_v2.get(262) != 0 or pixels.dtype != np.float32 or not image.mode.startswith("I;16"):
        return pixels
    return np.float32((1 << int(image.tag_v2.get(258, (16,))[0])) - 1) - pixels
