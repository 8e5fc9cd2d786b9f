"""Findings as bytes and back: pixels as they were classified (lossless), the mask in bits, the heat map.

Redis' own time and the socket's grow with every byte: a slice's pixels cost four times what its bare file costs.
"""

import json

import numpy as np
from numpy.typing import NDArray

from gateway.findings import Findings, Pixels, Saliency
from gateway.imaging.limits import DecodeLimits
from gateway.imaging.raster import decode_raster
from gateway.schemas import FinishedAnalysis
from service_kit import tensors


def pack(findings: Findings) -> bytes:
    """The arrays of the findings in one container."""
    arrays: dict[str, NDArray[np.uint8] | NDArray[np.float32]] = {}
    metadata: dict[str, str] = {}
    if findings.file is not None and len(findings.file.content) < findings.pixels.nbytes:
        arrays["file"] = np.frombuffer(findings.file.content, np.uint8)
        metadata["file"] = findings.file.kind
    else:
        arrays["pixels"] = findings.pixels
    if findings.mask is not None:
        arrays["mask_bits"] = np.packbits(findings.mask)
    if findings.saliency is not None:
        arrays["heatmap"] = findings.saliency.values
        metadata["heatmap"] = json.dumps({"extent": findings.saliency.extent, "label": findings.saliency.label})
    return tensors.encode(arrays, None, **metadata)


def unpack(document: bytes, packed: bytes) -> Findings:
    """What `pack` packed, with the analysis of `document`. May decode a picture: call it in a thread."""
    envelope = tensors.decode(packed)
    pixels = _pixels(envelope)
    mask = saliency = None
    if "mask_bits" in envelope.arrays:
        mask = np.unpackbits(envelope.arrays["mask_bits"], count=pixels.size).reshape(pixels.shape).astype(np.bool_)
    if "heatmap" in envelope.arrays:
        about = json.loads(envelope.metadata["heatmap"])
        top, left, height, width = about["extent"]
        saliency = Saliency(envelope.arrays["heatmap"], (top, left, height, width), about["label"])
    return Findings(FinishedAnalysis.model_validate_json(document), pixels, mask, saliency)


def _pixels(envelope: tensors.Envelope) -> Pixels:
    if "file" not in envelope.arrays:
        pixels: Pixels = envelope.arrays["pixels"]
        return pixels
    kind = envelope.metadata["file"]
    return decode_raster(envelope.arrays["file"].tobytes(), "png" if kind == "png" else "jpeg", DecodeLimits())
