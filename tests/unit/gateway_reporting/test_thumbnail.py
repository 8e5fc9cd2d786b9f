import io

import numpy as np
import pytest
from PIL import Image

from gateway.reporting.colors import OUTLINE
from gateway.reporting.thumbnail import render_thumbnail
from tests.unit.gateway_reporting.scenes import ellipse, scan

MAX_BYTES = 25_000


def drawn(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.int_]]:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "expected"),
    [
        ((160, 200), None, (128, 160)),
        ((96, 320), (3.0, 0.8), (160, 142)),
        ((1024, 700), (0.5, 0.5), (160, 109)),
        ((64, 64), (1.0, 1.0), (160, 160)),
        ((32, 2000), None, (3, 160)),
    ],
)
def test_it_fits_a_list_and_is_true_to_size(
    shape: tuple[int, int], spacing_mm: tuple[float, float] | None, expected: tuple[int, int]
) -> None:
    assert drawn(render_thumbnail(scan(*shape), None, spacing_mm)).shape == (*expected, 3)


def test_the_outline_is_drawn_in_its_color_and_the_scan_is_left_alone() -> None:
    mask = ellipse((160, 160), half_axes_mm=(30, 18), degrees=25)
    plain = drawn(render_thumbnail(scan(160, 160)))
    marked = drawn(render_thumbnail(scan(160, 160), mask))
    assert (plain == plain[..., :1]).all()
    assert np.abs(plain[..., 0] - scan(160, 160)).max() <= 2  # 64 grays
    outer, inner = (ellipse((160, 160), half_axes_mm=(30 + by, 18 + by), degrees=25) for by in (1, -1))
    tint = marked[..., 2] - marked[..., 0]
    assert (tint[outer & ~inner] > 60).mean() > 0.6
    assert (np.abs(marked - np.array(OUTLINE)).sum(axis=2) < 40).any()
    far = ~ellipse((160, 160), half_axes_mm=(35, 23), degrees=25)
    np.testing.assert_array_equal(marked[far], plain[far])
    np.testing.assert_array_equal(drawn(render_thumbnail(scan(160, 160), np.zeros((160, 160), np.bool_))), plain)


def test_it_is_small_also_where_nothing_compresses() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (160, 160), np.uint8)
    assert len(render_thumbnail(noise, ellipse((160, 160), half_axes_mm=(50, 40)))) < MAX_BYTES
    assert len(render_thumbnail(scan(512, 512))) < MAX_BYTES / 2


def test_many_bits_and_the_same_bytes_again() -> None:
    wide = scan().astype(np.float32) * 40 - 300
    assert drawn(render_thumbnail(wide)).max() == 255
    assert render_thumbnail(wide) == render_thumbnail(wide)
