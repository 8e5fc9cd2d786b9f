"""Single slices of a volume: one pixel a voxel, in the radiological convention."""

import io
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gateway.reporting.colors import LABELS, OUTLINE
from gateway.slices import SliceStack
from gateway.volume_findings import VolumeFindings
from service_kit.contracts.classification import ViewLabel
from service_kit.contracts.common import Sequence

_FILL_ALPHA, _BORDER_ALPHA = 0.22, 0.9
# Scrolling asks for many small files once: fast to make counts for more than small.
_COMPRESSION = 1


def render_slice(
    findings: VolumeFindings,
    plane: ViewLabel,
    index: int,
    *,
    sequence: Sequence | None = None,
    shown: Collection[str] | None = None,
) -> bytes:
    """PNG of slice `index` of `SliceStack(grid, plane)`, as many pixels as voxels; the spacing is in its pHYs chunk.

    8-bit gray; with `shown`, names of labels, RGB with their area tinted and its border drawn.
    """
    stack = SliceStack(findings.grid, plane)
    gray = np.ascontiguousarray(stack.take(findings.pictures[sequence or findings.primary])[index])
    picture = gray
    if shown is not None and findings.labels is not None:
        wanted = {value: name for value, name in findings.names.items() if name in shown}
        picture = _tinted(gray, stack.take(findings.labels)[index], wanted)
    return _encode(picture, stack.spacing_mm[1:])


def key_picture(findings: VolumeFindings) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """The key slice `[rows, columns]` of the classified sequence and its spacing between (rows, columns).

    The middle axial slice where the analysis names none.
    """
    stack, index = _key(findings)
    _, tall_mm, wide_mm = stack.spacing_mm
    return np.ascontiguousarray(stack.take(findings.pictures[findings.primary])[index]), (tall_mm, wide_mm)


def key_outline(findings: VolumeFindings) -> NDArray[np.bool_] | None:
    """What is outlined of that slice `[rows, columns]`, whatever its label; None where nothing was outlined."""
    if findings.labels is None:
        return None
    stack, index = _key(findings)
    return np.ascontiguousarray(stack.take(findings.labels)[index] > 0)


def _key(findings: VolumeFindings) -> tuple[SliceStack, int]:
    key = findings.analysis.key_slice
    stack = SliceStack(findings.grid, "axial" if key is None else key.plane)
    return stack, stack.shape[0] // 2 if key is None else key.index


def _tinted(gray: NDArray[np.uint8], cut: NDArray[np.uint8], wanted: dict[int, str]) -> NDArray[np.uint8]:
    """Colors where `cut` is one of `wanted`; a border is where a neighbor has another label."""
    picture = np.repeat(gray[..., None], 3, axis=2)
    colors, drawn = np.zeros((256, 3), np.float32), np.zeros(256, np.bool_)
    for value, name in wanted.items():
        colors[value], drawn[value] = LABELS.get(name, OUTLINE), True
    padded = np.pad(cut, 1)
    around = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    border = np.logical_or.reduce([neighbor != cut for neighbor in around])
    place = np.nonzero(drawn[cut])
    below = gray[place][:, None].astype(np.float32)
    alpha = np.where(border[place], np.float32(_BORDER_ALPHA), np.float32(_FILL_ALPHA))[:, None]
    picture[place] = np.rint(below + (colors[cut[place]] - below) * alpha).astype(np.uint8)
    return picture


def _encode(picture: NDArray[np.uint8], spacing_mm: tuple[float, ...]) -> bytes:
    tall_mm, wide_mm = spacing_mm
    image: Any = Image.fromarray(picture)
    out = io.BytesIO()
    inch_mm = 25.4
    # Pillow takes pixels an inch and writes pixels a meter.
    image.save(out, "PNG", compress_level=_COMPRESSION, dpi=(inch_mm / wide_mm, inch_mm / tall_mm))
    return out.getvalue()
