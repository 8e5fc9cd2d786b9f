"""Findings as bytes and back: pixels as they were classified (lossless), the mask in bits, the heat map."""

import json

import numpy as np
from numpy.typing import NDArray

from gateway.findings import Findings, Saliency
from gateway.schemas import Analysis
from service_kit import tensors


def pack(findings: Findings) -> bytes:
    """The arrays of the findings in one container."""
    arrays: dict[str, NDArray[np.uint8] | NDArray[np.float32]] = {"pixels": findings.pixels}
    metadata: dict[str, str] = {}
    if findings.mask is not None:
        arrays["mask_bits"] = np.packbits(findings.mask)
    if findings.saliency is not None:
        arrays["heatmap"] = findings.saliency.values
        metadata["heatmap"] = json.dumps({"extent": findings.saliency.extent, "label": findings.saliency.label})
    return tensors.encode(arrays, None, **metadata)


def unpack(document: bytes, packed: bytes) -> Findings:
    """What `pack` packed, with the analysis of `document`."""
    envelope = tensors.decode(packed)
    pixels = envelope.arrays["pixels"]
    mask = saliency = None
    if "mask_bits" in envelope.arrays:
        mask = np.unpackbits(envelope.arrays["mask_bits"], count=pixels.size).reshape(pixels.shape).astype(np.bool_)
    if "heatmap" in envelope.arrays:
        about = json.loads(envelope.metadata["heatmap"])
        top, left, height, width = about["extent"]
        saliency = Saliency(envelope.arrays["heatmap"], (top, left, height, width), about["label"])
    return Findings(Analysis.model_validate_json(document), pixels, mask, saliency)
