"""Pictures that are no brain's MRI, or hardly one."""

import io

import numpy as np
import pydicom
from PIL import Image

from tests.page.stack import SAMPLES


def png(picture: Image.Image) -> bytes:
    """The file."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def photograph() -> bytes:
    """A landscape: sky, hills, grass, in color."""
    rows, columns = np.mgrid[0:300, 0:400]
    hills = rows > 150 + 30 * np.sin(columns / 40)
    grain = np.random.default_rng(5).normal(0, 12, (300, 400))
    sky = np.stack([90 + rows / 3, 140 + rows / 4, 230 - rows / 5], axis=-1)
    grass = np.stack([40 + rows / 6, 120 - rows / 8, 30 + columns / 20], axis=-1)
    pixels = np.where(hills[..., None], grass, sky) + grain[..., None]
    return png(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))


def faint_lesion() -> bytes:
    """A head whose lesion is half gone: the two-label detector excludes neither label, which is no answer."""
    with_one, without = (
        np.asarray(Image.open(SAMPLES / f"coronal-{name}.png").convert("L"), dtype=np.float64)
        for name in ("meningioma", "no_tumor")
    )
    return png(Image.fromarray((0.6 * with_one + 0.4 * without).astype(np.uint8)))


def magnified_dicom(times: float) -> bytes:
    """The DICOM sample drawn larger about its middle on the same grid."""
    dataset = pydicom.dcmread(SAMPLES / "axial-glioma.dcm")
    pixels = dataset.pixel_array
    rows, columns = pixels.shape
    size = (columns / times, rows / times)
    box = ((columns - size[0]) / 2, (rows - size[1]) / 2, (columns + size[0]) / 2, (rows + size[1]) / 2)
    drawn = Image.fromarray(pixels.astype(np.float32)).resize((columns, rows), Image.Resampling.BICUBIC, box=box)
    dataset.PixelData = np.clip(np.asarray(drawn), 0, pixels.max()).astype(pixels.dtype).tobytes()
    stream = io.BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()
