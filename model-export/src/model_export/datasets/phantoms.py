"""Drawn stand-ins for pictures of other body parts and other machines: nothing here stems from a patient."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Draw = Callable[[np.random.Generator], NDArray[np.uint8]]
SIDE = 256
"""Phantoms are drawn at this size, in pixels a side."""
_Y, _X = np.mgrid[-1.0 : 1.0 : SIDE * 1j, -1.0 : 1.0 : SIDE * 1j]


def smooth_field(random: np.random.Generator, scale_px: float) -> Plane:
    """A random field `[SIDE, SIDE]` of mean 0 and deviation 1 that varies over `scale_px`."""
    field = cv2.GaussianBlur(random.normal(size=(SIDE, SIDE)), (0, 0), scale_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray((field - field.mean()) / field.std())


def ellipse(y: float, x: float, height: float, width: float, angle: float = 0.0) -> Plane:
    """1 inside an ellipse of these half axes (the picture spans -1..1), 0 outside, with a soft edge."""
    cosine, sine = np.cos(angle), np.sin(angle)
    v, u = (_Y - y) * cosine + (_X - x) * sine, (_X - x) * cosine - (_Y - y) * sine
    distance = np.sqrt((v / height) ** 2 + (u / width) ** 2)
    return np.asarray(np.clip((1.0 - distance) * 12.0 + 0.5, 0.0, 1.0))


def _box(y: float, x: float, height: float, width: float) -> Plane:
    distance = np.maximum(np.abs(_Y - y) / height, np.abs(_X - x) / width)
    return np.asarray(np.clip((1.0 - distance) * 12.0 + 0.5, 0.0, 1.0))


def _finish(plane: Plane, random: np.random.Generator, noise: float = 0.02) -> NDArray[np.uint8]:
    blurred = cv2.GaussianBlur(plane, (0, 0), random.uniform(0.5, 1.5)) + random.normal(0, noise, plane.shape)
    return np.asarray(np.clip(blurred * 255.0, 0, 255), np.uint8)


def chest_xray(random: np.random.Generator) -> NDArray[np.uint8]:
    """Dark lungs beside a bright mediastinum, ribs across, a heart and two diaphragms."""
    r = random.uniform
    body = 0.55 + 0.1 * _Y + 0.05 * smooth_field(random, 30)
    for side in (-1, 1):
        lung = ellipse(r(-0.15, 0.0), side * r(0.36, 0.46), r(0.62, 0.75), r(0.26, 0.34), side * r(-0.12, 0.0))
        body = body * (1 - 0.72 * lung) + lung * 0.03 * smooth_field(random, 4)
        for rib in range(8):
            center = -0.75 + rib * r(0.17, 0.19)
            curve = np.abs(_Y - center - 0.5 * (np.abs(_X) - 0.4) ** 2 * side * np.sign(_X) - 0.25 * np.abs(_X))
            body += 0.14 * np.exp(-((curve / 0.022) ** 2)) * (np.sign(_X) == side) * (np.abs(_X) < 0.78)
    body += 0.28 * _box(0, 0, 1.2, r(0.09, 0.13)) + 0.25 * ellipse(
        r(0.25, 0.4), r(0.08, 0.2), r(0.3, 0.4), r(0.25, 0.33)
    )
    body += 0.3 * ellipse(1.1, -0.42, r(0.45, 0.6), 0.5) + 0.3 * ellipse(1.1, 0.42, r(0.4, 0.55), 0.5)
    return _finish(body, random)


def knee_mr(random: np.random.Generator) -> NDArray[np.uint8]:
    """Femur above tibia with a dark joint line and menisci, muscle and a rim of fat."""
    r = random.uniform
    leg = _box(0, r(-0.05, 0.05), 1.3, r(0.5, 0.62))
    plane = leg * (0.28 + 0.05 * smooth_field(random, 3)) + 0.5 * (leg - _box(0, 0, 1.3, r(0.4, 0.48))).clip(0)
    gap, marrow = r(-0.08, 0.08), r(0.55, 0.85)
    texture = marrow + 0.06 * smooth_field(random, 5)
    femur = np.maximum(_box(gap - 0.75, 0, 0.5, r(0.17, 0.22)), 0)
    femur = np.maximum(femur, ellipse(gap - 0.25, -0.18, 0.22, 0.2))
    femur = np.maximum(femur, ellipse(gap - 0.25, 0.18, 0.22, 0.2))
    tibia = np.maximum(_box(gap + 0.75, 0, 0.55, r(0.16, 0.2)), _box(gap + 0.18, 0, 0.13, r(0.34, 0.4)))
    bone = np.maximum(femur, tibia)
    plane = plane * (1 - bone) + bone * texture
    edge = cv2.GaussianBlur(bone, (0, 0), 2.0)
    plane -= 0.5 * np.exp(-(((edge - 0.5) / 0.18) ** 2))
    return _finish(plane.clip(0), random)


def spine_mr(random: np.random.Generator) -> NDArray[np.uint8]:
    """A sagittal column: vertebrae, discs, the bright canal with its cord, fat behind it."""
    r = random.uniform
    bend, phase = r(0.05, 0.2), r(0, 3)
    shift = bend * np.sin(_Y * 1.8 + phase)
    u = _X - shift
    plane = 0.18 + 0.08 * smooth_field(random, 8) + 0.45 * (u > r(0.45, 0.6)) + 0.12 * (u < -0.5)
    column = np.clip((0.2 - np.abs(u + 0.12)) * 30, 0, 1)
    pitch = r(0.25, 0.33)
    bone = np.clip((0.82 - 2 * np.abs((_Y / pitch) % 1.0 - 0.5)) * 6, 0, 1)
    marrow, disc = r(0.45, 0.65), r(0.1, 0.8)
    plane = plane * (1 - column) + column * (bone * (marrow + 0.03 * smooth_field(random, 4)) + (1 - bone) * disc)
    canal = np.clip((0.1 - np.abs(u - 0.2)) * 40, 0, 1)
    cord = np.clip((0.045 - np.abs(u - 0.2)) * 60, 0, 1)
    return _finish(plane * (1 - canal) + canal * r(0.7, 0.95) - cord * 0.4, random)


def abdomen_ct(random: np.random.Generator) -> NDArray[np.uint8]:
    """A wide body with liver, kidneys, vertebra, gas and a rim of fat."""
    r = random.uniform
    body = ellipse(0, 0, r(0.55, 0.7), r(0.8, 0.95))
    inner = ellipse(0, 0, r(0.45, 0.52), r(0.68, 0.76))
    plane = body * 0.22 + inner * (0.2 + 0.015 * smooth_field(random, 4))
    plane += 0.16 * ellipse(-0.08, -0.36, 0.3, 0.3, r(-0.4, 0.4)) + 0.14 * ellipse(-0.1, 0.42, 0.2, 0.16)
    for side in (-1, 1):
        plane += r(0.15, 0.35) * ellipse(0.2, side * r(0.28, 0.36), 0.13, 0.09, side * 0.4)
    plane += 0.5 * ellipse(0.3, 0, 0.11, 0.13) - 0.35 * ellipse(r(-0.3, -0.2), r(-0.1, 0.2), 0.08, r(0.1, 0.2))
    for _ in range(int(random.integers(5, 12))):
        plane += r(-0.12, 0.12) * ellipse(r(-0.3, 0.1), r(-0.4, 0.4), r(0.03, 0.09), r(0.03, 0.09), r(0, 3))
    return _finish(plane.clip(0), random, 0.03)


def head_ct(random: np.random.Generator) -> NDArray[np.uint8]:
    """A saturated skull around a brain that is nearly flat."""
    r = random.uniform
    tall, wide = r(0.72, 0.85), r(0.58, 0.68)
    skin, skull, brain = (ellipse(0, 0, tall * s, wide * s) for s in (1.06, 1.0, r(0.88, 0.92)))
    plane = 0.35 * skin * (1 - skull) + 1.0 * skull * (1 - brain)
    plane += brain * (r(0.4, 0.5) + 0.012 * smooth_field(random, 10))
    for side in (-1, 1):
        plane -= brain * 0.2 * ellipse(r(-0.1, 0.0), side * 0.1, r(0.18, 0.26), r(0.03, 0.06), side * 0.3)
    plane += brain * 0.05 * np.exp(-((_X / 0.01) ** 2))
    return _finish(plane.clip(0, 1), random, 0.03)


def limb_xray(random: np.random.Generator) -> NDArray[np.uint8]:
    """One to five long bones in soft tissue."""
    r = random.uniform
    count = int(random.integers(1, 6))
    plane = 0.05 + 0.25 * _box(0, 0, 1.4, r(0.5, 0.8)) + 0.03 * smooth_field(random, 12)
    for x in np.linspace(-0.35, 0.35, count) if count > 1 else [0.0]:
        tilt, wide = r(-0.15, 0.15) + 0.4 * x, r(0.05, 0.12)
        distance = np.abs(_X - x - tilt * _Y) / (wide * (1 + 0.6 * _Y**2))
        plane += 0.5 * np.clip((1 - distance) * 8, 0, 1) - 0.2 * np.clip((0.5 - distance) * 8, 0, 1)
    if random.random() < 0.5:
        plane = 1.0 - plane
    return _finish(plane.clip(0, 1), random)


def ultrasound(random: np.random.Generator) -> NDArray[np.uint8]:
    """A sector of speckle with dark vessels or cysts."""
    r = random.uniform
    depth, angle = np.hypot(_Y + 1.05, _X), np.arctan2(_X, _Y + 1.05)
    sector = (np.abs(angle) < r(0.5, 0.8)) & (depth > r(0.1, 0.35)) & (depth < r(1.7, 2.0))
    speckle = np.abs(smooth_field(random, r(0.8, 2.0))) ** 1.3 * (0.3 + 0.15 * smooth_field(random, 20))
    for _ in range(int(random.integers(1, 5))):
        speckle *= 1 - 0.9 * ellipse(r(-0.4, 0.6), r(-0.5, 0.5), r(0.08, 0.25), r(0.08, 0.25), r(0, 3))
    return _finish(sector * speckle.clip(0) * np.exp(-0.5 * depth), random, 0.0)


def shepp_logan(random: np.random.Generator) -> NDArray[np.uint8]:
    """The reconstruction phantom, its ten ellipses drawn a little otherwise each time."""
    table = (
        (1.0, 0.69, 0.92, 0.0, 0.0, 0.0), (-0.8, 0.6624, 0.874, 0.0, -0.0184, 0.0),
        (-0.2, 0.11, 0.31, 0.22, 0.0, -18.0), (-0.2, 0.16, 0.41, -0.22, 0.0, 18.0),
        (0.1, 0.21, 0.25, 0.0, 0.35, 0.0), (0.1, 0.046, 0.046, 0.0, 0.1, 0.0), (0.1, 0.046, 0.046, 0.0, -0.1, 0.0),
        (0.1, 0.046, 0.023, -0.08, -0.605, 0.0), (0.1, 0.023, 0.023, 0.0, -0.606, 0.0),
        (0.1, 0.023, 0.046, 0.06, -0.605, 0.0),
    )  # fmt: skip
    plane = np.zeros((SIDE, SIDE))
    for gray, wide, tall, x, y, angle in table:
        jitter = random.uniform(0.93, 1.07, 3)
        plane += gray * jitter[0] * ellipse(-y, x, tall * jitter[1], wide * jitter[2], -np.deg2rad(angle))
    return _finish(plane.clip(0, 1), random, 0.0)


def scanner_phantom(random: np.random.Generator) -> NDArray[np.uint8]:
    """A bottle or a plate with holes, as scanners are checked with."""
    r = random.uniform
    tall = r(0.5, 0.85)
    plane = ellipse(0, 0, tall, tall * r(0.85, 1.0)) * (r(0.5, 0.9) + 0.1 * (_Y**2 + _X**2))
    rows = int(random.integers(0, 6))
    for y in np.linspace(-0.35, 0.35, rows) if rows else []:
        for x in np.linspace(-0.35, 0.35, rows):
            plane *= 1 - 0.9 * ellipse(float(y), float(x), 0.05, 0.05)
    plane *= 1 - 0.95 * random.integers(0, 2) * _box(r(-0.2, 0.2), r(-0.2, 0.2), r(0.05, 0.2), r(0.05, 0.3))
    return _finish(plane, random)


PHANTOMS: dict[str, Draw] = {
    "drawn_chest_xray": chest_xray,
    "drawn_knee_mr": knee_mr,
    "drawn_spine_mr": spine_mr,
    "drawn_abdomen_ct": abdomen_ct,
    "drawn_head_ct": head_ct,
    "drawn_limb_xray": limb_xray,
    "drawn_ultrasound": ultrasound,
    "drawn_shepp_logan": shepp_logan,
    "drawn_scanner_phantom": scanner_phantom,
}
"""Drawn pictures by kind."""
