"""A mean head: many people's slices of one view, registered to each other and averaged, so that it is nobody's."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model_export.datasets.pictures import read_gray
from model_export.datasets.slices import SliceRecord, read_slices
from service_kit.inference.preprocessing import Preprocessing

SIDE = 256
_PEOPLE = 16
_ROUNDS = 4
_THUMBNAIL = 32
_GAMMA, _PEAK = 1.35, 0.85

Plane = NDArray[np.float32]


def mean_head(root: Path, view: str, tumor_class: str) -> Plane:
    """The mean `[256, 256]`, 0..1, of the 16 most alike slices of one view and class, each of another group.

    Every slice is warped onto the running mean by dense optical flow; the mean shape is kept by taking the average
    warp back, so that the result has no single person's outline either.
    """
    source = "brisc" if tumor_class == "no_tumor" else "cheng"
    slices = [_grid(record) for record in _candidates(root, view, tumor_class, source)]
    chosen = _most_alike(slices)
    mean = np.mean([slices[i] for i in chosen], axis=0)
    for _ in range(_ROUNDS):
        flows = [_flow(mean, slices[i]) for i in chosen]
        shape = np.mean(flows, axis=0)
        mean = np.mean([warp(slices[i], flow - shape) for i, flow in zip(chosen, flows, strict=True)], axis=0)
    head = _sharpen(mean.astype(np.float32))
    return _upright(head**_GAMMA * _PEAK, view) if source == "brisc" else head


def _upright(plane: Plane, view: str) -> Plane:
    """As radiologists look at it: BRISC's coronals hang upside down, its sagittals lie, its axials are narrow."""
    if view == "coronal":
        return np.ascontiguousarray(plane[::-1])
    if view == "sagittal":
        return np.ascontiguousarray(np.rot90(plane))
    stretched = cv2.resize(plane, (round(SIDE * 1.2), SIDE), interpolation=cv2.INTER_CUBIC)
    rim = (stretched.shape[1] - SIDE) // 2
    return np.ascontiguousarray(np.clip(stretched[:, rim : rim + SIDE], 0.0, 1.0))


def warp(plane: Plane, flow: Plane) -> Plane:
    """`plane [rows, columns]` sampled where `flow [rows, columns, 2]` (x, y in pixels) points."""
    rows, columns = plane.shape
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    moved = cv2.remap(plane, x + flow[..., 0].astype(np.float32), y + flow[..., 1].astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)


def _candidates(root: Path, view: str, tumor_class: str, source: str) -> list[SliceRecord]:
    seen: set[str] = set()
    found = []
    for record in read_slices(root):
        wanted = record.tumor_class == tumor_class and record.view == view and record.source == source
        if wanted and record.group not in seen:
            seen.add(record.group)
            found.append(record)
    return found


def _grid(record: SliceRecord) -> Plane:
    image, _ = Preprocessing(size=SIDE, margin=0.06).apply(read_gray(record.image))
    return image.astype(np.float32) / 255.0


def _most_alike(slices: list[Plane]) -> list[int]:
    """The slice with the closest neighbors, and those: by correlation of thumbnails, near-copies left out."""
    small = np.stack([cv2.resize(s, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA).ravel() for s in slices])
    small = small - small.mean(axis=1, keepdims=True)
    small /= np.linalg.norm(small, axis=1, keepdims=True)
    alike = small @ small.T
    alike[alike > 0.985] = -1.0
    nearest = np.argsort(-alike, axis=1)[:, :_PEOPLE]
    center = int(np.argmax(np.take_along_axis(alike, nearest, axis=1).mean(axis=1)))
    return [int(i) for i in nearest[center]]


def _flow(target: Plane, moving: Plane) -> Plane:
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    engine.setFinestScale(1)
    to_bytes = [np.clip(plane * 255, 0, 255).astype(np.uint8) for plane in (target, moving)]
    start = np.zeros((*target.shape, 2), np.float32)
    flow = engine.calc(to_bytes[0], to_bytes[1], start)
    return np.asarray(cv2.GaussianBlur(flow, (0, 0), 3.0), np.float32)


def _sharpen(plane: Plane) -> Plane:
    fine = plane - cv2.GaussianBlur(plane, (0, 0), 1.2)
    middle = plane - cv2.GaussianBlur(plane, (0, 0), 4.0)
    sharp = np.maximum(plane + 1.4 * fine + 0.35 * middle, 0.0)
    return np.asarray(np.clip(sharp, 0.0, 1.0), np.float32)
